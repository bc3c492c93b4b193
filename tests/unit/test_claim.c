/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Claiming nodes.  A file with a lock on it stands in for a node that only one
 * can have open: the lock is free when the last descriptor is closed.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/claim.h"
#include "lib/why.h"

#define THERE makedev(1, 3) /* /dev/null, in any sysfs */
#define GONE  makedev(1, 77)

static char file[] = "/tmp/vcrypt-claim-XXXXXX";
static int other_fd, removals;
static struct claim claim;
static struct why why;

static void setup(void)
{
	other_fd = mkostemp(file, O_CLOEXEC);
	ck_assert_int_ge(other_fd, 0);
}

static void teardown(void)
{
	unlink(file);
}

static void claim_file(dev_t number)
{
	claim = (struct claim){
		.at = { .driver = VDPA_VHOST, .node = "n", .number = number },
		.fd = open(file, O_RDWR | O_CLOEXEC),
	};
	ck_assert_int_eq(flock(claim.fd, LOCK_EX), 0);
}

static bool is_held(void)
{
	if (!flock(other_fd, LOCK_EX | LOCK_NB))
		return false;
	ck_assert_int_eq(errno, EWOULDBLOCK);
	return true;
}

/* The kernel waits for the last close of a node that cannot be found. */
static int remove_gone(const char *name, struct why *reason)
{
	ck_assert_str_eq(name, "vol");
	ck_assert_ptr_eq(reason, &why);
	ck_assert_int_eq(flock(other_fd, LOCK_EX), 0);
	return -ERANGE;
}

START_TEST(test_dropped_when_gone)
{
	claim_file(GONE);
	ck_assert_int_eq(claim_remove(&claim, remove_gone, "vol", &why),
			 -ERANGE);
	ck_assert_int_eq(claim.fd, -1);
}
END_TEST

/* Whoever may be killed in the removal has nothing open. */
static int remove_there(const char *name, struct why *reason)
{
	ck_assert_int_eq(claim.fd, -1);
	ck_assert(is_held());
	removals++;
	return 0;
}

START_TEST(test_kept_while_there)
{
	claim_file(THERE);
	ck_assert_int_eq(claim_remove(&claim, remove_there, "vol", &why), 0);
	ck_assert_int_eq(removals, 1);
	ck_assert(!is_held());
}
END_TEST

static int remove_and_die(const char *name, struct why *reason)
{
	kill(getpid(), SIGKILL);
	return 0;
}

START_TEST(test_killed_meanwhile)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		claim_file(THERE);
		claim_remove(&claim, remove_and_die, "vol", &why);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(flock(other_fd, LOCK_EX), 0);
}
END_TEST

/* Nothing is removed that could not be kept. */
START_TEST(test_no_holder)
{
	struct rlimit none = { 0, 0 };

	claim_file(THERE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(claim_remove(&claim, remove_there, "vol", &why),
			 -EMFILE);
	ck_assert_int_eq(removals, 0);
	ck_assert_ptr_nonnull(strstr(why.text, "vol: "));
	ck_assert(!is_held());
}
END_TEST

int main(void)
{
	Suite *s = suite_create("claim");
	TCase *tc = tcase_create("remove");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_dropped_when_gone);
	tcase_add_test(tc, test_kept_while_there);
	tcase_add_test(tc, test_killed_meanwhile);
	tcase_add_test(tc, test_no_holder);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
