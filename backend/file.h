/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A block device over an open regular file or block device, through io_uring.
 *
 * Opening and the choice of O_DIRECT (file_open.c) stand apart from serving
 * (file.c), since the process that serves may open nothing.  Locks are none
 * of this file's business.
 */
#ifndef BACKEND_FILE_H
#define BACKEND_FILE_H

#include <stdbool.h>
#include <stdint.h>

struct blk_dev;
struct blk_info;
struct why;

enum file_cache {
	FILE_CACHE_AUTO, /* direct where that works */
	FILE_CACHE_DIRECT,
	FILE_CACHE_BUFFERED,
};

/*
 * Open @path for reading, and for writing unless @readonly; close-on-exec,
 * through the page cache.  Only regular files and block devices: whatever else
 * @path names, this neither hangs nor becomes a controlling terminal.
 * Errors: those of open(2), -EINVAL (neither file nor block device).
 */
int file_open(const char *path, bool readonly, int *ret_fd, struct why *why);

/*
 * Turn O_DIRECT on or off for @fd and all that share its description.  It
 * stays off unless a trial read shows that transfers of @unit bytes (a power
 * of two, 512 to 4096) at multiples of @unit work; FILE_CACHE_DIRECT makes
 * that an error.  @path is for the reason.
 * Errors: -EOPNOTSUPP, those of fcntl(2).
 */
int file_set_cache(int fd, const char *path, enum file_cache cache,
		   uint32_t unit, struct why *why);

struct file_blk_options {
	bool readonly; /* even if @fd could be written */
};

/* What a device over @fd would be.  Errors as file_blk_new. */
int file_blk_probe(int fd, const struct file_blk_options *options,
		   struct blk_info *ret, struct why *why);

/*
 * A device as large as the file is now, in whole sectors, or read-only when
 * @fd is.  The device owns @fd from here on, but not when this fails.
 *
 * Requests fail with what the kernel says, with -EIO beyond the end of a file
 * that was cut since.  The file never grows beyond the size of the device.
 * blk_resize changes what is used of the file, not the file: it has to be that
 * large before, and may be cut after.
 * Errors: -EINVAL (not a regular file or block device, not readable, or less
 * than one block), -ENOMEM, those of fstat(2), fcntl(2) and the block device.
 */
int file_blk_new(int fd, const struct file_blk_options *options,
		 struct blk_dev **ret, struct why *why);

#endif
