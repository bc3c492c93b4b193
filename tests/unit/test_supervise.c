/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* How many deaths of workers are too many, in how short a time. */
#include <check.h>
#include <stdlib.h>

#include "daemon/monitor_state.h"
#include "daemon/volume.h"

#define MINUTE 60000

static struct volume volume;
static struct monitor m;

static void setup(void)
{
	m = (struct monitor){ .volume = &volume };
	volume.death_limit = VOLUME_DEATH_LIMIT;
}

/* One death at @now; whether it is one too many must be @want. */
static void death(int64_t now, bool want)
{
	ck_assert_int_eq(supervise_count_death(&m, now), want);
}

/* Soon after the machine has started, too. */
START_TEST(test_five_in_a_minute)
{
	death(0, false);
	death(10, false);
	death(20, false);
	death(30, false);
	death(MINUTE - 1, true);
	ck_assert_uint_eq(m.restarts, 5);
}
END_TEST

START_TEST(test_four_in_a_minute)
{
	int64_t now;

	for (now = 1000; now < 100 * MINUTE; now += MINUTE / 4)
		death(now, false);
	/* From any moment on, not only from the first one. */
	death(now - 1, true);
}
END_TEST

START_TEST(test_window)
{
	death(500, false);
	death(501, false);
	death(502, false);
	death(503, false);
	death(500 + MINUTE, false);
	death(501 + MINUTE - 1, true);
}
END_TEST

START_TEST(test_limits)
{
	static const unsigned limits[] = { 1, 2, 20, VOLUME_MAX_DEATH_LIMIT };
	unsigned i;

	volume.death_limit = limits[_i];
	for (i = 1; i < limits[_i]; i++)
		death(MINUTE + i, false);
	death(2 * MINUTE, true);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("supervise");
	TCase *tc = tcase_create("deaths");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, test_five_in_a_minute);
	tcase_add_test(tc, test_four_in_a_minute);
	tcase_add_test(tc, test_window);
	tcase_add_loop_test(tc, test_limits, 0, 4);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
