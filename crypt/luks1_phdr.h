/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The LUKS1 header as it is on disk: "LUKS On-Disk Format Specification"
 * 1.2.3, figures 1 and 2.
 */
#ifndef CRYPT_LUKS1_PHDR_H
#define CRYPT_LUKS1_PHDR_H

#include <stdint.h>

#include "lib/endian.h"

#define LUKS1_HEADER_SIZE   4096u /* bytes; the first key slot is behind it */
#define LUKS1_SLOTS	    8
#define LUKS1_SLOT_ENABLED  0x00ac71f3u
#define LUKS1_SLOT_DISABLED 0x0000deadu

struct luks1_slot {
	be32 state;
	be32 iterations;
	uint8_t salt[32];
	be32 offset; /* of the key material: 512-byte sectors */
	be32 stripes;
};

struct luks1_phdr {
	char magic[6];
	be16 version;
	char cipher_name[32];
	char cipher_mode[32];
	char hash_spec[32];
	be32 payload_offset; /* 512-byte sectors */
	be32 key_bytes;
	uint8_t digest[20];
	uint8_t digest_salt[32];
	be32 digest_iterations;
	char uuid[40];
	struct luks1_slot slots[LUKS1_SLOTS];
};

_Static_assert(sizeof(struct luks1_phdr) == 592, "LUKS1 header");

#endif
