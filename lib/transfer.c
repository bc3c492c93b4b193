/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Reading and writing all of some bytes: see transfer.h.
 */
#include <errno.h>
#include <unistd.h>

#include "lib/transfer.h"

#define CHUNK (64u << 10) /* bytes compared at a time, on the stack */

int transfer_read(int fd, void *buf, size_t len, uint64_t at)
{
	uint8_t *p = buf;
	ssize_t n;

	while (len) {
		n = pread(fd, p, len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int transfer_write(int fd, const void *buf, size_t len, uint64_t at)
{
	const uint8_t *p = buf;
	ssize_t n;

	while (len) {
		n = pwrite(fd, p, len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* At most CHUNK bytes: from the first to the last that differs. */
static int update_chunk(int fd, const uint8_t *new, size_t len, uint64_t at,
			bool *ret_changed)
{
	uint8_t old[CHUNK];
	size_t first = 0;

	if (!transfer_read(fd, old, len, at)) {
		while (first < len && old[first] == new[first])
			first++;
		if (first == len)
			return 0;
		while (old[len - 1] == new[len - 1])
			len--;
	}
	*ret_changed = true;
	return transfer_write(fd, new + first, len - first, at + first);
}

int transfer_update(int fd, const void *buf, size_t len, uint64_t at,
		    bool *ret_changed)
{
	const uint8_t *p = buf;
	size_t part;
	int r = 0;

	for (; !r && len; p += part, at += part, len -= part) {
		part = len < CHUNK ? len : CHUNK;
		r = update_chunk(fd, p, part, at, ret_changed);
	}
	return r;
}

int transfer_append(int fd, const void *buf, size_t len)
{
	const uint8_t *p = buf;
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}
