/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Names that outlive a crash: see rename.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/why.h"
#include "tools/rename.h"

int rename_open_folder(const char *path, int *ret, struct why *why)
{
	char copy[PATH_MAX];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return why_set(why, -errno, "%s: its folder: %s", path,
			       strerror(errno));
	*ret = fd;
	return 0;
}

int rename_sync_folder(const char *path, struct why *why)
{
	int fd, err = rename_open_folder(path, &fd, why);

	if (err)
		return err;
	if (fsync(fd))
		err = why_set(why, -errno, "%s: its folder: %s", path,
			      strerror(errno));
	close(fd);
	return err;
}

int rename_durably(const char *from, const char *to, struct why *why)
{
	int err = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE)
			  ? -errno
			  : 0;

	/* Some file systems do not know the flag. */
	if (err == -EINVAL && access(to, F_OK))
		err = rename(from, to) ? -errno : 0;
	if (err)
		return why_set(why, err, "%s: cannot be renamed to %s: %s",
			       from, to, strerror(-err));
	return rename_sync_folder(to, why);
}
