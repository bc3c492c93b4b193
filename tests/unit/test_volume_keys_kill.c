/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A change of key slots, or of a header's flag, that is killed at each of its
 * writes, before it and half-way through: the container opens with the old
 * passphrase or with the new one, or with none where all are to go, and what
 * the command was told is what it has when it ends.
 */
#include <check.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypt/luks_erase.h"
#include "crypt/volume_keys.h"
#include "lib/why.h"
#include "tests/unit/luks_fixture.h"

#define NEW_PASS  "battery staple"
#define KILLS_ALL 16  /* every one of that many writes, and then some */
#define KILLS_MAX 500 /* more writes than there are; erasing has most */

static struct why why;

static int change(int fd, enum luks_key_op op)
{
	struct volume_request request = VOLUME_HEADER(fd);
	struct luks_key_change what = {
		.op = op,
		.new_passphrase = NEW_PASS,
		.new_passphrase_len = strlen(NEW_PASS),
		.kdf = { .type = "pbkdf2", .iterations = 1000 },
		.new_slot = VOLUME_ANY_SLOT,
		.allow = true,
	};
	struct volume_info info;
	unsigned int slots;

	if (op == LUKS_KEY_ERASE)
		return luks_erase(fd, NULL, &slots, &why);
	request.passphrase = FIXTURE_PASS;
	request.passphrase_len = strlen(FIXTURE_PASS);
	return volume_keys_change(&request, &what, &info, &why);
}

/* Let the child come to its next system call, or back from it, or end. */
static bool next_stop(pid_t pid, int *status)
{
	ck_assert_int_eq(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
	ck_assert_int_eq(waitpid(pid, status, 0), pid);
	return WIFSTOPPED(*status);
}

/* Write half of what it wants to, then die. */
static void write_half(pid_t pid, struct user_regs_struct *regs)
{
	int status;

	regs->rdx /= 2;
	ck_assert_int_eq(ptrace(PTRACE_SETREGS, pid, 0, regs), 0);
	ck_assert(next_stop(pid, &status));
}

/* True when it was killed at write @n; false when it had ended before. */
static bool change_killed(int fd, enum luks_key_op op, int n, bool half)
{
	struct user_regs_struct regs;
	bool entry = false;
	char path[32];
	pid_t pid = fork();
	int status;

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		/* Its own, so that libcryptsetup's lock ends with it. */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		fd = open(path, O_RDWR | O_CLOEXEC);
		_exit(change(fd, op) ? 1 : 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
	while (next_stop(pid, &status)) {
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		entry = !entry;
		ck_assert_int_eq(ptrace(PTRACE_GETREGS, pid, 0, &regs), 0);
		if (!entry || regs.orig_rax != SYS_pwrite64 || n--)
			continue;
		if (half)
			write_half(pid, &regs);
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		return true;
	}
	ck_assert(WIFEXITED(status) && !WEXITSTATUS(status));
	return false;
}

static int opens(int fd, const char *pass)
{
	struct crypt_device *cd;
	char path[32], key[64];
	size_t len = sizeof(key);
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_int_eq(crypt_init(&cd, path), 0);
	ck_assert_int_eq(crypt_load(cd, CRYPT_LUKS, NULL), 0);
	r = crypt_volume_key_get(cd, CRYPT_ANY_SLOT, key, &len, pass,
				 strlen(pass));
	crypt_free(cd);
	return r;
}

static int copy_of(int fd)
{
	int copy = memfd_create("copy", MFD_CLOEXEC);
	void *p = mmap(NULL, FIXTURE_SIZE, PROT_READ, MAP_SHARED, fd, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	ck_assert_int_eq(write(copy, p, FIXTURE_SIZE), FIXTURE_SIZE);
	munmap(p, FIXTURE_SIZE);
	return copy;
}

static bool allows_discards(int fd)
{
	struct volume_info info;

	ck_assert_int_eq(volume_probe(&VOLUME_HEADER(fd), &info, &why), 0);
	return info.allow_discards;
}

/* What must hold after @op, whether it came to its end or not. */
static void check(int fd, enum luks_key_op op, bool ended, const char *when)
{
	bool old = opens(fd, FIXTURE_PASS) >= 0;
	bool new = opens(fd, NEW_PASS) >= 0;

	ck_assert_msg(old || new || op == LUKS_KEY_REMOVE ||
			      op == LUKS_KEY_ERASE,
		      "no slot is left %s", when);
	if (op == LUKS_KEY_ADD)
		ck_assert_msg(old && (new || !ended), "%s", when);
	if (op == LUKS_KEY_CHANGE)
		ck_assert_msg(ended ? new && !old : new != old, "%s", when);
	if (op == LUKS_KEY_REMOVE || op == LUKS_KEY_ERASE)
		ck_assert_msg(!ended || !old, "%s", when);
	if (op == LUKS_KEY_DISCARDS)
		ck_assert_msg(old && (!ended || allows_discards(fd)), "%s",
			      when);
}

static void kill_all(int version, enum luks_key_op op, bool half)
{
	int image = version == 1 ? fixture_luks1("xts-plain64", 64)
				 : fixture_luks2(512, 64, 32);
	bool killed = true;
	char when[64];
	int fd, n;

	for (n = 0; killed; n += n < KILLS_ALL ? 1 : 60) {
		ck_assert_int_lt(n, KILLS_MAX);
		fd = copy_of(image);
		killed = change_killed(fd, op, n, half);
		snprintf(when, sizeof(when), "killed %s write %d",
			 half ? "in" : "before", n);
		check(fd, op, !killed, when);
		close(fd);
	}
	/* Both headers, or one and key slots, at least. */
	ck_assert_int_gt(n, 2);
	close(image);
}

static const struct {
	int version;
	enum luks_key_op op;
	bool half;
} cases[] = {
	{ 1, LUKS_KEY_ADD, false },	{ 2, LUKS_KEY_ADD, true },
	{ 1, LUKS_KEY_CHANGE, false },	{ 2, LUKS_KEY_CHANGE, false },
	{ 2, LUKS_KEY_CHANGE, true },	{ 2, LUKS_KEY_REMOVE, true },
	{ 1, LUKS_KEY_ERASE, false },	{ 2, LUKS_KEY_ERASE, true },
	{ 2, LUKS_KEY_DISCARDS, true },
};

START_TEST(test_kill)
{
	kill_all(cases[_i].version, cases[_i].op, cases[_i].half);
}
END_TEST

/* What a kill has left can be changed again. */
START_TEST(test_again)
{
	int image = fixture_luks2(512, 64, 32), fd, n;
	bool killed = true;

	for (n = 0; killed; n += 3) {
		fd = copy_of(image);
		killed = change_killed(fd, LUKS_KEY_CHANGE, n, true);
		if (opens(fd, FIXTURE_PASS) >= 0)
			ck_assert_msg(!change(fd, LUKS_KEY_CHANGE), "%s",
				      why.text);
		check(fd, LUKS_KEY_CHANGE, true, "after a second try");
		close(fd);
	}
	close(image);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("volume_keys_kill");
	TCase *tc = tcase_create("volume_keys_kill");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, test_kill, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, test_again);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
