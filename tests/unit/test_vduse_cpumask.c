/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Lists of CPUs as masks. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vduse/cpumask.h"

static const struct {
	const char *list, *mask;
	int err;
} cases[] = {
	{ "0\n", "1", 0 },
	{ "0", "1", 0 },
	{ "0-1\n", "3", 0 },
	{ "0-3,8\n", "10f", 0 },
	{ "1,3-4,7\n", "9a", 0 },
	{ "31\n", "80000000", 0 },
	/* The kernel takes no more than eight digits without a comma. */
	{ "0-31\n", "ffffffff", 0 },
	{ "32\n", "1,00000000", 0 },
	{ "0-39\n", "ff,ffffffff", 0 },
	{ "0-127\n", "ffffffff,ffffffff,ffffffff,ffffffff", 0 },
	{ "0,64\n", "1,00000000,00000001", 0 },
	{ "", NULL, -EINVAL },
	{ "\n", NULL, -EINVAL },
	{ "a\n", NULL, -EINVAL },
	{ "0-\n", NULL, -EINVAL },
	{ "-1\n", NULL, -EINVAL },
	{ "3-1\n", NULL, -EINVAL },
	{ "0,\n", NULL, -EINVAL },
	{ "0 1\n", NULL, -EINVAL },
	{ "0\n1\n", NULL, -EINVAL },
	{ "8192\n", NULL, -E2BIG },
	{ "0-99999999999999999999\n", NULL, -E2BIG },
};

START_TEST(test_mask)
{
	char text[CPUMASK_TEXT_MAX] = "untouched";

	ck_assert_int_eq(cpumask_from_list(cases[_i].list, text),
			 cases[_i].err);
	ck_assert_str_eq(text, cases[_i].err ? "untouched" : cases[_i].mask);
}
END_TEST

START_TEST(test_most)
{
	char text[CPUMASK_TEXT_MAX];

	ck_assert_int_eq(cpumask_from_list("0-8191\n", text), 0);
	ck_assert_uint_eq(strlen(text), 256 * 9 - 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vduse_cpumask");
	TCase *tc = tcase_create("vduse_cpumask");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, test_mask, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, test_most);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
