/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The benchmark: that it measures something, and refuses what cannot be. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "crypt/benchmark.h"
#include "crypt/luks_pbkdf.h"
#include "lib/why.h"

static struct why why;

START_TEST(test_cipher)
{
	struct benchmark_rates rates = { 0 };

	ck_assert_int_eq(benchmark_cipher(64, 4096, 10, &rates, &why), 0);
	ck_assert_uint_gt(rates.encrypt, 0);
	ck_assert_uint_gt(rates.decrypt, 0);
	/* No time at all is long enough for one pass. */
	rates = (struct benchmark_rates){ 0 };
	ck_assert_int_eq(benchmark_cipher(32, 512, 0, &rates, &why), 0);
	ck_assert_uint_gt(rates.decrypt, 0);
}
END_TEST

START_TEST(test_cipher_refused)
{
	struct benchmark_rates rates = { 1, 2 };

	ck_assert_int_eq(benchmark_cipher(64, 1000, 10, &rates, &why), -EINVAL);
	ck_assert_int_eq(benchmark_cipher(48, 512, 10, &rates, &why), -EINVAL);
	ck_assert_uint_eq(rates.encrypt, 1);
	ck_assert_uint_eq(rates.decrypt, 2);
}
END_TEST

START_TEST(test_pbkdf2_refused)
{
	uint32_t rate = 1;

	ck_assert_int_lt(benchmark_pbkdf2("nonsense", &rate, &why), 0);
	ck_assert_uint_eq(rate, 1);
	ck_assert_str_ne(why.text, "");
}
END_TEST

START_TEST(test_argon2)
{
	struct luks_pbkdf kdf = {
		.type = "argon2id",
		.memory_kib = 1024,
		.threads = 1,
		.time_ms = 20,
	};

	ck_assert_int_eq(benchmark_argon2(&kdf, &why), 0);
	ck_assert_uint_ge(kdf.iterations, 4);
	ck_assert_uint_le(kdf.memory_kib, 1024);
	ck_assert_uint_eq(kdf.threads, 1);
	kdf.type = "argon3";
	ck_assert_int_lt(benchmark_argon2(&kdf, &why), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("benchmark");
	TCase *tc = tcase_create("benchmark");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_cipher);
	tcase_add_test(tc, test_cipher_refused);
	tcase_add_test(tc, test_pbkdf2_refused);
	tcase_add_test(tc, test_argon2);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
