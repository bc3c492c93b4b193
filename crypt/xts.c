/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The sector cipher over OpenSSL's EVP: see xts.h.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "crypt/xts.h"
#include "lib/endian.h"
#include "lib/why.h"

/* Sector numbers count this many bytes (dm-crypt's SECTOR_SHIFT). */
#define IV_UNIT 512U

struct xts {
	EVP_CIPHER_CTX *enc, *dec; /* the key schedules are in here */
	uint64_t iv_mask;
	uint32_t sector_size;
};

static int check_params(const struct xts_params *p, struct why *why)
{
	size_t half = p->key_bytes / 2;

	if (p->key_bytes != 32 && p->key_bytes != 64)
		return why_set(why, -EINVAL,
			       "volume key: AES-XTS takes 256 or 512 bits, "
			       "not %zu",
			       p->key_bytes * 8);
	if (p->sector_size < IV_UNIT || p->sector_size > XTS_MAX_SECTOR_SIZE ||
	    (p->sector_size & (p->sector_size - 1)))
		return why_set(why, -EINVAL,
			       "sector size %u: must be 512, 1024, 2048 or "
			       "4096 bytes",
			       p->sector_size);
	if (!CRYPTO_memcmp(p->key, p->key + half, half))
		return why_set(why, -EINVAL,
			       "volume key: its two halves are equal, which "
			       "makes AES-XTS weak (format a new container)");
	return 0;
}

static int new_ctx(const EVP_CIPHER *cipher, const uint8_t *key, int enc,
		   EVP_CIPHER_CTX **ret)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (!ctx)
		return -ENOMEM;
	if (!EVP_CipherInit_ex(ctx, cipher, NULL, key, NULL, enc)) {
		EVP_CIPHER_CTX_free(ctx);
		return -ENOMEM;
	}
	*ret = ctx;
	return 0;
}

static int set_key(struct xts *x, const struct xts_params *p, struct why *why)
{
	const char *name = p->key_bytes == 64 ? "AES-256-XTS" : "AES-128-XTS";
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	int err;

	if (!cipher)
		return why_set(why, -ENOTSUP, "OpenSSL does not offer %s",
			       name);
	err = new_ctx(cipher, p->key, 1, &x->enc);
	if (!err)
		err = new_ctx(cipher, p->key, 0, &x->dec);
	/* The contexts hold references of their own. */
	EVP_CIPHER_free(cipher);
	return err ? why_set(why, err, "%s: OpenSSL is out of memory", name)
		   : 0;
}

int xts_new(const struct xts_params *p, struct xts **ret, struct why *why)
{
	struct xts *x;
	int err;

	err = check_params(p, why);
	if (err)
		return err;
	x = calloc(1, sizeof(*x));
	if (!x)
		return why_set(why, -ENOMEM, "out of memory");
	err = set_key(x, p, why);
	if (err) {
		xts_free(x);
		return err;
	}
	x->sector_size = p->sector_size;
	x->iv_mask = p->iv == XTS_IV_PLAIN ? UINT32_MAX : UINT64_MAX;
	*ret = x;
	return 0;
}

static EVP_CIPHER_CTX *dup_ctx(const EVP_CIPHER_CTX *from)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (ctx && !EVP_CIPHER_CTX_copy(ctx, from)) {
		EVP_CIPHER_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

int xts_dup(const struct xts *from, struct xts **ret)
{
	struct xts *x = malloc(sizeof(*x));

	if (!x)
		return -ENOMEM;
	*x = *from;
	x->enc = dup_ctx(from->enc);
	x->dec = dup_ctx(from->dec);
	if (!x->enc || !x->dec) {
		xts_free(x);
		return -ENOMEM;
	}
	*ret = x;
	return 0;
}

void xts_free(struct xts *x)
{
	if (!x)
		return;
	/* These cleanse what they free, and accept NULL. */
	EVP_CIPHER_CTX_free(x->enc);
	EVP_CIPHER_CTX_free(x->dec);
	free(x);
}

/*
 * Every EVP_CipherUpdate is a data unit of its own, but one that follows
 * without a new IV would be given the same tweak.
 */
static inline int run_unit(EVP_CIPHER_CTX *ctx, const uint8_t *iv, uint8_t *dst,
			   const uint8_t *src, size_t len)
{
	int n;

	if (!EVP_CipherInit_ex(ctx, NULL, NULL, NULL, iv, -1) ||
	    !EVP_CipherUpdate(ctx, dst, &n, src, (int)len))
		return -EIO;
	return 0;
}

static int run_sectors(const struct xts *x, EVP_CIPHER_CTX *ctx,
		       uint64_t sector, uint8_t *dst, const uint8_t *src,
		       size_t len)
{
	const uint32_t size = x->sector_size;
	le64 iv[2] = { 0 };
	size_t at;
	int err = 0;

	for (at = 0; at < len && !err; at += size) {
		iv[0] = le64_put(sector & x->iv_mask);
		err = run_unit(ctx, (const uint8_t *)iv, dst + at, src + at,
			       size);
		sector += size / IV_UNIT;
	}
	return err;
}

int xts_encrypt(struct xts *x, uint64_t sector, void *dst, const void *src,
		size_t len)
{
	return run_sectors(x, x->enc, sector, dst, src, len);
}

int xts_decrypt(struct xts *x, uint64_t sector, void *dst, const void *src,
		size_t len)
{
	return run_sectors(x, x->dec, sector, dst, src, len);
}

int xts_encrypt_unit(struct xts *x, const uint8_t iv[static XTS_IV_LEN],
		     void *dst, const void *src, size_t len)
{
	return run_unit(x->enc, iv, dst, src, len);
}

int xts_decrypt_unit(struct xts *x, const uint8_t iv[static XTS_IV_LEN],
		     void *dst, const void *src, size_t len)
{
	return run_unit(x->dec, iv, dst, src, len);
}
