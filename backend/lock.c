/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The lock on an image: see lock.h.
 */
#include <errno.h>
#include <fcntl.h>

#include "backend/lock.h"

static int set_lock(int fd, short type)
{
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = 0,
		.l_len = 1,
	};

	if (!fcntl(fd, F_OFD_SETLK, &lock))
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

int image_lock(int fd, bool shared)
{
	return set_lock(fd, shared ? F_RDLCK : F_WRLCK);
}

int image_unlock(int fd)
{
	return set_lock(fd, F_UNLCK);
}
