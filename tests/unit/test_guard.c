/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Guarded access: missing pages become -EFAULT, guards nest. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/guard.h"

static char *truncated_mapping(void)
{
	int fd = memfd_create("t", MFD_CLOEXEC);
	char *p;

	ck_assert_int_eq(ftruncate(fd, 8192), 0);
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(p, MAP_FAILED);
	ck_assert_int_eq(ftruncate(fd, 4096), 0);
	close(fd);
	return p;
}

static void touch(void *p)
{
	*(volatile char *)p = 1;
}

static void touch_nested(void *p)
{
	ck_assert_int_eq(guard_run(touch, p), -EFAULT);
	touch(p);
}

START_TEST(test_fault_is_reported)
{
	char *p = truncated_mapping();

	ck_assert_int_eq(guard_install(), 0);
	ck_assert_int_eq(guard_run(touch, p), 0);
	ck_assert_int_eq(guard_run(touch, p + 4096), -EFAULT);
	/* The signal is not left blocked. */
	ck_assert_int_eq(guard_run(touch, p + 4096), -EFAULT);
	munmap(p, 8192);
}
END_TEST

START_TEST(test_guards_nest)
{
	char *p = truncated_mapping();

	ck_assert_int_eq(guard_install(), 0);
	ck_assert_int_eq(guard_run(touch_nested, p + 4096), -EFAULT);
	munmap(p, 8192);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("guard");
	TCase *tc = tcase_create("guard");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_fault_is_reported);
	tcase_add_test(tc, test_guards_nest);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
