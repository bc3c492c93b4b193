/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Reading and writing all of some bytes of a file, where the kernel may do
 * less at a time.  For headers and the like: the data path has io_uring.
 */
#ifndef LIB_TRANSFER_H
#define LIB_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Read @len bytes at byte @at.  Errors: -EIO (also for a file that ends
 * before), other -errno.
 */
int transfer_read(int fd, void *buf, size_t len, uint64_t at);

/* Write @len bytes at byte @at.  Errors: -ENOSPC, -EIO, other -errno. */
int transfer_write(int fd, const void *buf, size_t len, uint64_t at);

/*
 * The same, but only of those bytes that are not there yet; what cannot be
 * read is not.  *ret_changed becomes true when there were any, and is left
 * alone otherwise.
 */
int transfer_update(int fd, const void *buf, size_t len, uint64_t at,
		    bool *ret_changed);

/* Write @len bytes to a pipe, a socket or the end of a file. */
int transfer_append(int fd, const void *buf, size_t len);

#endif
