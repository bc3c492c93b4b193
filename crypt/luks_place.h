/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Where a new LUKS2 container has what: both headers, key slots, data.  The
 * rules and limits are cryptsetup's, but for small images, which get a
 * smaller header than its 16 MiB.
 */
#ifndef CRYPT_LUKS_PLACE_H
#define CRYPT_LUKS_PLACE_H

#include <stdbool.h>
#include <stdint.h>

struct why;

/* All in bytes; 0 stands for the default. */
struct luks_place {
	uint64_t metadata_size; /* of one header: 16 KiB to 4 MiB */
	uint64_t keyslots_size; /* of all key slots: a multiple of 4096 */
	uint64_t data_offset;	/* a multiple of 4096 */
	bool detached;		/* data are in another image, from 0 on */
};

/*
 * Check and complete @place for an image of @size bytes, which holds the data,
 * and key slots for keys of @key_bytes.  Errors: -EDOM (a value that is not
 * possible, or an image too small).
 */
int luks_place_choose(struct luks_place *place, uint64_t size,
		      uint32_t key_bytes, struct why *why);

/* Bytes that headers and key slots take. */
uint64_t luks_place_header(const struct luks_place *place);

#endif
