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

static int overwrite(int fd, uint64_t at, uint64_t end)
{
	uint8_t noise[CHUNK];
	size_t len;
	int r = 0;

	for (; !r && at < end; at += len) {
		len = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		if (RAND_bytes(noise, (int)len) != 1)
			return -EIO;
		r = transfer_write(fd, noise, len, at);
	}
	return r;
}

/* A hole has nothing to overwrite, and no need to take room. */
static int overwrite_data(int fd, uint64_t at, uint64_t end)
{
	off_t data, hole;
	int r;

	while (at < end) {
		data = lseek(fd, (off_t)at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		if (data < 0)
			return overwrite(fd, at, end);
		if ((uint64_t)data >= end)
			break;
		hole = lseek(fd, data, SEEK_HOLE);
		if (hole < 0 || (uint64_t)hole > end)
			hole = (off_t)end;
		r = overwrite(fd, (uint64_t)data, (uint64_t)hole);
		if (r)
			return r;
		at = (uint64_t)hole;
	}
	return 0;
}

int luks_erase(int fd, unsigned int *ret_slots, struct why *why)
{
	const struct luks_key_change change = { .op = LUKS_KEY_ERASE };
	struct volume_info info;
	int r;

	r = volume_keys_change(&VOLUME_HEADER(fd), &change, &info, why);
	if (r)
		return r;
	r = overwrite_data(fd, info.slots_offset, info.header_size);
	if (!r && fsync(fd))
		r = -errno;
	if (r)
		return why_set(why, r,
			       "the key slots cannot be overwritten: %s",
			       strerror(-r));
	*ret_slots = (unsigned int)info.key_slot;
	return 0;
}
