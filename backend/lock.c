/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The lock on an image: see lock.h.
 */
#include <errno.h>
#include <fcntl.h>

#include "backend/lock.h"
#include "lib/clock.h"

#define BYTE_OWNER  0
#define BYTE_WORKER 1

#define LOCK_TRIES    20
#define LOCK_PAUSE_MS 50

static int set_lock(int fd, int how, short type, off_t start, off_t len)
{
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = start,
		.l_len = len,
	};

	if (!fcntl(fd, how, &lock))
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

/* A worker may have outlived its monitor, so its byte must be free as well. */
int image_lock(int fd, bool shared)
{
	short type = shared ? F_RDLCK : F_WRLCK;
	int err;

	err = set_lock(fd, F_OFD_SETLK, type, BYTE_OWNER, 2);
	if (!err)
		err = set_lock(fd, F_OFD_SETLK, F_UNLCK, BYTE_WORKER, 1);
	return err;
}

int image_lock_soon(int fd, bool shared)
{
	int i, err = -EBUSY;

	for (i = 0; err == -EBUSY && i < LOCK_TRIES; i++) {
		if (i)
			clock_pause(LOCK_PAUSE_MS);
		err = image_lock(fd, shared);
	}
	return err;
}

int image_fence(int fd, bool shared)
{
	int err;

	do {
		err = set_lock(fd, F_OFD_SETLKW, shared ? F_RDLCK : F_WRLCK,
			       BYTE_WORKER, 1);
	} while (err == -EINTR);
	return err;
}
