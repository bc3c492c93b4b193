/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * OpenSSL in secret memory: the key is there and nowhere after, the cipher
 * works and allocates nothing, refusals are told.  Every test is a process.
 */
#include <check.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypt/arena.h"
#include "crypt/xts.h"
#include "lib/why.h"
#include "tests/unit/blk_help.h"

#define NR_THREADS 4

static uint8_t key[64];
static const struct xts_params params = { key, 64, 4096, XTS_IV_PLAIN64 };

START_TEST(test_key_is_wiped)
{
	struct why why = { "" };
	struct xts *x, *copy;

	ck_assert_msg(!arena_install(&why), "%s", why.text);
	fill_bytes(key, sizeof(key), 7);
	ck_assert_int_eq(xts_new(&params, &x, NULL), 0);
	ck_assert_int_eq(xts_dup(x, &copy), 0);
	/* The schedule of AES-256 begins with the key itself. */
	ck_assert(arena_contains_bytes(key, 32));
	ck_assert(arena_contains_bytes(key + 32, 32));
	xts_free(x);
	ck_assert(arena_contains_bytes(key, 32));
	xts_free(copy);
	ck_assert(!arena_contains_bytes(key, 16));
	ck_assert(!arena_contains_bytes(key + 32, 16));
	ck_assert_int_eq(arena_install(NULL), -EBUSY);
}
END_TEST

START_TEST(test_cipher_allocates_nothing)
{
	size_t now[2], ever[2];
	uint8_t plain[8192], buf[8192];
	struct xts *x;
	unsigned i;

	ck_assert_int_eq(arena_install(NULL), 0);
	fill_bytes(key, sizeof(key), 8);
	fill_bytes(plain, sizeof(plain), 9);
	ck_assert_int_eq(xts_new(&params, &x, NULL), 0);
	arena_usage(&now[0], &ever[0]);
	for (i = 0; i < 1000; i++) {
		ck_assert_int_eq(xts_encrypt(x, i, buf, plain, 8192), 0);
		ck_assert_int_eq(xts_decrypt(x, i, buf, buf, 8192), 0);
		ck_assert_mem_eq(buf, plain, 8192);
	}
	arena_usage(&now[1], &ever[1]);
	ck_assert_uint_eq(now[0], now[1]);
	ck_assert_uint_eq(ever[0], ever[1]);
	xts_free(x);
}
END_TEST

/* Opened and closed again and again, it does not grow. */
START_TEST(test_blocks_are_used_again)
{
	size_t now[2], ever[2];
	struct xts *x;
	unsigned i;

	ck_assert_int_eq(arena_install(NULL), 0);
	fill_bytes(key, sizeof(key), 8);
	for (i = 0; i < 1000; i++) {
		ck_assert_int_eq(xts_new(&params, &x, NULL), 0);
		xts_free(x);
		/* The first ones leave something behind in OpenSSL. */
		if (i == 2)
			arena_usage(&now[0], &ever[0]);
	}
	arena_usage(&now[1], &ever[1]);
	ck_assert_uint_eq(now[0], now[1]);
	ck_assert_uint_eq(ever[0], ever[1]);
}
END_TEST

START_TEST(test_allocator)
{
	char *p[80], *q;
	size_t len;
	unsigned i;

	ck_assert_int_eq(arena_install(NULL), 0);
	for (i = 0, len = 1; i < 80; i++, len += len / 3 + 1) {
		p[i] = OPENSSL_malloc(len);
		if (!p[i])
			break;
		ck_assert(arena_has(p[i]));
		ck_assert_uint_eq((uintptr_t)p[i] % 16, 0);
		memset(p[i], (int)i, len);
	}
	/* Full, and nothing of it came from elsewhere. */
	ck_assert_uint_gt(i, 20);
	ck_assert_uint_lt(i, 80);
	while (i--)
		OPENSSL_free(p[i]);
	q = OPENSSL_strdup("secret of mine");
	ck_assert(arena_contains_bytes("secret of mine", 14));
	q = OPENSSL_realloc(q, 5000);
	ck_assert_str_eq(q, "secret of mine");
	OPENSSL_free(q);
	ck_assert(!arena_contains_bytes("secret of mine", 14));
	ck_assert_ptr_null(OPENSSL_malloc(0));
	ck_assert_ptr_null(OPENSSL_malloc((size_t)-1));
	ck_assert_ptr_null(OPENSSL_malloc(1U << 20));
	q = OPENSSL_realloc(NULL, 8);
	ck_assert_ptr_null(OPENSSL_realloc(q, 0));
}
END_TEST

static void *copy_and_free(void *arg)
{
	struct xts *x;
	int i;

	for (i = 0; i < 500; i++) {
		if (xts_dup(arg, &x))
			return arg;
		xts_free(x);
	}
	return NULL;
}

START_TEST(test_threads)
{
	pthread_t t[NR_THREADS];
	struct xts *x;
	void *res;
	int i;

	ck_assert_int_eq(arena_install(NULL), 0);
	fill_bytes(key, sizeof(key), 8);
	ck_assert_int_eq(xts_new(&params, &x, NULL), 0);
	for (i = 0; i < NR_THREADS; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, copy_and_free, x),
				 0);
	for (i = 0; i < NR_THREADS; i++) {
		ck_assert_int_eq(pthread_join(t[i], &res), 0);
		ck_assert_ptr_null(res);
	}
	xts_free(x);
}
END_TEST

/* The status of a child that does nothing. */
static int fork_once(void)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	if (pid > 0)
		waitpid(pid, &status, 0);
	return status;
}

/* However often it is tried, children are as they would have been. */
START_TEST(test_too_late)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	struct why why = { "" };

	ck_assert_int_eq(arena_install(&why), -EBUSY);
	ck_assert_ptr_nonnull(strstr(why.text, "OpenSSL"));
	ck_assert(!arena_has(ctx));
	ck_assert_int_eq(fork_once(), 0);
	ck_assert_int_eq(arena_install(NULL), -EBUSY);
	ck_assert_int_eq(fork_once(), 0);
	ck_assert(!arena_is_installed());
	EVP_CIPHER_CTX_free(ctx);
}
END_TEST

/* Without privileges, and with too little memory to lock for an arena. */
static int take_limit_away(void)
{
	const struct rlimit small = { 65536, 65536 };

	return setrlimit(RLIMIT_MEMLOCK, &small) ||
	       (!getuid() && setresuid(65534, 65534, 65534));
}

/* 0 when the arena is refused as it should be. */
static int install_without_limit(void)
{
	struct why why = { "" };

	if (take_limit_away())
		return 1;
	if (arena_install(&why) != -ENOMEM)
		return 2;
	return strstr(why.text, "ulimit -l") ? 0 : 3;
}

START_TEST(test_limit_too_small)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid)
		_exit(install_without_limit());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* 0 when a child finds what its parent has put where @p in the arena was. */
static int reuse_place(char *p)
{
	char *page = p - (uintptr_t)p % 4096;
	int status = -1;
	pid_t pid;

	if (mmap(page, 4096, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		 0) != page)
		return 1;
	*p = 7;
	pid = fork();
	if (!pid)
		_exit(*p != 7);
	return waitpid(pid, &status, 0) == pid && !status ? 0 : 2;
}

/* A child without a copy dies of OpenSSL only, and may have children. */
START_TEST(test_no_copy_for_child)
{
	char *p;
	int status;
	pid_t pid;

	ck_assert_int_eq(arena_install(NULL), 0);
	p = OPENSSL_malloc(8);
	ck_assert(arena_has(p));
	ck_assert_int_eq(take_limit_away(), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid)
		_exit(reuse_place(p));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	OPENSSL_free(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("arena");
	TCase *tc = tcase_create("arena");
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_set_fork_status(sr, CK_FORK);
	tcase_add_test(tc, test_key_is_wiped);
	tcase_add_test(tc, test_cipher_allocates_nothing);
	tcase_add_test(tc, test_blocks_are_used_again);
	tcase_add_test(tc, test_allocator);
	tcase_add_test(tc, test_threads);
	tcase_add_test(tc, test_too_late);
	tcase_add_test(tc, test_limit_too_small);
	tcase_add_test(tc, test_no_copy_for_child);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
