/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Whoever writes a header is killed at every one of his writes: the container
 * can be read at any time, and doing it again ends well.
 */
#include <check.h>
#include <errno.h>
#include <libcryptsetup.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypt/header_copy.h"
#include "crypt/luks1_repair.h"
#include "crypt/luks_image.h"
#include "lib/why.h"
#include "tests/unit/luks_fixture.h"

#define NEVER (1 << 30)

/* The writer; it stops before its first step. */
static pid_t start(const struct header_copy *copy, int image)
{
	pid_t pid = fork();
	unsigned int parts;
	struct why why;

	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(9);
	raise(SIGSTOP);
	_exit(header_copy_write(copy, image, &parts, &why) ? 8 : 0);
}

static bool is_write(pid_t pid)
{
	struct __ptrace_syscall_info info;

	ck_assert_int_gt(
		ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info), 0);
	return info.op == PTRACE_SYSCALL_INFO_ENTRY &&
	       info.entry.nr == SYS_pwrite64;
}

/*
 * Kill it before its write number @at; returns how many there were, which is
 * more than @at if there are that many.
 */
static int write_until(const struct header_copy *copy, int image, int at)
{
	pid_t pid = start(copy, image);
	int status, writes = 0;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSTOPPED(status));
	ck_assert_int_eq(ptrace(PTRACE_SETOPTIONS, pid, NULL,
				PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD),
			 0);
	for (;;) {
		ck_assert_int_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			ck_assert_int_eq(WEXITSTATUS(status), 0);
			return writes;
		}
		if (!is_write(pid) || writes++ < at)
			continue;
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		/* A lock of this open file, which is this process's too. */
		luks_image_funlock(image);
		return writes;
	}
}

static void finish(const struct header_copy *copy, int image)
{
	unsigned int parts;
	struct why why;

	ck_assert_int_eq(header_copy_write(copy, image, &parts, &why), 0);
}

static void take(int image, struct header_copy *ret)
{
	struct why why;

	ck_assert_int_eq(header_copy_take(&VOLUME_HEADER(image), ret, &why), 0);
}

/* The first writes, one in the middle, and the last ones of @writes. */
static const struct {
	int part, of, plus;
} places[] = {
	{ 0, 1, 0 },  { 0, 1, 1 },  { 1, 2, 0 },
	{ 1, 1, -3 }, { 1, 1, -2 }, { 1, 1, -1 },
};

#define PLACES (sizeof(places) / sizeof(places[0]))

static int place(size_t i, int writes)
{
	return writes * places[i].part / places[i].of + places[i].plus;
}

static int count_writes(const struct header_copy *copy, int image)
{
	int writes = write_until(copy, image, NEVER);

	/* Key slots, and two headers: these at least. */
	ck_assert_int_ge(writes, 3);
	return writes;
}

/* What both headers say, and all key slots, are another container's. */
START_TEST(test_restore)
{
	int image = fixture_luks2(4096, 64, 64), other, writes, at;
	struct header_copy before, after;
	struct volume_info info;
	struct why why;
	size_t i;

	other = fixture_luks2(512, 64, 64);
	take(image, &before);
	take(other, &after);
	writes = count_writes(&after, image);
	for (i = 0; i < PLACES; i++) {
		finish(&before, image);
		at = place(i, writes);
		ck_assert_int_eq(write_until(&after, image, at), at + 1);
		ck_assert_msg(!volume_probe(&VOLUME_REQUEST(image), &info,
					    &why),
			      "write %d: %s", at, why.text);
		ck_assert(!strcmp(info.uuid, before.info.uuid) ||
			  !strcmp(info.uuid, after.info.uuid));
		finish(&after, image);
		ck_assert_int_eq(
			volume_probe(&VOLUME_REQUEST(image), &info, &why), 0);
		ck_assert_str_eq(info.uuid, after.info.uuid);
		ck_assert_str_eq(info.note, "");
	}
	header_copy_drop(&before);
	header_copy_drop(&after);
	close(other);
	close(image);
}
END_TEST

START_TEST(test_repair)
{
	uint64_t damaged = _i ? 5000 : 16384 + 5000;
	int image = fixture_luks2(4096, 64, 64);
	uint8_t expected[64], key[64];
	struct header_copy copy;

	fixture_key(image, expected, sizeof(expected));
	fixture_damage(image, damaged, 64);
	take(image, &copy);
	ck_assert_int_eq(write_until(&copy, image, 0), 1);
	ck_assert_int_eq(write_until(&copy, image, NEVER), 1);
	fixture_key(image, key, sizeof(key));
	ck_assert_mem_eq(key, expected, sizeof(key));
	header_copy_drop(&copy);
	close(image);
}
END_TEST

/* It has one header, which is written at once. */
START_TEST(test_repair_luks1)
{
	int image = fixture_luks1("xts-plain64", 64);
	uint8_t expected[64], key[64];
	struct luks1_repairs repairs;
	struct header_copy copy;
	struct why why;
	int i;

	fixture_key(image, expected, sizeof(expected));
	fixture_damage(image, 208 + 3 * 48 + 40, 8); /* of slot 3 */
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(header_copy_repair(&VOLUME_HEADER(image),
						    &copy, &repairs, &why),
				 0);
		ck_assert_uint_eq(repairs.slots, 1 << 3);
		ck_assert_int_eq(write_until(&copy, image, i ? NEVER : 0), 1);
		header_copy_drop(&copy);
	}
	fixture_key(image, key, sizeof(key));
	ck_assert_mem_eq(key, expected, sizeof(key));
	close(image);
}
END_TEST

/* A conversion cannot be read in the middle; with the backup it leads back. */
START_TEST(test_convert)
{
	int image = fixture_luks1("xts-plain64", 64), writes;
	uint8_t expected[64], key[64];
	struct header_copy before, after;
	struct why why;
	size_t i;

	fixture_key(image, expected, sizeof(expected));
	take(image, &before);
	take(image, &after);
	ck_assert_int_eq(header_copy_convert(&after, "LUKS2", &why), 0);
	writes = count_writes(&after, image);
	for (i = 0; i < PLACES; i++) {
		finish(&before, image);
		write_until(&after, image, place(i, writes));
		finish(&before, image);
		fixture_key(image, key, sizeof(key));
		ck_assert_mem_eq(key, expected, sizeof(key));
	}
	header_copy_drop(&before);
	header_copy_drop(&after);
	close(image);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("header_kill");
	TCase *tc = tcase_create("header_kill");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_restore);
	tcase_add_loop_test(tc, test_repair, 0, 2);
	tcase_add_test(tc, test_repair_luks1);
	tcase_add_test(tc, test_convert);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
