/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The binary headers at the start of a LUKS image: which version this is, and
 * which of the two LUKS2 copies are sound.  libcryptsetup repairs or passes
 * over a damaged copy without a word; this finds out what the user should be
 * told.  The metadata itself is libcryptsetup's business.
 */
#ifndef CRYPT_LUKS_HEADER_H
#define CRYPT_LUKS_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Both LUKS2 copies lie within this, in bytes (2 * 4 MiB). */
#define LUKS_HEADERS_MAX (8u << 20)

struct luks_headers {
	int version;	   /* 1 or 2; 0: no LUKS header in sight */
	bool first_found;  /* LUKS2: a first header's magic is there */
	bool second_found; /* LUKS2: a second header's magic is there */
	bool first_sound;  /* and its checksum is right */
	bool second_sound;
	uint64_t first_seq; /* the higher one of two sound copies counts */
	uint64_t second_seq;
	uint64_t payload; /* LUKS1: bytes from the start to the data */
	uint32_t digest_iterations; /* LUKS1: what its digest costs */
};

/* Look at the first @len bytes of an image, at most LUKS_HEADERS_MAX. */
void luks_headers_find(const uint8_t *start, size_t len,
		       struct luks_headers *ret);

/* Of two LUKS2 copies, is the first one whose contents count? */
bool luks_headers_use_first(const struct luks_headers *h);

/* What the user should know of a LUKS2 container that can be read, or "". */
const char *luks_headers_note(const struct luks_headers *h);

#endif
