/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Blocks for a file before anything is written to them.
 */
#ifndef TOOLS_ALLOCATE_H
#define TOOLS_ALLOCATE_H

#include <stdint.h>

struct progress_args;
struct why;

/*
 * Allocate the bytes from @at to @end of the regular file open at @fd, which
 * becomes @end bytes long if it is shorter.  Where it fails, what has been
 * allocated stays.  Errors: -EOPNOTSUPP (this file system cannot), -ENOSPC,
 * other -errno.
 */
int allocate_blocks(int fd, uint64_t at, uint64_t end,
		    const struct progress_args *args, struct why *why);

#endif
