/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Where a sparse file has no data: see holes.h.
 */
#include <errno.h>
#include <unistd.h>

#include "backend/holes.h"

/* Up to the end of the file there is no more data: ENXIO (lseek(2)). */
static uint64_t next_data(int fd, uint64_t at)
{
	off_t data = lseek(fd, (off_t)at, SEEK_DATA);

	if (data >= 0)
		return (uint64_t)data;
	return errno == ENXIO ? UINT64_MAX : at;
}

bool file_is_hole(struct file_holes *holes, uint64_t at, uint64_t len)
{
	if (at < holes->from || at >= holes->data) {
		holes->from = at;
		holes->data = next_data(holes->fd, at);
	}
	return holes->data > at && len <= holes->data - at;
}
