/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The cipher device on a memory device with faults between them, and a plain
 * reference of what it must store.
 */
#ifndef TESTS_UNIT_CRYPT_HELP_H
#define TESTS_UNIT_CRYPT_HELP_H

#include "crypt/cryptdev.h"
#include "tests/unit/blk_help.h"
#include "tests/unit/fault_blk.h"

#define RIG_OFFSET (64U << 10) /* bytes; where the data area begins */

struct crypt_rig {
	struct blk_rig blk;
	struct fault_blk *fault;
	struct blk_dev *mem;
	uint8_t *data; /* the ciphertext */
	uint8_t key[64];
	struct cryptdev_params params;
};

/* @size bytes of data; what is 0 in @params is filled in. */
void crypt_rig_open(struct crypt_rig *r, const struct cryptdev_params *params,
		    uint64_t size, unsigned depth, bool deferred);
void crypt_rig_close(struct crypt_rig *r);

/* Every sector with a key of its own setting, as slow as can be. */
void ref_crypt(const struct cryptdev_params *params, bool encrypt,
	       uint64_t sector, void *dst, const void *src, size_t len);

/* The stored bytes at @sector are @plain, encrypted. */
void assert_stored(const struct crypt_rig *r, uint64_t sector,
		   const void *plain, size_t len);

#endif
