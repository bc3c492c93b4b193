/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Names that outlive a crash: see rename.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/folder.h"
#include "lib/why.h"
#include "tools/rename.h"

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
	return folder_sync(to, why);
}
