/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The state of what holds a container: see health.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "backend/health.h"

#define BLOCK 4096u

/* Through /proc, so that it is the same file whatever its name is now. */
static bool can_write(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return !faccessat(AT_FDCWD, path, W_OK, AT_EACCESS);
}

static int look_at_device(int fd, struct image_health *h)
{
	int readonly;

	if (ioctl(fd, BLKGETSIZE64, &h->size) || ioctl(fd, BLKROGET, &readonly))
		return -errno;
	h->block_device = true;
	h->readonly_fs = readonly;
	h->allocated = h->size;
	return 0;
}

static int look_at_file(int fd, const struct stat *st, struct image_health *h)
{
	struct statvfs fs;

	if (fstatvfs(fd, &fs))
		return -errno;
	h->readonly_fs = fs.f_flag & ST_RDONLY;
	h->size = (uint64_t)st->st_size;
	h->allocated = (uint64_t)st->st_blocks * 512;
	h->fs_free = (uint64_t)fs.f_bavail * fs.f_frsize;
	return 0;
}

static void try_read(int fd, uint64_t at, struct image_health *h)
{
	char block[BLOCK];
	ssize_t n;

	do
		n = pread(fd, block, sizeof(block), (off_t)at);
	while (n < 0 && errno == EINTR);
	if (n >= 0 || h->read_error)
		return;
	h->read_error = -errno;
	h->read_error_at = at;
}

int image_health(int fd, struct image_health *ret)
{
	struct image_health h = { 0 };
	struct stat st;
	int r;

	if (fstat(fd, &st))
		return -errno;
	r = S_ISBLK(st.st_mode) ? look_at_device(fd, &h)
				: look_at_file(fd, &st, &h);
	if (r)
		return r;
	h.writable = can_write(fd) && !h.readonly_fs;
	try_read(fd, 0, &h);
	if (h.size > BLOCK)
		try_read(fd, h.size - BLOCK, &h);
	*ret = h;
	return 0;
}
