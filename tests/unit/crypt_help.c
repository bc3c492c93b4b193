/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The cipher device in a rig, and its reference: see crypt_help.h. */
#include <check.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "backend/mem.h"
#include "lib/guard.h"
#include "lib/why.h"
#include "tests/unit/crypt_help.h"

void crypt_rig_open(struct crypt_rig *r, const struct cryptdev_params *params,
		    uint64_t size, unsigned depth, bool deferred)
{
	struct mem_blk_options opt = { .deferred = deferred };
	struct why why = { "" };
	struct blk_dev *dev;

	memset(r, 0, sizeof(*r));
	fill_bytes(r->key, sizeof(r->key), 99);
	r->params = *params;
	r->params.key = r->key;
	r->params.key_bytes = params->key_bytes ?: 64;
	r->params.data_offset = RIG_OFFSET;
	r->params.data_size = size;
	ck_assert_int_eq(guard_install(), 0);
	ck_assert_int_eq(mem_blk_new((RIG_OFFSET + size) / 512, &opt, &r->mem),
			 0);
	r->data = mem_blk_data(r->mem) + RIG_OFFSET;
	ck_assert_int_eq(fault_blk_new(r->mem, &r->fault), 0);
	ck_assert_msg(!cryptdev_new(&r->fault->base, &r->params, &dev, &why),
		      "%s", why.text);
	rig_open(&r->blk, dev, depth);
}

void crypt_rig_close(struct crypt_rig *r)
{
	rig_close(&r->blk);
}

static void ref_sector(const struct cryptdev_params *p, bool encrypt,
		       uint64_t sector, uint8_t *dst, const uint8_t *src)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t iv[16] = { 0 };
	int n, i;

	if (p->iv == XTS_IV_PLAIN)
		sector &= 0xffffffff;
	for (i = 0; i < 8; i++)
		iv[i] = (uint8_t)(sector >> (8 * i));
	ck_assert(EVP_CipherInit_ex(
		ctx, p->key_bytes == 64 ? EVP_aes_256_xts() : EVP_aes_128_xts(),
		NULL, p->key, iv, encrypt));
	ck_assert(EVP_CipherUpdate(ctx, dst, &n, src, (int)p->sector_size));
	ck_assert_int_eq(n, (int)p->sector_size);
	EVP_CIPHER_CTX_free(ctx);
}

void ref_crypt(const struct cryptdev_params *p, bool encrypt, uint64_t sector,
	       void *dst, const void *src, size_t len)
{
	size_t at;

	for (at = 0; at < len; at += p->sector_size)
		ref_sector(p, encrypt, sector + at / 512, (uint8_t *)dst + at,
			   (const uint8_t *)src + at);
}

void assert_stored(const struct crypt_rig *r, uint64_t sector,
		   const void *plain, size_t len)
{
	uint8_t *want = malloc(len);

	ref_crypt(&r->params, true, sector, want, plain, len);
	ck_assert_msg(!memcmp(r->data + sector * 512, want, len),
		      "sector %llu, %zu bytes", (unsigned long long)sector,
		      len);
	free(want);
}
