/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The lock on an image: who shuts out whom. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "backend/lock.h"

static int image;

static void setup(void)
{
	image = memfd_create("image", MFD_CLOEXEC);
	ck_assert_int_ge(image, 0);
}

static void teardown(void)
{
	close(image);
}

static int reopen(int flags)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", image);
	fd = open(path, flags | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(test_exclusive)
{
	int other = reopen(O_RDWR), third = reopen(O_RDONLY);
	int first = reopen(O_RDWR);

	ck_assert_int_eq(image_lock(first, false), 0);
	ck_assert_int_eq(image_lock(first, false), 0);
	ck_assert_int_eq(image_lock(other, false), -EBUSY);
	ck_assert_int_eq(image_lock(third, true), -EBUSY);
	close(first);
	ck_assert_int_eq(image_lock(other, false), 0);
	close(other);
	close(third);
}
END_TEST

START_TEST(test_shared)
{
	int other = reopen(O_RDONLY), third = reopen(O_RDWR);

	ck_assert_int_eq(image_lock(image, true), 0);
	ck_assert_int_eq(image_lock(other, true), 0);
	ck_assert_int_eq(image_lock(third, false), -EBUSY);
	close(other);
	close(third);
}
END_TEST

/* The lock lives as long as any copy of its descriptor. */
START_TEST(test_copies)
{
	int first = reopen(O_RDWR), copy;

	ck_assert_int_eq(image_lock(first, false), 0);
	copy = dup(first);
	close(first);
	ck_assert_int_eq(image_lock(image, false), -EBUSY);
	close(copy);
	ck_assert_int_eq(image_lock(image, false), 0);
}
END_TEST

START_TEST(test_wrong_mode)
{
	int fd = reopen(O_RDONLY);

	ck_assert_int_eq(image_lock(fd, false), -EBADF);
	ck_assert_int_eq(image_lock(-1, false), -EBADF);
	close(fd);
}
END_TEST

/* The next byte is the worker's. */
START_TEST(test_only_byte_0)
{
	struct flock lock = { .l_type = F_WRLCK, .l_start = 1, .l_len = 1 };
	int fd = reopen(O_RDWR);

	ck_assert_int_eq(image_lock(image, false), 0);
	ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
	close(fd);
}
END_TEST

static int last_copy;

static void close_last_copy(int sig)
{
	close(last_copy);
}

/* What is let go of in a moment is waited for, and nothing else is. */
START_TEST(test_soon)
{
	const struct itimerval moment = { .it_value.tv_usec = 120000 };
	int other = reopen(O_RDWR);

	last_copy = reopen(O_RDWR);
	ck_assert_int_eq(image_lock(last_copy, false), 0);
	/* In this very process: however slow it is, it gets that far. */
	signal(SIGALRM, close_last_copy);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &moment, NULL), 0);
	ck_assert_int_eq(image_lock_soon(other, false), 0);
	ck_assert_int_eq(image_lock_soon(image, true), -EBUSY);
	ck_assert_int_eq(image_lock_soon(-1, true), -EBADF);
	close(other);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lock");
	TCase *tc = tcase_create("lock");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_exclusive);
	tcase_add_test(tc, test_shared);
	tcase_add_test(tc, test_copies);
	tcase_add_test(tc, test_wrong_mode);
	tcase_add_test(tc, test_only_byte_0);
	tcase_add_test(tc, test_soon);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
