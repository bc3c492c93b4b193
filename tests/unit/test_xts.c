/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The sector cipher: published vectors, IVs of all kinds, keys refused. */
#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypt/xts.h"
#include "lib/why.h"
#include "tests/unit/vectors/xts.h"

#define MAX_UNIT 512

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

static void check_vector(const struct xts_vector *v)
{
	uint8_t key[64], iv[16], plain[MAX_UNIT], cipher[MAX_UNIT];
	uint8_t out[MAX_UNIT];
	struct xts_params p = { key, 0, 512, XTS_IV_PLAIN64 };
	struct why why = { "" };
	struct xts *x, *dup;
	size_t len;

	p.key_bytes = unhex(v->key, key, sizeof(key));
	unhex(v->tweak, iv, sizeof(iv));
	len = unhex(v->plain, plain, MAX_UNIT);
	ck_assert_uint_eq(unhex(v->cipher, cipher, MAX_UNIT), len);
	if (!memcmp(key, key + p.key_bytes / 2, p.key_bytes / 2)) {
		ck_assert_int_eq(xts_new(&p, &x, &why), -EINVAL);
		return;
	}
	ck_assert_msg(!xts_new(&p, &x, &why), "%s: %s", v->name, why.text);
	ck_assert_int_eq(xts_dup(x, &dup), 0);
	ck_assert_int_eq(xts_encrypt_unit(x, iv, out, plain, len), 0);
	ck_assert_msg(!memcmp(out, cipher, len), "%s: encrypt", v->name);
	xts_free(x);
	ck_assert_int_eq(xts_encrypt_unit(dup, iv, out, plain, len), 0);
	ck_assert_msg(!memcmp(out, cipher, len), "%s: copy", v->name);
	ck_assert_int_eq(xts_decrypt_unit(dup, iv, out, out, len), 0);
	ck_assert_msg(!memcmp(out, plain, len), "%s: decrypt", v->name);
	xts_free(dup);
}

START_TEST(test_vectors)
{
	size_t n = sizeof(xts_vectors) / sizeof(*xts_vectors), i;

	ck_assert_uint_ge(n, 38);
	for (i = 0; i < n; i++)
		check_vector(&xts_vectors[i]);
}
END_TEST

/* The 512-byte units of IEEE 1619, through the sector interface. */
START_TEST(test_vectors_as_sectors)
{
	size_t n = sizeof(xts_vectors) / sizeof(*xts_vectors), i, done = 0;
	uint8_t key[64], iv[16], plain[512], cipher[512], out[512];

	for (i = 0; i < n; i++) {
		const struct xts_vector *v = &xts_vectors[i];
		struct xts_params p = { key, 0, 512, XTS_IV_PLAIN };
		struct xts *x;

		if (strlen(v->plain) != 1024)
			continue;
		p.key_bytes = unhex(v->key, key, sizeof(key));
		unhex(v->tweak, iv, sizeof(iv));
		unhex(v->plain, plain, 512);
		unhex(v->cipher, cipher, 512);
		ck_assert_int_eq(xts_new(&p, &x, NULL), 0);
		ck_assert_int_eq(xts_encrypt(x, iv[0], out, plain, 512), 0);
		ck_assert_mem_eq(out, cipher, 512);
		ck_assert_int_eq(xts_decrypt(x, iv[0], out, cipher, 512), 0);
		ck_assert_mem_eq(out, plain, 512);
		xts_free(x);
		done++;
	}
	ck_assert_uint_eq(done, 3);
}
END_TEST

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
	{ 512,
	  XTS_IV_PLAIN64,
	  0x123456789abcdeull,
	  { { 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12 },
	    { 0xdf, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12 } } },
};

START_TEST(test_ivs)
{
	static uint8_t plain[2 * 4096], got[2 * 4096], want[2 * 4096];
	const struct iv_row *r = &iv_rows[_i];
	uint32_t size = r->sector_size;
	struct xts *x = make(64, size, r->iv);
	unsigned i;

	for (i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 7 + i / 256);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(xts_encrypt_unit(x, r->want[i],
						  want + i * size,
						  plain + i * size, size),
				 0);
	ck_assert_int_eq(xts_encrypt(x, r->sector, got, plain, 2 * size), 0);
	ck_assert_mem_eq(got, want, 2 * size);
	ck_assert_int_eq(xts_decrypt(x, r->sector, got, got, 2 * size), 0);
	ck_assert_mem_eq(got, plain, 2 * size);
	xts_free(x);
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

	for (i = 0; i < sizeof(key64); i++)
		key64[i] = (uint8_t)(i * 11 + 3);
	tcase_add_test(tc, test_vectors);
	tcase_add_test(tc, test_vectors_as_sectors);
	tcase_add_loop_test(tc, test_ivs, 0,
			    sizeof(iv_rows) / sizeof(*iv_rows));
	tcase_add_loop_test(tc, test_refused, 0,
			    sizeof(refused_rows) / sizeof(*refused_rows));
	tcase_add_test(tc, test_free_null);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
