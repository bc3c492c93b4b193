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

/*
 * An implementation of AES-XTS.  Its state has the key schedules of both
 * directions, belongs to one thread, and is wiped when it is freed.  All
 * functions are required; nothing is allocated but by create and dup.
 */
struct xts_impl {
	const char *name;
	/* @key_bytes is 32 or 64.  -ENOMEM, -ENOTSUP (not on this machine). */
	int (*create)(const uint8_t *key, size_t key_bytes, void **ret);
	/* @state may be shared by callers that do only this.  -ENOMEM. */
	int (*dup)(const void *state, void **ret);
	void (*free)(void *state); /* NULL is allowed */
	/* Errors: -EIO (both). */
	int (*run)(void *state, const struct xts_run *run);
	/* One data unit of @len >= 16 bytes, under a tweak of the caller's. */
	int (*unit)(void *state, bool encrypt, const uint8_t iv[static 16],
		    void *dst, const void *src, size_t len);
};

extern const struct xts_impl xts_openssl;

#endif
