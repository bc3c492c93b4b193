/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* A VDUSE device that fails, or is taken over from a process that died. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/loop.h"
#include "tests/unit/vduse_kernel.h"
#include "vduse/dev.h"

#define ALL	   "start0@0 start1@0 start2@0 done"
#define EVERYWHERE UINT64_MAX

static struct kernel k;

static void setup(void)
{
	kernel_init(&k);
}

static void teardown(void)
{
	kernel_free(&k);
}

START_TEST(test_message_cut_short)
{
	vduse_dev_start(k.dev, 0);
	ck_assert_int_eq(write(k.fd, "x", 1), 1);
	kernel_turns(&k);
	ck_assert_str_eq(kernel_log(&k), "broken");
	ck_assert_str_eq(k.broken, "a message is cut short");
	/* It asks for no more. */
	ck_assert_int_eq(kernel_set_status(&k, 1), -1);
	ck_assert_str_eq(kernel_log(&k), "");
}
END_TEST

START_TEST(test_gone)
{
	vduse_dev_start(k.dev, 0);
	close(k.fd);
	k.fd = -1;
	kernel_turns(&k);
	ck_assert_str_eq(kernel_log(&k), "broken");
}
END_TEST

START_TEST(test_given_up)
{
	struct vduse_dev_request req = { .type = VDUSE_SET_STATUS };

	vduse_dev_start(k.dev, 0);
	kernel_send(&k, &req);
	kernel_log(&k);
	/* An answer that nobody read, and then nobody there: POLLERR. */
	close(k.fd);
	k.fd = -1;
	kernel_turns(&k);
	ck_assert_str_eq(kernel_log(&k), "broken");
	ck_assert_str_eq(k.broken, "a message was not answered in time");
}
END_TEST

START_TEST(test_answer_not_taken)
{
	signal(SIGPIPE, SIG_IGN);
	kernel_attach(&k);
	k.later = true;
	ck_assert_int_eq(kernel_set_status(&k, 0), -1);
	close(k.fd);
	k.fd = -1;
	kernel_log(&k);
	vduse_dev_continue(k.dev);
	ck_assert_str_eq(kernel_log(&k), "reset status:0 broken");
}
END_TEST

START_TEST(test_poll_fails)
{
	struct vduse_dev_params params = { .fd = -1, .nr_queues = 0 };
	struct vduse_dev *dev;

	vduse_dev_start(k.dev, 0);
	close(k.dev_fd);
	close(k.fd);
	k.fd = -1;
	k.dev_fd = -1;
	kernel_turns(&k);
	ck_assert_str_eq(kernel_log(&k), "broken");
	ck_assert_int_eq(vduse_dev_new(&params, k.loop, &dev), 0);
	vduse_dev_free(dev);
	vduse_dev_free(NULL);
}
END_TEST

START_TEST(test_take_over_running)
{
	k.vq[0].split.avail_index = 5;
	vduse_dev_start(k.dev, 0xf);
	ck_assert_str_eq(kernel_log(&k),
			 "check:300000000 start0@5 start1@0 start2@0 done");
	ck_assert_uint_eq(k.setup[0].features, k.features);
	/* The message in which the former one died comes again. */
	ck_assert_int_eq(kernel_set_status(&k, 0xf), 0);
	ck_assert_str_eq(kernel_log(&k), "status:f");
	ck_assert_int_eq(kernel_set_status(&k, 0), 0);
	ck_assert_str_eq(kernel_log(&k), "stop reset status:0");
}
END_TEST

START_TEST(test_take_over_waits_for_the_queues)
{
	struct vduse_dev_response resp;

	k.later = true;
	vduse_dev_start(k.dev, 0xf);
	ck_assert_int_eq(kernel_set_status(&k, 0x8f), -1);
	vduse_dev_continue(k.dev);
	kernel_turns(&k);
	ck_assert(kernel_answer(&k, &resp));
	ck_assert_uint_eq(resp.result, 0);
}
END_TEST

START_TEST(test_take_over_idle)
{
	vduse_dev_start(k.dev, 0x3);
	ck_assert_str_eq(kernel_log(&k), "");
	ck_assert_int_eq(kernel_set_status(&k, 0xb), 0);
	ck_assert_str_eq(kernel_log(&k), "check:300000000 status:b");
	ck_assert_int_eq(kernel_set_status(&k, 0xf), 0);
	ck_assert_str_eq(kernel_log(&k), ALL " status:f");
}
END_TEST

/*
 * A take-over that fails is told, and messages are answered: the device can
 * be taken away.
 */
START_TEST(test_take_over_fails)
{
	static const unsigned long requests[] = { VDUSE_DEV_GET_FEATURES,
						  VDUSE_VQ_GET_INFO };

	k.fail_request = requests[_i];
	k.fail_at = 1;
	k.fail_err = -EPERM;
	vduse_dev_start(k.dev, 0xf);
	ck_assert_ptr_null(strstr(k.log, "start"));
	ck_assert_ptr_nonnull(strstr(kernel_log(&k), "broken"));
	ck_assert_str_eq(k.broken, "its queues cannot be taken over: "
				   "Operation not permitted");
	ck_assert_int_eq(kernel_set_status(&k, 0), 0);
	ck_assert_str_eq(kernel_log(&k), "stop reset status:0");
}
END_TEST

/*
 * The message in which the former process died comes again: success would
 * leave a driver that waits for queues that do not run.
 */
START_TEST(test_take_over_fails_then_again)
{
	static const unsigned long requests[] = { VDUSE_DEV_GET_FEATURES,
						  VDUSE_VQ_GET_INFO };

	k.fail_request = requests[_i];
	k.fail_at = 1;
	k.fail_err = -EPERM;
	vduse_dev_start(k.dev, 0xf);
	kernel_log(&k);
	k.fail_at = 1;
	ck_assert_int_eq(kernel_set_status(&k, 0xf), 1);
	ck_assert_ptr_null(strstr(kernel_log(&k), "start"));
	ck_assert_int_eq(kernel_set_status(&k, 0xf), 0);
	ck_assert_ptr_nonnull(strstr(kernel_log(&k), ALL " status:f"));
}
END_TEST

START_TEST(test_take_over_refuses)
{
	k.refuse = -EINVAL;
	vduse_dev_start(k.dev, 0xf);
	ck_assert_str_eq(kernel_log(&k), "check:300000000 broken");
	ck_assert_int_eq(kernel_set_status(&k, 0xf), 1);
	ck_assert_str_eq(kernel_log(&k), "check:300000000");
}
END_TEST

/* Nobody waits for anything yet. */
START_TEST(test_take_over_refuses_early)
{
	k.refuse = -EINVAL;
	vduse_dev_start(k.dev, 0xb);
	ck_assert_str_eq(kernel_log(&k), "check:300000000");
	ck_assert_int_eq(kernel_set_status(&k, 0xb), 1);
	k.refuse = 0;
	ck_assert_int_eq(kernel_set_status(&k, 0xf), 0);
	ck_assert_str_eq(kernel_log(&k),
			 "check:300000000 check:300000000 " ALL " status:f");
}
END_TEST

START_TEST(test_features_cannot_be_read)
{
	k.fail_request = VDUSE_DEV_GET_FEATURES;
	k.fail_at = 1;
	k.fail_err = -EPERM;
	vduse_dev_start(k.dev, 0);
	ck_assert_int_eq(kernel_set_status(&k, 0xb), 1);
	ck_assert_str_eq(kernel_log(&k), "");
	ck_assert_int_eq(kernel_set_status(&k, 0xb), 0);
}
END_TEST

/* @_i: the queue whose place cannot be read. */
START_TEST(test_setup_cannot_be_read)
{
	vduse_dev_start(k.dev, 0);
	ck_assert_int_eq(kernel_set_status(&k, 0xb), 0);
	kernel_log(&k);
	k.fail_request = VDUSE_VQ_GET_INFO;
	k.fail_at = (unsigned)_i + 1;
	k.fail_err = -EPERM;
	ck_assert_int_eq(kernel_set_status(&k, 0xf), 1);
	ck_assert_str_eq(kernel_log(&k), "");
	/* What was read of the others is not started by what comes next. */
	ck_assert_int_eq(kernel_update_iotlb(&k, 0, EVERYWHERE), 0);
	ck_assert_str_eq(kernel_log(&k), "stop done");
	ck_assert_int_eq(kernel_set_status(&k, 0xf), 0);
	ck_assert_str_eq(kernel_log(&k), ALL " status:f");
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, test_message_cut_short);
	tcase_add_test(tc, test_gone);
	tcase_add_test(tc, test_given_up);
	tcase_add_test(tc, test_answer_not_taken);
	tcase_add_test(tc, test_poll_fails);
	tcase_add_test(tc, test_take_over_running);
	tcase_add_test(tc, test_take_over_waits_for_the_queues);
	tcase_add_test(tc, test_take_over_idle);
	tcase_add_loop_test(tc, test_take_over_fails, 0, 2);
	tcase_add_loop_test(tc, test_take_over_fails_then_again, 0, 2);
	tcase_add_test(tc, test_take_over_refuses);
	tcase_add_test(tc, test_take_over_refuses_early);
	tcase_add_test(tc, test_features_cannot_be_read);
	tcase_add_loop_test(tc, test_setup_cannot_be_read, 0, KERNEL_QUEUES);
}

int main(void)
{
	Suite *s = suite_create("vduse_dev_life");
	TCase *tc = tcase_create("vduse_dev_life");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	add_tests(tc);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
