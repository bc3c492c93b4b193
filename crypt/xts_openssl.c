/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * AES-XTS over OpenSSL's EVP: see xts_impl.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "crypt/evp_ctx.h"
#include "crypt/xts_impl.h"
#include "lib/endian.h"

struct state {
	EVP_CIPHER_CTX *enc, *dec; /* the key schedules are in here */
};

static void free_state(void *arg)
{
	struct state *s = arg;

	if (!s)
		return;
	/* These cleanse what they free, and accept NULL. */
	EVP_CIPHER_CTX_free(s->enc);
	EVP_CIPHER_CTX_free(s->dec);
	free(s);
}

static int create(const uint8_t *key, size_t key_bytes, uint32_t sector_size,
		  void **ret)
{
	const char *name = key_bytes == 64 ? "AES-256-XTS" : "AES-128-XTS";
	struct state *s = calloc(1, sizeof(*s));
	int err;

	(void)sector_size;
	if (!s)
		return -ENOMEM;
	err = evp_ctx_new(name, key, true, &s->enc);
	if (!err)
		err = evp_ctx_new(name, key, false, &s->dec);
	if (err) {
		free_state(s);
		return err;
	}
	*ret = s;
	return 0;
}

static int dup_state(const void *arg, void **ret)
{
	const struct state *from = arg;
	struct state *s = calloc(1, sizeof(*s));

	if (s) {
		s->enc = evp_ctx_dup(from->enc);
		s->dec = evp_ctx_dup(from->dec);
	}
	if (!s || !s->enc || !s->dec) {
		free_state(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
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

static int run(void *arg, const struct xts_run *r)
{
	const struct state *s = arg;
	EVP_CIPHER_CTX *ctx = r->encrypt ? s->enc : s->dec;
	uint64_t sector = r->sector;
	le64 iv[2] = { 0 };
	size_t at;
	int err = 0;

	for (at = 0; at < r->len && !err; at += r->sector_size) {
		iv[0] = le64_put(sector & r->iv_mask);
		err = run_unit(ctx, (const uint8_t *)iv, r->dst + at,
			       r->src + at, r->sector_size);
		sector += r->sector_size / XTS_IV_UNIT;
	}
	return err;
}

const struct xts_impl xts_openssl = {
	.name = "OpenSSL",
	.create = create,
	.dup = dup_state,
	.free = free_state,
	.run = run,
};
