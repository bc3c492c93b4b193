/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A block device over a file descriptor: what it is (see file.h).  How it
 * serves requests is in file_queue.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "backend/blk.h"
#include "backend/file.h"
#include "backend/file_queue.h"
#include "lib/why.h"

/* A larger hint is about something else: nobody reads ahead as much. */
#define IO_OPT_MAX (64 << 20)

static void file_close(struct blk_dev *base)
{
	struct file_dev *dev = (struct file_dev *)base;

	close(dev->fd);
	free(dev);
}

/* Whoever asks has looked at the file, or changes it: see file.h. */
static int file_resize(struct blk_dev *base, uint64_t nr_sectors)
{
	blk_set_nr_sectors(base, nr_sectors);
	return 0;
}

static const struct blk_ops file_ops = {
	.name = "file",
	.open_queue = file_open_queue,
	.submit = file_submit,
	.close_queue = file_close_queue,
	.close = file_close,
	.resize = file_resize,
};

/* The smallest unit that O_DIRECT takes, up to 4096; 512 without it. */
static uint32_t find_block_size(int fd, bool direct)
{
	uint32_t unit = BLK_SECTOR_SIZE;
	void *buf;

	if (!direct || posix_memalign(&buf, 4096, 4096))
		return unit;
	while (unit < 4096 && pread(fd, buf, unit, unit) < 0 && errno == EINVAL)
		unit *= 2;
	free(buf);
	return unit;
}

static int probe_file(int fd, const struct stat *st, struct blk_info *info)
{
	info->nr_sectors = (uint64_t)st->st_size / BLK_SECTOR_SIZE;
	info->phys_block_size = 4096;
	/* Network file systems, ZFS and the like want more than a page. */
	if (st->st_blksize > 4096 && st->st_blksize <= IO_OPT_MAX &&
	    st->st_blksize % 4096 == 0)
		info->io_opt = (uint32_t)st->st_blksize;
	/* Nothing is there to be lost behind the end. */
	info->discard = !info->readonly &&
			!fallocate(fd,
				   FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				   st->st_size, 4096);
	return 0;
}

static int probe_block_device(int fd, struct blk_info *info)
{
	unsigned phys = 0, opt = 0;
	uint64_t bytes;
	int ro = 0;

	if (ioctl(fd, BLKGETSIZE64, &bytes) || ioctl(fd, BLKROGET, &ro))
		return -errno;
	/* These two are only hints. */
	ioctl(fd, BLKPBSZGET, &phys);
	ioctl(fd, BLKIOOPT, &opt);
	info->nr_sectors = bytes / BLK_SECTOR_SIZE;
	info->phys_block_size = phys;
	info->io_opt = opt;
	info->readonly = info->readonly || ro;
	info->discard = !info->readonly;
	return 0;
}

static bool is_in_memory(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) &&
	       (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

/*
 * tmpfs waits for nothing, but does not say so (FMODE_NOWAIT): from Linux 6.5 on
 * io_uring hands each of its requests to a thread of the kernel, which takes
 * longer than the copy.  A descriptor that does not block is tried at once
 * (io_file_get_flags in the kernel's io_uring.c).  Before Linux 6.6, where tmpfs
 * learned O_DIRECT, there is no need; and old kernels fail what would block.
 */
static void do_at_once(const struct file_dev *dev)
{
	int flags = fcntl(dev->fd, F_GETFL);

	if (flags >= 0 && flags & O_DIRECT && !dev->base.info.by_device)
		fcntl(dev->fd, F_SETFL, flags | O_NONBLOCK); /* a hint */
}

static int probe_fd(int fd, bool readonly, struct blk_info *info, bool *regular)
{
	int flags = fcntl(fd, F_GETFL), err;
	struct stat st;

	if (flags < 0 || fstat(fd, &st))
		return -errno;
	if ((flags & O_ACCMODE) == O_WRONLY)
		return -EINVAL;
	info->readonly = readonly || (flags & O_ACCMODE) == O_RDONLY;
	info->cache = flags & O_DIRECT ? "direct" : "buffered";
	*regular = S_ISREG(st.st_mode);
	if (*regular)
		err = probe_file(fd, &st, info);
	else if (S_ISBLK(st.st_mode))
		err = probe_block_device(fd, info);
	else
		err = -EINVAL;
	/* The node of a block device is in memory, too. */
	info->by_device = flags & O_DIRECT && !(*regular && is_in_memory(fd));
	info->block_size = find_block_size(fd, flags & O_DIRECT);
	if (info->phys_block_size < info->block_size)
		info->phys_block_size = info->block_size;
	info->nr_sectors -=
		info->nr_sectors % (info->block_size / BLK_SECTOR_SIZE);
	return err;
}

static int probe(int fd, const struct file_blk_options *options,
		 struct blk_info *info, bool *regular, struct why *why)
{
	int err = probe_fd(fd, options->readonly, info, regular);

	if (err)
		return why_set(why, err, "image: cannot be served: %s",
			       strerror(-err));
	if (!info->nr_sectors)
		return why_set(why, -EINVAL,
			       "image: is smaller than one block");
	return 0;
}

int file_blk_probe(int fd, const struct file_blk_options *options,
		   struct blk_info *ret, struct why *why)
{
	struct blk_info info = { 0 };
	bool regular;
	int err = probe(fd, options, &info, &regular, why);

	if (!err)
		*ret = info;
	return err;
}

int file_blk_new(int fd, const struct file_blk_options *options,
		 struct blk_dev **ret, struct why *why)
{
	struct file_dev *dev = calloc(1, sizeof(*dev));
	int err;

	if (!dev)
		return why_set(why, -ENOMEM, "out of memory");
	dev->base.ops = &file_ops;
	dev->fd = fd;
	err = probe(fd, options, &dev->base.info, &dev->regular, why);
	if (err) {
		free(dev);
		return err;
	}
	do_at_once(dev);
	*ret = &dev->base;
	return 0;
}
