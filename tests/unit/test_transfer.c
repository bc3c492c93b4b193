/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* All of some bytes are read, written or brought up to date, or an error. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/transfer.h"

#define SIZE  (200u << 10) /* bytes: more than is compared at a time */
#define LIMIT 5000	   /* bytes that a file may have */

static uint8_t bytes[SIZE], back[SIZE];
static int fd;

static void setup(void)
{
	size_t i;

	for (i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251 + 1);
	memset(back, 0, SIZE);
	fd = memfd_create("file", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ck_assert_int_ge(fd, 0);
}

static void teardown(void)
{
	close(fd);
}

/* A write that comes to the limit is a short one first. */
static void limit_size(int *ret_fd)
{
	const struct rlimit lim = { LIMIT, LIMIT };
	char name[] = "/tmp/vcrypt-transfer-XXXXXX";

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &lim), 0);
	*ret_fd = mkstemp(name);
	ck_assert_int_ge(*ret_fd, 0);
	unlink(name);
}

START_TEST(test_read_write)
{
	ck_assert_int_eq(transfer_write(fd, bytes, SIZE, 4096), 0);
	ck_assert_int_eq(transfer_read(fd, back, SIZE, 4096), 0);
	ck_assert_mem_eq(back, bytes, SIZE);
	ck_assert_int_eq(transfer_read(fd, back, SIZE, 4097), -EIO);
	ck_assert_int_eq(transfer_read(fd, back, 0, SIZE * 2), 0);
	ck_assert_int_eq(transfer_read(-1, back, 1, 0), -EBADF);
	ck_assert_int_eq(transfer_write(-1, bytes, 1, 0), -EBADF);
}
END_TEST

START_TEST(test_write_limit)
{
	int file;

	limit_size(&file);
	ck_assert_int_eq(transfer_write(file, bytes, SIZE, 0), -EFBIG);
	ck_assert_int_eq(transfer_read(file, back, LIMIT, 0), 0);
	ck_assert_mem_eq(back, bytes, LIMIT);
	ck_assert_int_eq(transfer_append(file, bytes, SIZE), -EFBIG);
	close(file);
}
END_TEST

/* Only what differs: a file that must not be written takes the rest. */
START_TEST(test_update_same)
{
	bool changed = false;

	ck_assert_int_eq(transfer_write(fd, bytes, SIZE, 0), 0);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	ck_assert_int_eq(transfer_update(fd, bytes, SIZE, 0, &changed), 0);
	ck_assert(!changed);
	bytes[SIZE / 2] ^= 1;
	ck_assert_int_eq(transfer_update(fd, bytes, SIZE, 0, &changed), -EPERM);
}
END_TEST

static const size_t places[] = { 0, 1, 65535, 65536, 65537, SIZE - 1 };

START_TEST(test_update)
{
	bool changed = false;
	int i;

	ck_assert_int_eq(transfer_write(fd, bytes, SIZE, 10), 0);
	for (i = 0; i < (int)(sizeof(places) / sizeof(places[0])); i++) {
		bytes[places[i]] ^= 0x55;
		changed = false;
		ck_assert_int_eq(transfer_update(fd, bytes, SIZE, 10, &changed),
				 0);
		ck_assert(changed);
		ck_assert_int_eq(transfer_read(fd, back, SIZE, 10), 0);
		ck_assert_mem_eq(back, bytes, SIZE);
	}
}
END_TEST

/* A file that ends before grows. */
START_TEST(test_update_end)
{
	bool changed = false;

	ck_assert_int_eq(transfer_write(fd, bytes, 1000, 0), 0);
	ck_assert_int_eq(transfer_update(fd, bytes, SIZE, 0, &changed), 0);
	ck_assert(changed);
	ck_assert_int_eq(transfer_read(fd, back, SIZE, 0), 0);
	ck_assert_mem_eq(back, bytes, SIZE);
}
END_TEST

/* More than a pipe holds, to a reader who takes it in small pieces. */
START_TEST(test_append)
{
	size_t done = 0;
	ssize_t n = 1;
	int fds[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (!pid)
		_exit(transfer_append(fds[1], bytes, SIZE) ? 1 : 0);
	close(fds[1]);
	while (n > 0 && done < SIZE) {
		n = read(fds[0], back + done,
			 SIZE - done < 999 ? SIZE - done : 999);
		done += n > 0 ? (size_t)n : 0;
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && !WEXITSTATUS(status));
	ck_assert_mem_eq(back, bytes, SIZE);
	close(fds[0]);
	ck_assert_int_eq(transfer_append(-1, bytes, 1), -EBADF);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("transfer");
	TCase *tc = tcase_create("transfer");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_read_write);
	tcase_add_test(tc, test_write_limit);
	tcase_add_test(tc, test_update_same);
	tcase_add_test(tc, test_update);
	tcase_add_test(tc, test_update_end);
	tcase_add_test(tc, test_append);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
