/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Whether a plain image is in use: by whom that is noticed, and who notices. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "backend/idle.h"
#include "backend/lock.h"
#include "lib/why.h"

static char path[] = "/tmp/vcrypt-idle-XXXXXX";
static int image;

static void setup(void)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
	image = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(image, 0);
}

static void teardown(void)
{
	close(image);
	unlink(path);
}

static int reopen(int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void lock_bytes(int fd, short type, off_t start, off_t len, int want)
{
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = start,
		.l_len = len,
	};
	int r = fcntl(fd, F_OFD_SETLK, &lock) ? -errno : 0;

	ck_assert_int_eq(r, want);
}

static void assert_busy(const char *text)
{
	struct why why = { "" };

	ck_assert_int_eq(file_claim_idle(image, &why), -EBUSY);
	ck_assert_msg(strstr(why.text, text), "%s", why.text);
}

START_TEST(test_idle)
{
	struct why why;
	int reader = reopen(O_RDONLY);

	ck_assert_int_eq(file_claim_idle(image, &why), 0);
	ck_assert_int_eq(file_claim_idle(reader, &why), 0);
	close(reader);
	ck_assert_int_eq(file_claim_idle(-1, &why), -EBADF);
}
END_TEST

START_TEST(test_writer)
{
	int writer = reopen(O_RDWR);
	struct why why;

	assert_busy("open for writing in another program");
	close(writer);
	ck_assert_int_eq(file_claim_idle(image, &why), 0);
	/* Nobody who comes later waits for a lease of ours. */
	writer = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ge(writer, 0);
	close(writer);
}
END_TEST

START_TEST(test_vcrypt)
{
	int other = reopen(O_RDWR);

	ck_assert_int_eq(image_lock(other, false), 0);
	assert_busy("another vcrypt");
	close(other);
}
END_TEST

START_TEST(test_flock)
{
	int other = reopen(O_RDONLY);

	ck_assert_int_eq(flock(other, LOCK_EX), 0);
	assert_busy("flock");
	close(other);
}
END_TEST

/* Bytes that QEMU locks: one for reading, as it always does. */
static const off_t qemu_bytes[] = { 101, 103, 200 };

START_TEST(test_qemu)
{
	int other = reopen(O_RDONLY);

	lock_bytes(other, F_RDLCK, qemu_bytes[_i], 1, 0);
	assert_busy("virtual machine");
	close(other);
}
END_TEST

START_TEST(test_locked_by_others)
{
	int other = reopen(O_RDWR);

	lock_bytes(other, F_WRLCK, 100, 200, 0);
	assert_busy("virtual machine");
	close(other);
}
END_TEST

/* Others see that it is in use, in whatever way they look. */
START_TEST(test_claimed)
{
	struct why why;
	int other;

	ck_assert_int_eq(file_claim_idle(image, &why), 0);
	other = reopen(O_RDWR);
	ck_assert_int_eq(image_lock(other, false), -EBUSY);
	ck_assert_int_eq(flock(other, LOCK_EX | LOCK_NB), -1);
	/* QEMU: may somebody write, and does everybody let him? */
	lock_bytes(other, F_WRLCK, 201, 1, -EAGAIN);
	lock_bytes(other, F_WRLCK, 203, 1, -EAGAIN);
	lock_bytes(other, F_WRLCK, 200, 1, 0);
	close(other);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("idle");
	TCase *tc = tcase_create("idle");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_idle);
	tcase_add_test(tc, test_writer);
	tcase_add_test(tc, test_vcrypt);
	tcase_add_test(tc, test_flock);
	tcase_add_loop_test(tc, test_qemu, 0, 3);
	tcase_add_test(tc, test_locked_by_others);
	tcase_add_test(tc, test_claimed);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
