/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * AES-XTS for short sectors, many with one call: see xts_impl.h.
 *
 * OpenSSL's XTS takes one data unit at a time, and to set its tweak takes as
 * long as to encrypt 500 bytes.  XTS is ECB between two additions of a mask
 * (IEEE 1619, 5.3 and 5.4: C = E1(P + T) + T), and the mask's first block in a
 * sector is E2(sector number).  So that is what happens here, with OpenSSL's
 * ECB for all sectors of a batch at once; and as ECB needs neither a tweak nor
 * a call for each sector, it is faster up to sectors of 1024 bytes.
 *
 * Masks and masked blocks stand in this file's own secret memory only, never
 * in the caller's: who sees a mask could tell whether sectors are alike.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "crypt/evp_ctx.h"
#include "crypt/xts_impl.h"

#define MAX_SECTOR_SIZE	  1024U
#define BLOCK_BYTES	  16U
#define BATCH_BYTES	  4096U
#define BATCH_BLOCKS	  (BATCH_BYTES / BLOCK_BYTES)
#define MAX_BATCH_SECTORS (BATCH_BYTES / XTS_IV_UNIT)

/* The number that a block is, as the processor reads it: little-endian only. */
typedef uint64_t block __attribute__((vector_size(BLOCK_BYTES), may_alias));
typedef int32_t words __attribute__((vector_size(BLOCK_BYTES), may_alias));
typedef block any_block __attribute__((aligned(1))); /* of the caller's */

/* What stands between the steps of a batch. */
struct work {
	block tweaks[MAX_BATCH_SECTORS];
	block mask[BATCH_BLOCKS];
	block data[BATCH_BLOCKS];
};

struct state {
	EVP_CIPHER_CTX *enc, *dec; /* the key's first half */
	EVP_CIPHER_CTX *tweak;	   /* its second */
	struct work *work;
};

static void free_state(void *arg)
{
	struct state *s = arg;

	if (!s)
		return;
	/* These cleanse what they free, and accept NULL. */
	EVP_CIPHER_CTX_free(s->enc);
	EVP_CIPHER_CTX_free(s->dec);
	EVP_CIPHER_CTX_free(s->tweak);
	OPENSSL_clear_free(s->work, sizeof(*s->work));
	free(s);
}

/*
 * Whether this is the faster way.  Without instructions for AES, OpenSSL has
 * code that computes many blocks at once for XTS, but none for ECB.
 */
static bool is_best(uint32_t sector_size)
{
#if defined(__x86_64__)
	return sector_size <= MAX_SECTOR_SIZE && __builtin_cpu_supports("aes");
#else
	return sector_size <= MAX_SECTOR_SIZE &&
	       __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
#endif
}

static struct state *new_state(void)
{
	struct state *s = calloc(1, sizeof(*s));

	if (s)
		s->work = OPENSSL_malloc(sizeof(*s->work));
	if (s && !s->work) {
		free(s);
		s = NULL;
	}
	return s;
}

static int create(const uint8_t *key, size_t key_bytes, uint32_t sector_size,
		  void **ret)
{
	const char *name = key_bytes == 64 ? "AES-256-ECB" : "AES-128-ECB";
	struct state *s;
	int err;

	if (!is_best(sector_size))
		return -ENOTSUP;
	s = new_state();
	if (!s)
		return -ENOMEM;
	err = evp_ctx_new(name, key, true, &s->enc);
	if (!err)
		err = evp_ctx_new(name, key, false, &s->dec);
	if (!err)
		err = evp_ctx_new(name, key + key_bytes / 2, true, &s->tweak);
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
	struct state *s = new_state();

	if (s) {
		s->enc = evp_ctx_dup(from->enc);
		s->dec = evp_ctx_dup(from->dec);
		s->tweak = evp_ctx_dup(from->tweak);
	}
	if (!s || !s->enc || !s->dec || !s->tweak) {
		free_state(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

/* Times x in GF(2^128): shifted by one, with x^128 = x^7 + x^2 + x + 1. */
static inline block times_x(block b)
{
	const words polynomial = { 0x87, 0, 1, 0 };
	/* To each half's lowest word what the other half's highest bit says. */
	words top = __builtin_shufflevector((words)b, (words)b, 3, 0, 1, 0);

	return (b + b) ^ (block)((top >> 31) & polynomial);
}

/* Also turns @mask into the next block's. */
static inline void mask_block(struct work *w, unsigned at, const any_block *src,
			      block *mask)
{
	w->mask[at] = *mask;
	w->data[at] = src[at] ^ *mask;
	*mask = times_x(*mask);
}

/*
 * Each block's mask waits for the one before it, so two sectors side by side
 * take little longer than one.
 */
static void mask_two(struct work *w, unsigned sector, const any_block *src,
		     unsigned sector_blocks)
{
	block one = w->tweaks[sector], two = w->tweaks[sector + 1];
	unsigned at = sector * sector_blocks, i;

	for (i = 0; i < sector_blocks; i++, at++) {
		mask_block(w, at, src, &one);
		mask_block(w, at + sector_blocks, src, &two);
	}
}

static void mask_one(struct work *w, unsigned sector, const any_block *src,
		     unsigned sector_blocks)
{
	block mask = w->tweaks[sector];
	unsigned at = sector * sector_blocks, i;

	for (i = 0; i < sector_blocks; i++, at++)
		mask_block(w, at, src, &mask);
}

static void mask_batch(struct work *w, unsigned sectors, const any_block *src,
		       unsigned sector_blocks)
{
	unsigned i;

	for (i = 0; i + 1 < sectors; i += 2)
		mask_two(w, i, src, sector_blocks);
	if (i < sectors)
		mask_one(w, i, src, sector_blocks);
}

static void unmask_batch(const struct work *w, any_block *dst, unsigned blocks)
{
	unsigned i;

	for (i = 0; i < blocks; i++)
		dst[i] = w->data[i] ^ w->mask[i];
}

/* In place. */
static int ecb(EVP_CIPHER_CTX *ctx, void *blocks, unsigned nr)
{
	int len = (int)(nr * BLOCK_BYTES), n;

	return EVP_CipherUpdate(ctx, blocks, &n, blocks, len) && n == len
		       ? 0
		       : -EIO;
}

static int run_batch(const struct state *s, const struct xts_run *r, size_t at,
		     unsigned sectors)
{
	uint64_t number = r->sector + at / XTS_IV_UNIT;
	unsigned sector_blocks = r->sector_size / BLOCK_BYTES, i;
	struct work *w = s->work;
	int err;

	for (i = 0; i < sectors; i++) {
		w->tweaks[i] = (block){ number & r->iv_mask };
		number += r->sector_size / XTS_IV_UNIT;
	}
	err = ecb(s->tweak, w->tweaks, sectors);
	if (err)
		return err;
	mask_batch(w, sectors, (const any_block *)(r->src + at), sector_blocks);
	err = ecb(r->encrypt ? s->enc : s->dec, w->data,
		  sectors * sector_blocks);
	if (err)
		return err;
	unmask_batch(w, (any_block *)(r->dst + at), sectors * sector_blocks);
	return 0;
}

static int run(void *arg, const struct xts_run *r)
{
	size_t at, len;
	int err = 0;

	for (at = 0; at < r->len && !err; at += len) {
		len = r->len - at < BATCH_BYTES ? r->len - at : BATCH_BYTES;
		err = run_batch(arg, r, at, (unsigned)(len / r->sector_size));
	}
	return err;
}

const struct xts_impl xts_batch = {
	.name = "OpenSSL",
	.create = create,
	.dup = dup_state,
	.free = free_state,
	.run = run,
};
