/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Claiming nodes.  A file with a lock on it stands in for a node that only one
 * can have open: the lock is free when the last descriptor is closed.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
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

/* No more descriptors, which the leak sanitizer needs in the end. */
static void limit_files(bool on)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = on ? 0 : limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Nothing is removed that could not be kept. */
START_TEST(test_no_holder)
{
	claim_file(THERE);
	limit_files(true);
	ck_assert_int_eq(claim_remove(&claim, remove_there, "vol", &why),
			 -EMFILE);
	limit_files(false);
	ck_assert_int_eq(removals, 0);
	ck_assert_ptr_nonnull(strstr(why.text, "vol: "));
	ck_assert(!is_held());
}
END_TEST

/*
 * A /sys and a /dev of our own; where we may not have them, the tests of the
 * guest are the ones that tell.
 */
#define DEVICE "/sys/bus/vdpa/devices/vol"
#define NODE   "vhost-vdpa-77"

static bool own_files(void)
{
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/sys", "tmpfs", 0, NULL) ||
	    mount("none", "/dev", "tmpfs", 0, NULL))
		return false;
	return !system("mkdir -p " DEVICE " && mknod /dev/null c 1 3");
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void put_vhost(void)
{
	ck_assert_int_eq(symlink("/sys/bus/vdpa/drivers/vhost_vdpa",
				 DEVICE "/driver"),
			 0);
}

/* A node, but for what the device's folder says of it. */
static void make_node(unsigned major_nr, unsigned minor_nr)
{
	char number[32];

	ck_assert_int_eq(mknod("/dev/" NODE, S_IFCHR | 0600,
			       makedev(major_nr, minor_nr)),
			 0);
	ck_assert_int_eq(mkdir("/sys/new", 0755), 0);
	snprintf(number, sizeof(number), "%u:%u\n", major_nr, minor_nr);
	put("/sys/new/dev", number);
}

static void put_node(unsigned major_nr, unsigned minor_nr)
{
	make_node(major_nr, minor_nr);
	ck_assert_int_eq(rename("/sys/new", DEVICE "/" NODE), 0);
}

static void expect(enum attach_what how, int err, const char *text)
{
	why.text[0] = '\0';
	ck_assert_int_eq(claim_take(&claim, "vol", how, &why), err);
	ck_assert_msg(strstr(why.text, text), "%s", why.text);
	if (err)
		ck_assert_int_eq(claim.fd, -1);
}

START_TEST(test_take)
{
	if (!own_files())
		return;
	put_vhost();
	put_node(1, 3);
	expect(DETACH, 0, "");
	ck_assert_int_ge(claim.fd, 0);
	claim_drop(&claim);
	ck_assert_int_eq(claim.fd, -1);
	/* A file in its place, or nothing: it is opened all the same. */
	ck_assert_int_eq(unlink("/dev/" NODE), 0);
	expect(DETACH, 0, "");
	ck_assert_int_ge(claim.fd, 0);
	put("/dev/" NODE, "lost");
	expect(DETACH_FORCE, 0, "");
	ck_assert_int_ge(claim.fd, 0);
	ck_assert_int_eq(system("test \"$(ls -A /dev | tr '\\n' ' ')\" = "
				"'null " NODE " '"),
			 0);
	ck_assert_int_eq(remove("/dev/" NODE), 0);
	/* Not even that. */
	ck_assert_int_eq(mount(NULL, "/dev", NULL,
			       MS_REMOUNT | MS_BIND | MS_RDONLY, NULL),
			 0);
	expect(DETACH_FORCE, -EBUSY, strerror(EROFS));
}
END_TEST

/*
 * A pseudo terminal of no devpts answers with EIO, as vhost_vdpa does when
 * nobody answers it: then nobody has it open.
 */
START_TEST(test_nobody_answers)
{
	if (!own_files())
		return;
	put_vhost();
	put_node(136, 0);
	expect(DETACH, -EIO, "/dev/" NODE ": ");
	ck_assert_ptr_nonnull(strstr(why.text, "--force gives it up"));
	expect(CHECK_UNUSED, -EIO, "/dev/" NODE ": ");
	expect(DETACH_FORCE, 0, "");
	expect(DETACH_LOST, 0, "");
}
END_TEST

/* A node that is being removed, as somebody may have it open. */
START_TEST(test_node_goes)
{
	if (!own_files())
		return;
	put_vhost();
	put_node(4000, 77);
	expect(DETACH_LOST, -EBUSY, strerror(ENXIO));
}
END_TEST

/* Bound, without its node. */
START_TEST(test_no_node)
{
	if (!own_files())
		return;
	put_vhost();
	expect(DETACH_FORCE, -EBUSY, "vol: ");
}
END_TEST

static void on_alarm(int sig)
{
	rename("/sys/new", DEVICE "/" NODE);
}

/* In this very process, which gets that far however slow it is. */
START_TEST(test_node_comes)
{
	const struct itimerval soon = { .it_value.tv_usec = 100000 };

	if (!own_files())
		return;
	put_vhost();
	make_node(1, 3);
	signal(SIGALRM, on_alarm);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
	expect(DETACH, 0, "");
	ck_assert_int_ge(claim.fd, 0);
}
END_TEST

START_TEST(test_no_driver)
{
	if (!own_files())
		return;
	put(DEVICE "/uevent", "MODALIAS=x\n");
	expect(DETACH, 0, "");
	put(DEVICE "/uevent", "DRIVER=vhost_vdpa\nMODALIAS=x\n");
	ck_assert(vdpa_is_unbinding("vol"));
	expect(DETACH_FORCE, -EBUSY, "vol: ");
	ck_assert_int_eq(unlink(DEVICE "/uevent"), 0);
	ck_assert(!vdpa_is_unbinding("vol"));
	/* The kernel does not let us read it. */
	ck_assert_int_eq(mkfifo(DEVICE "/uevent", 0600), 0);
	ck_assert(vdpa_is_unbinding("vol"));
}
END_TEST

START_TEST(test_no_reader)
{
	limit_files(true);
	ck_assert(vdpa_is_unbinding("vol"));
	limit_files(false);
}
END_TEST

int main(void)
{
	TCase *take = tcase_create("take");
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
	tcase_set_timeout(take, 30);
	tcase_add_test(take, test_take);
	tcase_add_test(take, test_nobody_answers);
	tcase_add_test(take, test_node_goes);
	tcase_add_test(take, test_no_node);
	tcase_add_test(take, test_node_comes);
	tcase_add_test(take, test_no_driver);
	tcase_add_test(take, test_no_reader);
	suite_add_tcase(s, take);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
