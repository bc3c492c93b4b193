/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The sector cipher: published vectors, OpenSSL's own XTS, keys refused. */
#include <check.h>
#include <endian.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypt/xts.h"
#include "lib/why.h"
#include "tests/unit/vectors/xts.h"

#define MAX_SECTOR 4096
#define MAX_RUN	   (3 * 4096) /* a few sectors, or many short ones */

static const uint32_t sector_sizes[] = { 512, 1024, 2048, 4096 };

#define NR_SIZES (sizeof(sector_sizes) / sizeof(*sector_sizes))

static uint8_t key64[64];

static size_t unhex(const char *hex, uint8_t *out, size_t max)
{
	size_t n = strlen(hex) / 2, i;
	unsigned v;

	ck_assert_uint_le(n, max);
	for (i = 0; i < n; i++) {
		ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &v), 1);
		out[i] = (uint8_t)v;
	}
	return n;
}

static struct xts *make(size_t key_bytes, uint32_t sector_size, enum xts_iv iv)
{
	struct xts_params p = { key64, key_bytes, sector_size, iv };
	struct why why = { "" };
	struct xts *x = NULL;

	ck_assert_msg(!xts_new(&p, &x, &why), "%s", why.text);
	return x;
}

/*
 * A vector is the beginning of a sector of any size: without stealing, a block
 * does not depend on those behind it.
 */
static void check_vector(const struct xts_vector *v, uint32_t sector_size)
{
	uint8_t key[64], iv[16], plain[MAX_SECTOR] = { 0 };
	uint8_t cipher[MAX_SECTOR], out[MAX_SECTOR];
	struct xts_params p = { key, 0, sector_size, XTS_IV_PLAIN64 };
	struct why why = { "" };
	struct xts *x, *dup;
	size_t len;

	p.key_bytes = unhex(v->key, key, sizeof(key));
	ck_assert_uint_eq(unhex(v->tweak, iv, sizeof(iv)), sizeof(iv));
	memcpy(&p.first_sector, iv, sizeof(p.first_sector));
	p.first_sector = le64toh(p.first_sector);
	len = unhex(v->plain, plain, MAX_SECTOR);
	ck_assert_uint_eq(unhex(v->cipher, cipher, MAX_SECTOR), len);
	if (!memcmp(key, key + p.key_bytes / 2, p.key_bytes / 2)) {
		ck_assert_int_eq(xts_new(&p, &x, &why), -EINVAL);
		return;
	}
	ck_assert_msg(!xts_new(&p, &x, &why), "%s: %s", v->name, why.text);
	ck_assert_int_eq(xts_dup(x, &dup), 0);
	ck_assert_int_eq(xts_encrypt(x, 0, out, plain, sector_size), 0);
	ck_assert_msg(!memcmp(out, cipher, len), "%s: encrypt", v->name);
	xts_free(x);
	ck_assert_int_eq(xts_encrypt(dup, 0, out, plain, sector_size), 0);
	ck_assert_msg(!memcmp(out, cipher, len), "%s: copy", v->name);
	ck_assert_int_eq(xts_decrypt(dup, 0, out, out, sector_size), 0);
	ck_assert_msg(!memcmp(out, plain, sector_size), "%s: decrypt", v->name);
	xts_free(dup);
}

START_TEST(test_vectors)
{
	size_t n = sizeof(xts_vectors) / sizeof(*xts_vectors), i;

	ck_assert_uint_ge(n, 22);
	for (i = 0; i < n; i++)
		check_vector(&xts_vectors[i], sector_sizes[_i]);
}
END_TEST

/* OpenSSL's own XTS, a sector at a time, with the IV spelled out. */
static void reference(EVP_CIPHER_CTX *ctx, const uint8_t iv[16], uint8_t *buf,
		      uint32_t len)
{
	int n;

	ck_assert_int_eq(EVP_CipherInit_ex(ctx, NULL, NULL, NULL, iv, -1), 1);
	ck_assert_int_eq(EVP_CipherUpdate(ctx, buf, &n, buf, (int)len), 1);
}

static EVP_CIPHER_CTX *reference_new(size_t key_bytes)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const EVP_CIPHER *cipher = key_bytes == 64 ? EVP_aes_256_xts()
						   : EVP_aes_128_xts();

	ck_assert_ptr_nonnull(ctx);
	ck_assert_int_eq(EVP_EncryptInit_ex(ctx, cipher, NULL, key64, NULL), 1);
	return ctx;
}

static const struct iv_row {
	uint32_t sector_size;
	enum xts_iv iv;
	uint64_t sector;
	uint8_t want[2][16]; /* the IVs of two sectors that follow */
} iv_rows[] = {
	{ 512, XTS_IV_PLAIN64, 0, { { 0 }, { 1 } } },
	{ 4096, XTS_IV_PLAIN64, 8, { { 8 }, { 16 } } },
	{ 2048, XTS_IV_PLAIN64, 0xfc, { { 0xfc }, { 0, 1 } } },
	{ 1024,
	  XTS_IV_PLAIN64,
	  0xfffffffe,
	  { { 0xfe, 0xff, 0xff, 0xff }, { 0, 0, 0, 0, 1 } } },
	{ 1024,
	  XTS_IV_PLAIN,
	  0xfffffffe,
	  { { 0xfe, 0xff, 0xff, 0xff }, { 0 } } },
	{ 4096,
	  XTS_IV_PLAIN,
	  0xfffffff8,
	  { { 0xf8, 0xff, 0xff, 0xff }, { 0 } } },
	{ 512,
	  XTS_IV_PLAIN64,
	  0x123456789abcdeull,
	  { { 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12 },
	    { 0xdf, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12 } } },
};

static void fill(uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7 + i / 256);
}

START_TEST(test_ivs)
{
	static uint8_t plain[2 * 4096], got[2 * 4096], want[2 * 4096];
	const struct iv_row *r = &iv_rows[_i];
	uint32_t size = r->sector_size;
	struct xts *x = make(64, size, r->iv);
	EVP_CIPHER_CTX *ref = reference_new(64);
	unsigned i;

	fill(plain, sizeof(plain));
	memcpy(want, plain, sizeof(want));
	for (i = 0; i < 2; i++)
		reference(ref, r->want[i], want + i * size, size);
	ck_assert_int_eq(xts_encrypt(x, r->sector, got, plain, 2 * size), 0);
	ck_assert_mem_eq(got, want, 2 * size);
	ck_assert_int_eq(xts_decrypt(x, r->sector, got, got, 2 * size), 0);
	ck_assert_mem_eq(got, plain, 2 * size);
	EVP_CIPHER_CTX_free(ref);
	xts_free(x);
}
END_TEST

/* At any address, in place or apart, and no byte beyond @nr sectors. */
static void check_run(struct xts *x, const uint8_t *want, uint32_t sector_size,
		      unsigned nr, unsigned offset)
{
	static uint8_t plain[MAX_RUN + 64], got[MAX_RUN + 64];
	size_t len = (size_t)nr * sector_size;

	fill(plain + offset, MAX_RUN);
	memset(got, 0xee, sizeof(got));
	ck_assert_int_eq(xts_encrypt(x, 5, got, plain + offset, len), 0);
	ck_assert_mem_eq(got, want, len);
	ck_assert_uint_eq(got[len], 0xee);
	ck_assert_int_eq(xts_decrypt(x, 5, got, got, len), 0);
	ck_assert_mem_eq(got, plain + offset, len);
	ck_assert_int_eq(xts_encrypt(x, 5, plain + offset, got, len), 0);
	ck_assert_mem_eq(plain + offset, want, len);
}

START_TEST(test_runs)
{
	static uint8_t want[MAX_RUN];
	uint32_t size = sector_sizes[_i], key_bytes, sector;
	uint8_t iv[16] = { 0 };
	EVP_CIPHER_CTX *ref;
	unsigned nr, offset;
	struct xts *x;

	for (key_bytes = 32; key_bytes <= 64; key_bytes += 32) {
		ref = reference_new(key_bytes);
		x = make(key_bytes, size, XTS_IV_PLAIN64);
		fill(want, sizeof(want));
		for (sector = 0; sector < MAX_RUN / size; sector++) {
			iv[0] = (uint8_t)(5 + sector * (size / 512));
			reference(ref, iv, want + sector * size, size);
		}
		for (nr = 0; nr <= MAX_RUN / size; nr++)
			for (offset = 0; offset < 32; offset += 5)
				check_run(x, want, size, nr, offset);
		xts_free(x);
		EVP_CIPHER_CTX_free(ref);
	}
}
END_TEST

static const struct refused_row {
	size_t key_bytes;
	uint32_t sector_size;
	bool equal_halves;
	const char *reason; /* is in the text */
} refused_rows[] = {
	{ 0, 512, false, "volume key" },
	{ 16, 512, false, "128" },
	{ 48, 512, false, "384" },
	{ 65, 512, false, "520" },
	{ 64, 0, false, "sector size 0" },
	{ 64, 256, false, "sector size 256" },
	{ 64, 1536, false, "sector size 1536" },
	{ 64, 8192, false, "sector size 8192" },
	{ 64, 512, true, "halves are equal" },
	{ 32, 512, true, "halves are equal" },
};

START_TEST(test_refused)
{
	const struct refused_row *r = &refused_rows[_i];
	uint8_t key[128];
	struct xts_params p = { key, r->key_bytes, r->sector_size, 0 };
	struct xts *x = (struct xts *)key;
	struct why why = { "" };
	unsigned i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = r->equal_halves ? 0x5a : (uint8_t)i;
	ck_assert_int_eq(xts_new(&p, &x, &why), -EINVAL);
	ck_assert_ptr_eq(x, key);
	ck_assert_msg(strstr(why.text, r->reason), "%s", why.text);
}
END_TEST

static long allocations_left = -1; /* none: no limit */

static void *scarce_malloc(size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	if (!allocations_left)
		return NULL;
	if (allocations_left > 0)
		allocations_left--;
	return malloc(len);
}

static void *scarce_realloc(void *p, size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	return realloc(p, len);
}

static void scarce_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* Each allocation of OpenSSL's in turn is the first that fails. */
START_TEST(test_out_of_memory)
{
	struct xts_params p = { key64, 64, sector_sizes[_i], XTS_IV_PLAIN64 };
	struct xts *x = make(64, sector_sizes[_i], XTS_IV_PLAIN64), *more;
	unsigned new_failed = 0, dup_failed = 0;
	struct why why = { "" };
	int err = -1;
	long n;

	for (n = 0; err; n++) {
		allocations_left = n;
		err = xts_new(&p, &more, &why);
		allocations_left = -1;
		if (err) {
			ck_assert_msg(err == -ENOMEM || err == -ENOTSUP,
				      "%d: %s", err, why.text);
			new_failed++;
		} else {
			xts_free(more);
		}
	}
	for (n = 0, err = -1; err; n++) {
		allocations_left = n;
		err = xts_dup(x, &more);
		allocations_left = -1;
		if (err)
			ck_assert_int_eq(err, -ENOMEM);
		dup_failed += !!err;
	}
	xts_free(more);
	ck_assert_uint_gt(new_failed, 3);
	ck_assert_uint_gt(dup_failed, 3);
	xts_free(x);
}
END_TEST

START_TEST(test_free_null)
{
	xts_free(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("xts");
	TCase *tc = tcase_create("xts");
	SRunner *sr = srunner_create(s);
	int failed;
	unsigned i;

	if (!CRYPTO_set_mem_functions(scarce_malloc, scarce_realloc,
				      scarce_free))
		return EXIT_FAILURE;
	for (i = 0; i < sizeof(key64); i++)
		key64[i] = (uint8_t)(i * 11 + 3);
	tcase_add_loop_test(tc, test_vectors, 0, NR_SIZES);
	tcase_add_loop_test(tc, test_runs, 0, NR_SIZES);
	tcase_add_loop_test(tc, test_ivs, 0,
			    sizeof(iv_rows) / sizeof(*iv_rows));
	tcase_add_loop_test(tc, test_refused, 0,
			    sizeof(refused_rows) / sizeof(*refused_rows));
	tcase_add_loop_test(tc, test_out_of_memory, 0, NR_SIZES);
	tcase_add_test(tc, test_free_null);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
