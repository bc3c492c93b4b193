/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Where a sparse file has no data.
 */
#ifndef BACKEND_HOLES_H
#define BACKEND_HOLES_H

#include <stdbool.h>
#include <stdint.h>

struct file_holes {
	int fd;
	uint64_t data; /* a place before which there is none, from .. */
	uint64_t from; /* .. here */
};

/*
 * Whether the @len bytes at @at lie in a hole, and so read as zeroes.  False
 * where the file system does not tell.  Moves the offset of the descriptor.
 */
bool file_is_hole(struct file_holes *holes, uint64_t at, uint64_t len);

#endif
