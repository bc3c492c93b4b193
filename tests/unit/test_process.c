/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* A process is named by its number and its start. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/process.h"

/* A child that waits to be killed; @name: what it calls itself. */
static pid_t start_child(const char *name)
{
	int fds[2];
	pid_t pid;
	char c;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_NAME, name);
		if (write(fds[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(fds[0], &c, 1), 1);
	close(fds[0]);
	close(fds[1]);
	return pid;
}

/* The clock that the kernel counts the start of processes by. */
static uint64_t now_in_ticks(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * (uint64_t)sysconf(_SC_CLK_TCK) +
	       (uint64_t)now.tv_nsec * (uint64_t)sysconf(_SC_CLK_TCK) /
		       1000000000;
}

START_TEST(test_start)
{
	/* Names that look like the rest of the line. */
	static const char *const names[] = { "a", ") Z 1 2 3", "(x) (", "" };
	uint64_t self = process_start(getpid()), start;
	pid_t pid = start_child(names[_i]);

	start = process_start(pid);
	ck_assert_uint_gt(self, 0);
	ck_assert_uint_ge(start, self);
	ck_assert_uint_le(start, now_in_ticks());
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert_uint_eq(process_start(pid), 0);
	ck_assert_uint_eq(process_start(0), 0);
	ck_assert_uint_eq(process_start(-1), 0);
}
END_TEST

START_TEST(test_open)
{
	struct pollfd pfd = { .events = POLLIN };
	pid_t pid = start_child("a");
	uint64_t start = process_start(pid);

	/* The number was used again. */
	ck_assert_int_eq(process_open(pid, start - 1), -ESRCH);
	ck_assert_int_eq(process_open(pid, start + 1), -ESRCH);
	ck_assert_int_eq(process_open(pid, 0), -ESRCH);
	ck_assert_int_eq(process_open(0, 0), -ESRCH);
	ck_assert_int_eq(process_open(-1, 0), -ESRCH);
	pfd.fd = process_open(pid, start);
	ck_assert_int_ge(pfd.fd, 0);
	ck_assert_int_eq(poll(&pfd, 1, 0), 0);
	kill(pid, SIGKILL);
	ck_assert_int_eq(poll(&pfd, 1, -1), 1);
	/* Dead, though nobody has collected it yet. */
	ck_assert_int_eq(process_open(pid, start), -ESRCH);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(process_open(pid, start), -ESRCH);
	close(pfd.fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("process");
	TCase *tc = tcase_create("process");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, test_start, 0, 4);
	tcase_add_test(tc, test_open);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
