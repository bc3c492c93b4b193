/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* A VDUSE queue's interrupt: never lost, never waited for in vain. */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "vduse/queue.h"

static struct vduse_queue queue;
static atomic_int calls, refusals; /* the first ones end with @refusal */
static int refusal;

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
	ck_assert_int_eq(fd, 42);
	ck_assert_uint_eq(*(uint32_t *)arg, 3);
	ck_assert_uint_eq(request, VDUSE_VQ_INJECT_IRQ);
	return atomic_fetch_add(&calls, 1) < atomic_load(&refusals) ? refusal
								    : 0;
}

static void setup(void)
{
	atomic_store(&calls, 0);
	vduse_queue_init(&queue, 42, fake_ioctl, 3);
}

START_TEST(test_taken)
{
	vduse_queue_ops.interrupt(&queue);
	ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(test_again_until_taken)
{
	refusal = -EINVAL;
	atomic_store(&refusals, 20);
	atomic_store(&queue.live, true);
	vduse_queue_ops.interrupt(&queue);
	ck_assert_int_eq(calls, 21);
}
END_TEST

START_TEST(test_not_while_reset)
{
	refusal = -EINVAL;
	atomic_store(&refusals, 20);
	vduse_queue_ops.interrupt(&queue);
	ck_assert_int_eq(calls, 1);
}
END_TEST

/* EPERM: the device is broken.  Nothing will make it better. */
START_TEST(test_other_errors_end)
{
	refusal = -EPERM;
	atomic_store(&refusals, 20);
	atomic_store(&queue.live, true);
	vduse_queue_ops.interrupt(&queue);
	ck_assert_int_eq(calls, 1);
}
END_TEST

static void *interrupt_thread(void *arg)
{
	vduse_queue_ops.interrupt(arg);
	return NULL;
}

START_TEST(test_ends_with_a_reset)
{
	const struct timespec pause = { .tv_nsec = 1000 * 1000 };
	pthread_t thread;

	refusal = -EINVAL;
	atomic_store(&refusals, INT_MAX);
	atomic_store(&queue.live, true);
	ck_assert_int_eq(
		pthread_create(&thread, NULL, interrupt_thread, &queue), 0);
	while (atomic_load(&calls) < 3)
		nanosleep(&pause, NULL);
	atomic_store(&queue.live, false);
	pthread_join(thread, NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vduse_queue");
	TCase *tc = tcase_create("vduse_queue");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, test_taken);
	tcase_add_test(tc, test_again_until_taken);
	tcase_add_test(tc, test_not_while_reset);
	tcase_add_test(tc, test_other_errors_end);
	tcase_add_test(tc, test_ends_with_a_reset);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
