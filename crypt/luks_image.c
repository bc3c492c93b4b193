/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What holds a container: see luks_image.h.
 */
#include <errno.h>
#include <libcryptsetup.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "crypt/luks_image.h"
#include "lib/why.h"

#define FLOCK_TRIES    40
#define FLOCK_PAUSE_NS 50000000L

int luks_image_size(int fd, uint64_t *ret, struct why *why)
{
	struct stat st;
	uint64_t size;

	if (fstat(fd, &st))
		return why_set(why, -errno, "cannot be examined: %s",
			       strerror(errno));
	if (S_ISREG(st.st_mode)) {
		*ret = (uint64_t)st.st_size;
		return 0;
	}
	if (!S_ISBLK(st.st_mode))
		return why_set(why, -EINVAL,
			       "%s, not a regular file or a block"
			       " device",
			       S_ISDIR(st.st_mode) ? "a directory"
						   : "a special file");
	if (ioctl(fd, BLKGETSIZE64, &size))
		return why_set(why, -errno, "its size cannot be read: %s",
			       strerror(errno));
	*ret = size;
	return 0;
}

bool luks_image_same(int a, int b)
{
	struct stat x, y;

	if (a == b)
		return true;
	if (fstat(a, &x) || fstat(b, &y))
		return false;
	if (S_ISBLK(x.st_mode) && S_ISBLK(y.st_mode))
		return x.st_rdev == y.st_rdev;
	return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Only root may use the lock directory that block devices need. */
void luks_image_set_locking(int fd)
{
	struct stat st;

	if (!fstat(fd, &st) && S_ISBLK(st.st_mode) && geteuid())
		crypt_metadata_locking(NULL, 0);
}

int luks_image_flock(int fd, bool shared, struct why *why)
{
	const struct timespec pause = { 0, FLOCK_PAUSE_NS };
	int how = (shared ? LOCK_SH : LOCK_EX) | LOCK_NB, i;

	for (i = 0; flock(fd, how) && errno == EWOULDBLOCK; i++) {
		if (i == FLOCK_TRIES)
			return why_set(why, -EBUSY,
				       "cryptsetup, or another program, has"
				       " the header locked");
		nanosleep(&pause, NULL);
	}
	return 0;
}

void luks_image_funlock(int fd)
{
	flock(fd, LOCK_UN);
}
