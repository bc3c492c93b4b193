/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What libcryptsetup allocates is locked, or it is not let near a key.  Every
 * test is a process.  The sanitizers have heaps of their own: only the
 * refusals are tested with them.
 */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypt/arena.h"
#include "crypt/luks_memory.h"
#include "lib/why.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* Whether the region of memory with @p is. */
static bool is_locked(const void *p)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	uintptr_t start, end, at = (uintptr_t)p;
	bool inside = false, locked = false;
	char line[512];

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &start, &end) ==
		    2)
			inside = at >= start && at < end;
		else if (inside && !strncmp(line, "VmFlags:", 8))
			locked = strstr(line, " lo ");
	}
	fclose(f);
	return locked;
}

/* As a user with the limit that is usual. */
static void become_user(rlim_t limit)
{
	const struct rlimit lim = { limit, limit };

	ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &lim), 0);
	if (!getuid())
		ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
}

static void fill_heap(void)
{
	char *p[32];
	unsigned i;

	for (i = 0; i < 32; i++) {
		p[i] = malloc(i % 4 ? 200 : 260000);
		memset(p[i], 1, i % 4 ? 200 : 260000);
		ck_assert(is_locked(p[i]));
		ck_assert_int_eq(munlock(p[i], 200), 0);
		ck_assert(is_locked(p[i]));
		if (i % 8 == 7)
			free(p[i - 3]);
	}
}

START_TEST(test_user)
{
	struct why why = { "" };
	char *p;

	become_user(8U << 20);
	ck_assert_int_eq(luks_memory_check(&why), 0);
	ck_assert_msg(!luks_memory_prepare(&why), "%s", why.text);
	ck_assert_int_eq(luks_memory_prepare(&why), 0);
	p = OPENSSL_malloc(10);
	ck_assert(arena_has(p));
	ck_assert_msg(!luks_memory_lock(&why), "%s", why.text);
	if (SANITIZED)
		return;
	fill_heap();
}
END_TEST

/* Whoever may lock all does so, and for what comes when he is root no more. */
START_TEST(test_root)
{
	struct why why = { "" };
	struct rlimit lim;
	void *p;

	if (getuid() || SANITIZED)
		return;
	ck_assert_msg(!luks_memory_prepare(&why), "%s", why.text);
	ck_assert_int_eq(getrlimit(RLIMIT_MEMLOCK, &lim), 0);
	/* Root of a container may not raise it. */
	if (lim.rlim_cur != RLIM_INFINITY)
		return;
	ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	ck_assert_msg(!luks_memory_lock(&why), "%s", why.text);
	fill_heap();
	p = malloc(64 << 20);
	ck_assert_ptr_nonnull(p);
	memset(p, 1, 64 << 20);
	ck_assert(is_locked(p));
}
END_TEST

START_TEST(test_refused)
{
	struct why why = { "" };

	become_user(65536);
	ck_assert_int_eq(luks_memory_check(&why), -ENOMEM);
	ck_assert_int_eq(luks_memory_prepare(&why), -ENOMEM);
	ck_assert_ptr_nonnull(strstr(why.text, "ulimit -l"));
	if (SANITIZED)
		return;
	ck_assert_int_eq(luks_memory_lock(&why), -ENOMEM);
	ck_assert_ptr_nonnull(strstr(why.text, "ulimit -l"));
}
END_TEST

/* What OpenSSL has on the heap already is locked with it. */
START_TEST(test_late)
{
	struct why why = { "" };
	void *p = OPENSSL_malloc(10);

	become_user(8U << 20);
	ck_assert_msg(!luks_memory_prepare(&why), "%s", why.text);
	ck_assert_msg(!luks_memory_lock(&why), "%s", why.text);
	ck_assert(SANITIZED || is_locked(p));
	OPENSSL_free(p);
}
END_TEST

/* The child of a process with an arena has one of its own. */
START_TEST(test_child)
{
	int status;
	char *p;
	pid_t pid;

	ck_assert_int_eq(luks_memory_prepare(NULL), 0);
	p = OPENSSL_strdup("the parent's");
	pid = fork();
	if (!pid) {
		if (luks_memory_prepare(NULL) || strcmp(p, "the parent's"))
			_exit(1);
		strcpy(p, "the child's");
		if (!arena_has(OPENSSL_malloc(100)))
			_exit(2);
		OPENSSL_free(p);
		_exit(SANITIZED || is_locked(p) ? 0 : 3);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(p, "the parent's");
	OPENSSL_free(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("luks_memory");
	TCase *tc = tcase_create("luks_memory");
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_set_fork_status(sr, CK_FORK);
	tcase_add_test(tc, test_user);
	tcase_add_test(tc, test_root);
	tcase_add_test(tc, test_refused);
	tcase_add_test(tc, test_late);
	tcase_add_test(tc, test_child);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
