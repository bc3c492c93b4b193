/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Destroying all key slots: see luks_erase.h.
 */
#include <errno.h>
#include <libcryptsetup.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypt/luks_erase.h"
#include "crypt/luks_image.h"
#include "crypt/luks_log.h"
#include "crypt/unlock.h"
#include "lib/transfer.h"
#include "lib/why.h"

#define CHUNK 65536u

static int destroy_slots(struct crypt_device *cd, const char *type,
			 unsigned int *ret_slots)
{
	int id, max = crypt_keyslot_max(type), r;
	unsigned int slots = 0;

	for (id = 0; id < max; id++) {
		/* Unbound ones too: what they protect is gone as well. */
		if (crypt_keyslot_status(cd, id) <= CRYPT_SLOT_INACTIVE)
			continue;
		r = crypt_keyslot_destroy(cd, id);
		if (r)
			return r;
		slots++;
	}
	*ret_slots = slots;
	return 0;
}

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

int luks_erase(int fd, const struct volume_info *info, unsigned int *ret_slots,
	       struct why *why)
{
	struct crypt_device *cd = NULL;
	struct luks_log log = { "" };
	unsigned int slots = 0;
	char path[32];
	int r;

	luks_image_set_locking(fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = crypt_init(&cd, path);
	if (r)
		return why_set(why, r, "libcryptsetup cannot start: %s",
			       strerror(-r));
	luks_log_attach(&log, cd);
	r = crypt_load(cd, info->type, NULL);
	if (!r)
		r = destroy_slots(cd, info->type, &slots);
	crypt_free(cd);
	if (r)
		return why_set(why, r, "a key slot cannot be destroyed: %s",
			       luks_log_error(&log, r));
	r = overwrite_data(fd, info->slots_offset, info->header_size);
	if (!r && fsync(fd))
		r = -errno;
	if (r)
		return why_set(why, r,
			       "the key slots cannot be overwritten: %s",
			       strerror(-r));
	*ret_slots = slots;
	return 0;
}
