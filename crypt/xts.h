/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The sector cipher: AES-128-XTS and AES-256-XTS (IEEE 1619).  OpenSSL
 * computes it, in one of two ways (xts_impl.h), of which the faster is chosen.
 *
 * Knows sectors and their IVs; not where they come from or go to.  The key is
 * set once; a sector costs its IV and the cipher.  Nothing is allocated but by
 * xts_new and xts_dup.
 */
#ifndef CRYPT_XTS_H
#define CRYPT_XTS_H

#include <stddef.h>
#include <stdint.h>

struct why;
struct xts;

#define XTS_MIN_SECTOR_SIZE 512U
#define XTS_MAX_SECTOR_SIZE 4096U

/*
 * How a sector's number makes its IV: little-endian, counted in units of 512
 * bytes whatever the sector size is, as dm-crypt does without
 * iv_large_sectors.
 */
enum xts_iv {
	XTS_IV_PLAIN,	/* the low 32 bits of the number */
	XTS_IV_PLAIN64, /* all 64 bits */
};

/* Bytes after which XTS_IV_PLAIN repeats itself. */
#define XTS_PLAIN_MAX (2ULL << 40)

struct xts_params {
	const uint8_t *key;   /* both halves; not needed after xts_new */
	size_t key_bytes;     /* 32: AES-128, 64: AES-256 */
	uint32_t sector_size; /* bytes: 512, 1024, 2048 or 4096 */
	enum xts_iv iv;
	uint64_t first_sector; /* what sector 0 counts as */
};

/*
 * A cipher with its key schedules, for one thread.  Errors: -EINVAL (key or
 * sector size, among them a key of two equal halves, which IEEE 1619 as used
 * by FIPS 140 forbids), -ENOMEM, -ENOTSUP (OpenSSL has no AES-XTS).
 */
int xts_new(const struct xts_params *params, struct xts **ret, struct why *why);

/*
 * The same cipher for another thread, without the key being at hand.  @x may
 * be shared by several callers that do only this.  Errors: -ENOMEM.
 */
int xts_dup(const struct xts *x, struct xts **ret);

/* Wipes the key schedules; NULL is allowed. */
void xts_free(struct xts *x);

/*
 * @len bytes, a multiple of the sector size, from sector number @sector (in
 * units of 512 bytes) on.  @dst and @src are the same or do not overlap; each
 * byte of @src is read once.  Errors: -EIO (OpenSSL failed).
 */
int xts_encrypt(struct xts *x, uint64_t sector, void *dst, const void *src,
		size_t len);
int xts_decrypt(struct xts *x, uint64_t sector, void *dst, const void *src,
		size_t len);

#endif
