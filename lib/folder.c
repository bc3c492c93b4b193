/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The folder that a file is in: see folder.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/folder.h"
#include "lib/why.h"

int folder_open(const char *path, int *ret, struct why *why)
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

int folder_sync(const char *path, struct why *why)
{
	int fd, err = folder_open(path, &fd, why);

	if (err)
		return err;
	/* EINVAL: there is no such thing here (fsync(2)). */
	if (fsync(fd) && errno != EINVAL)
		err = why_set(why, -errno, "%s: its folder: %s", path,
			      strerror(errno));
	close(fd);
	return err;
}
