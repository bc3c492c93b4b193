/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A header goes from its copy to a file or an image: see header_copy.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypt/header_copy.h"
#include "crypt/luks_image.h"
#include "lib/folder.h"
#include "lib/transfer.h"
#include "lib/why.h"

#define CHUNK 65536u
#define BLOCK 4096u /* that a file has, or not */

/* From @start to @end of the copy, where the file differs. */
static int put(int copy_fd, int fd, uint64_t start, uint64_t end,
	       bool *ret_changed)
{
	uint8_t buf[CHUNK];
	bool changed = false;
	size_t len;
	int r;

	for (; start < end; start += len) {
		len = end - start < CHUNK ? (size_t)(end - start) : CHUNK;
		r = transfer_read(copy_fd, buf, len, start);
		if (!r)
			r = transfer_update(fd, buf, len, start, &changed);
		if (r)
			return r;
	}
	*ret_changed = changed;
	return changed && fsync(fd) ? -errno : 0;
}

static int save(const struct header_copy *copy, int fd)
{
	bool changed;
	int r;

	/* Not sparse for its looks: a disk that is full tells now. */
	if (ftruncate(fd, (off_t)copy->span))
		return -errno;
	r = put(copy->fd, fd, 0, copy->span, &changed);
	return r || !fsync(fd) ? r : -errno;
}

int header_copy_save(const struct header_copy *copy, const char *path,
		     struct why *why)
{
	int fd, r;

	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return why_set(why, -errno, "%s: %s%s", path, strerror(errno),
			       errno == EEXIST ? " (a backup overwrites"
						 " nothing)"
					       : "");
	r = save(copy, fd);
	close(fd);
	if (r)
		why_set(why, r, "%s: cannot be written: %s", path,
			strerror(-r));
	else
		r = folder_sync(path, why);
	if (r)
		unlink(path);
	return r;
}

/*
 * Room for all that will be written, where the file has holes: on a disk that
 * is full, nothing is, rather than key slots without their headers.
 */
static int reserve(int copy_fd, int fd, uint64_t end)
{
	uint8_t now[BLOCK], then[BLOCK];
	uint64_t at;
	size_t len;
	int r;

	for (at = 0; at < end; at += len) {
		len = end - at < BLOCK ? (size_t)(end - at) : BLOCK;
		r = transfer_read(copy_fd, then, len, at);
		if (r)
			return r;
		if (!transfer_read(fd, now, len, at) && !memcmp(now, then, len))
			continue;
		if (fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)len) &&
		    errno != EOPNOTSUPP)
			return -errno;
	}
	return 0;
}

struct span {
	enum header_part part;
	uint64_t start, end;
};

/* In the order in which they are written. */
static int write_spans(const struct header_copy *copy, int fd,
		       unsigned int *ret_parts)
{
	uint64_t slots = copy->info.slots_offset, half = slots / 2;
	const bool two = !strcmp(copy->info.type, "LUKS2");
	const struct span spans[] = {
		{ HEADER_SLOTS, slots, copy->span },
		{ HEADER_SECOND, two ? half : slots, slots },
		{ HEADER_FIRST, 0, two ? half : slots },
	};
	unsigned int i, parts = 0;
	bool changed;
	int r;

	for (i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		r = put(copy->fd, fd, spans[i].start, spans[i].end, &changed);
		if (r)
			return r;
		if (changed)
			parts |= spans[i].part;
	}
	*ret_parts = parts;
	return 0;
}

int header_copy_write(const struct header_copy *copy, int fd,
		      unsigned int *ret_parts, struct why *why)
{
	int r = luks_image_flock(fd, false, why);

	if (r)
		return r;
	r = reserve(copy->fd, fd, copy->span);
	if (!r)
		r = write_spans(copy, fd, ret_parts);
	luks_image_funlock(fd);
	if (r)
		return why_set(why, r, "the header cannot be written: %s",
			       strerror(-r));
	return 0;
}
