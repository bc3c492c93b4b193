/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Bounce memory: what can be in flight fits, for every size of queues. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/bounce.h"
#include "daemon/volume.h"
#include "lib/why.h"

START_TEST(test_split_needs_none)
{
	struct volume v = { .nr_queues = 32, .queue_size = 1024 };
	struct bounce_plan plan;

	ck_assert_int_eq(bounce_plan(&v, &plan, NULL), 0);
	ck_assert_uint_eq(plan.seg_max, 0);
	ck_assert_uint_eq(plan.size_max, 0);
	ck_assert_uint_eq(plan.bytes, 0);
}
END_TEST

START_TEST(test_packed_fits)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), all;
	struct volume v = { .packed = true };
	struct bounce_plan plan;

	for (v.nr_queues = 1; v.nr_queues <= VOLUME_MAX_QUEUES; v.nr_queues++)
		for (v.queue_size = 4; v.queue_size <= 1024;
		     v.queue_size *= 2) {
			ck_assert_int_eq(bounce_plan(&v, &plan, NULL), 0);
			ck_assert_uint_ge(plan.seg_max, 1);
			ck_assert_uint_eq(plan.size_max, page);
			all = (uint64_t)v.nr_queues * (v.queue_size + 1) *
			      (plan.seg_max + 3) * page;
			ck_assert_uint_ge(plan.bytes, all + page);
			ck_assert_uint_le(plan.bytes, 1ULL << 30);
			ck_assert_uint_eq(plan.bytes % page, 0);
		}
}
END_TEST

START_TEST(test_too_many)
{
	struct volume v = { .packed = true,
			    .nr_queues = 1000,
			    .queue_size = 1024 };
	struct bounce_plan plan;
	struct why why = { "" };

	ck_assert_int_eq(bounce_plan(&v, &plan, &why), -EDOM);
	ck_assert_str_ne(why.text, "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bounce");
	TCase *tc = tcase_create("bounce");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_split_needs_none);
	tcase_add_test(tc, test_packed_fits);
	tcase_add_test(tc, test_too_many);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
