/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Secret memory: locked or refused, shared with children, wiped. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/endian.h"
#include "lib/secmem.h"

START_TEST(test_alloc)
{
	unsigned char *p;
	size_t i;

	ck_assert_int_eq(secmem_alloc(5000, (void **)&p), 0);
	ck_assert_uint_eq((uintptr_t)p % 4096, 0);
	for (i = 0; i < 8192; i++)
		ck_assert_uint_eq(p[i], 0);
	memset(p, 1, 8192);
	secmem_free(p, 5000);
	secmem_free(NULL, 5000);
}
END_TEST

/* Bytes of this process that cannot be swapped, in KiB. */
static unsigned long locked_kb(void)
{
	unsigned long kb = 0, n;
	char line[256];
	FILE *f = fopen("/proc/self/smaps_rollup", "re");

	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Locked: %lu", &n) == 1)
			kb = n;
	fclose(f);
	return kb;
}

START_TEST(test_locked)
{
	void *p;

	ck_assert_uint_eq(locked_kb(), 0);
	ck_assert_int_eq(secmem_alloc(4096, &p), 0);
	memset(p, 1, 4096);
	/* Secret pages are shown as locked, too. */
	ck_assert_uint_eq(locked_kb(), 4);
	secmem_free(p, 4096);
	ck_assert_uint_eq(locked_kb(), 0);
}
END_TEST

START_TEST(test_shared_and_wiped)
{
	int to_child[2], to_parent[2], status;
	char *p, c;
	pid_t pid;

	ck_assert_int_eq(pipe2(to_child, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(to_parent, O_CLOEXEC), 0);
	ck_assert_int_eq(secmem_alloc(100, (void **)&p), 0);
	strcpy(p, "secret");
	pid = fork();
	if (!pid) {
		if (secmem_relock(p, 100) || strcmp(p, "secret"))
			_exit(1);
		p[99] = 'c';
		if (write(to_parent[1], "x", 1) != 1 ||
		    read(to_child[0], &c, 1) != 1)
			_exit(2);
		/* The parent has freed it. */
		_exit(p[0] || p[5] || p[99] ? 3 : 0);
	}
	ck_assert_int_eq(read(to_parent[0], &c, 1), 1);
	ck_assert_int_eq(p[99], 'c');
	secmem_free(p, 100);
	ck_assert_int_eq(write(to_child[1], "x", 1), 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* Without CAP_IPC_LOCK the limit holds, and nothing unlocked comes out. */
START_TEST(test_limit)
{
	const struct rlimit none = { 0, 0 };
	void *p = &p, *untouched = p;

	ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &none), 0);
	if (!geteuid())
		ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	ck_assert_int_eq(secmem_alloc(4096, &p), -ENOMEM);
	ck_assert_ptr_eq(p, untouched);
}
END_TEST

START_TEST(test_too_much)
{
	void *p = NULL;

	ck_assert_int_eq(secmem_alloc((size_t)1 << 60, &p), -ENOMEM);
	ck_assert_ptr_null(p);
}
END_TEST

START_TEST(test_protect)
{
	struct rlimit core;

	ck_assert_int_eq(secmem_protect_process(), 0);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
	ck_assert_uint_eq(core.rlim_cur, 0);
	ck_assert_uint_eq(core.rlim_max, 0);
}
END_TEST

START_TEST(test_endian)
{
	static const unsigned char bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	le16 l16 = le16_put(0x0201);
	le32 l32 = le32_put(0x04030201);
	le64 l64 = le64_put(0x0807060504030201);
	be16 b16;
	be64 b64;

	ck_assert_mem_eq(&l16, bytes, 2);
	ck_assert_mem_eq(&l32, bytes, 4);
	ck_assert_mem_eq(&l64, bytes, 8);
	ck_assert_uint_eq(le16_get(l16), 0x0201);
	ck_assert_uint_eq(le32_get(l32), 0x04030201);
	ck_assert_uint_eq(le64_get(l64), 0x0807060504030201);
	memcpy(&b16, bytes, 2);
	memcpy(&b64, bytes, 8);
	ck_assert_uint_eq(be16_get(b16), 0x0102);
	ck_assert_uint_eq(be64_get(b64), 0x0102030405060708);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("secmem");
	TCase *tc = tcase_create("secmem");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_alloc);
	tcase_add_test(tc, test_locked);
	tcase_add_test(tc, test_shared_and_wiped);
	tcase_add_test(tc, test_limit);
	tcase_add_test(tc, test_too_much);
	tcase_add_test(tc, test_protect);
	suite_add_tcase(s, tc);
	tc = tcase_create("endian");
	tcase_add_test(tc, test_endian);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
