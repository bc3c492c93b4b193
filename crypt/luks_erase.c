/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Destroying all key slots: see luks_erase.h.
 */
#include <errno.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "crypt/luks_erase.h"
#include "crypt/volume_keys.h"
#include "lib/transfer.h"
#include "lib/why.h"

#define CHUNK 65536u

struct job {
	int fd;
	uint64_t begin, end; /* of the area of key slots */
	const struct luks_erase_watch *watch;
};

static void tell(const struct job *job, uint64_t at)
{
	if (job->watch)
		job->watch->progress(job->watch->arg, at - job->begin);
}

static int overwrite(const struct job *job, uint64_t at, uint64_t end)
{
	uint8_t noise[CHUNK];
	size_t len;
	int r = 0;

	for (; !r && at < end; at += len) {
		len = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		if (RAND_bytes(noise, (int)len) != 1)
			return -EIO;
		r = transfer_write(job->fd, noise, len, at);
		tell(job, at + len);
	}
	return r;
}

/* A hole has nothing to overwrite, and no need to take room. */
static int overwrite_data(const struct job *job)
{
	uint64_t at = job->begin, end = job->end;
	off_t data, hole;
	int r;

	while (at < end) {
		data = lseek(job->fd, (off_t)at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		if (data < 0)
			return overwrite(job, at, end);
		if ((uint64_t)data >= end)
			break;
		hole = lseek(job->fd, data, SEEK_HOLE);
		if (hole < 0 || (uint64_t)hole > end)
			hole = (off_t)end;
		r = overwrite(job, (uint64_t)data, (uint64_t)hole);
		if (r)
			return r;
		at = (uint64_t)hole;
	}
	tell(job, end);
	return 0;
}

int luks_erase(int fd, const struct luks_erase_watch *watch,
	       unsigned int *ret_slots, struct why *why)
{
	const struct luks_key_change change = { .op = LUKS_KEY_ERASE };
	struct volume_info info;
	struct job job;
	int r;

	r = volume_keys_change(&VOLUME_HEADER(fd), &change, &info, why);
	if (r)
		return r;
	job = (struct job){ fd, info.slots_offset, info.header_size, watch };
	r = overwrite_data(&job);
	if (!r && fsync(fd))
		r = -errno;
	if (r)
		return why_set(why, r,
			       "the key slots cannot be overwritten: %s",
			       strerror(-r));
	*ret_slots = (unsigned int)info.key_slot;
	return 0;
}
