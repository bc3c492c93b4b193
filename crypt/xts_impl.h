/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Between the sector cipher (xts.c) and who computes it.  Nobody else includes
 * this.
 */
#ifndef CRYPT_XTS_IMPL_H
#define CRYPT_XTS_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Consecutive sectors, all of them whole. */
struct xts_run {
	uint8_t *dst;
	const uint8_t *src; /* the same, or apart */
	size_t len;	    /* bytes */
	uint32_t sector_size;
	uint64_t sector;  /* of the first, in units of 512 bytes */
	uint64_t iv_mask; /* what counts of a sector's number */
	bool encrypt;
};

/* Sector numbers count this many bytes (dm-crypt's SECTOR_SHIFT). */
#define XTS_IV_UNIT 512U

/*
 * An implementation of AES-XTS.  Its state has the key schedules of both
 * directions, belongs to one thread, and is wiped when it is freed.  All
 * functions are required; nothing is allocated but by create and dup.
 */
struct xts_impl {
	const char *name;
	/*
	 * @key_bytes is 32 or 64.  -ENOMEM, -ENOTSUP (not on this machine, or
	 * not the best for sectors of this many bytes).
	 */
	int (*create)(const uint8_t *key, size_t key_bytes,
		      uint32_t sector_size, void **ret);
	/* @state may be shared by callers that do only this.  -ENOMEM. */
	int (*dup)(const void *state, void **ret);
	void (*free)(void *state); /* NULL is allowed */
	/* Errors: -EIO. */
	int (*run)(void *state, const struct xts_run *run);
};

/* By OpenSSL's XTS, a call for each sector. */
extern const struct xts_impl xts_openssl;
/* By OpenSSL's ECB, for many short sectors with one call. */
extern const struct xts_impl xts_batch;

#endif
