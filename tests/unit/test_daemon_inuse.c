/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Who uses a block device.  Loop devices stand in for ours; the cases that
 * need one, or the right to mount, say nothing where there is none.
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
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/blkpg.h>
#include <linux/loop.h>

#include "daemon/inuse.h"
#include "lib/why.h"

static struct why why;
static char name[32], node[40];
static int loop_fd = -1, file_fd = -1;

static bool take_free(int control)
{
	/* It goes with us, however the test ends. */
	const struct loop_info64 info = { .lo_flags = LO_FLAGS_AUTOCLEAR };

	snprintf(name, sizeof(name), "loop%d",
		 ioctl(control, LOOP_CTL_GET_FREE));
	snprintf(node, sizeof(node), "/dev/%s", name);
	loop_fd = open(node, O_RDWR | O_CLOEXEC);
	file_fd = memfd_create("t", MFD_CLOEXEC);
	/* udev leaves alone what is locked. */
	return loop_fd >= 0 && !flock(loop_fd, LOCK_EX) &&
	       !ftruncate(file_fd, 1 << 20) &&
	       !ioctl(loop_fd, LOOP_SET_FD, file_fd) &&
	       !ioctl(loop_fd, LOOP_SET_STATUS64, &info);
}

/*
 * A loop device of a file of our own, or false.  Other tests that look for a
 * free one would have ours open for a moment: one after the other.
 */
static bool make_device(void)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	bool made;

	if (control < 0)
		return false;
	made = !flock(control, LOCK_EX) && take_free(control);
	close(control);
	return made;
}

static void expect_free(void)
{
	why.text[0] = '\0';
	ck_assert_int_eq(block_in_use(name, &why), 0);
	ck_assert_str_eq(why.text, "");
}

static void expect_use(const char *by)
{
	why.text[0] = '\0';
	ck_assert_int_eq(block_in_use(name, &why), -EBUSY);
	ck_assert_msg(strstr(why.text, by), "%s", why.text);
	ck_assert_ptr_nonnull(strstr(why.text, node));
	ck_assert_int_eq(block_in_use(name, NULL), -EBUSY);
}

/* A process that has @path open, until it is killed. */
static pid_t start_opener(const char *path)
{
	int fds[2];
	pid_t pid;
	char c;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		close(loop_fd);
		prctl(PR_SET_NAME, "the opener");
		if (open(path, O_RDONLY | O_CLOEXEC) < 0 ||
		    write(fds[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	ck_assert_int_eq(read(fds[0], &c, 1), 1);
	close(fds[0]);
	return pid;
}

static void end_opener(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

START_TEST(test_no_device)
{
	strcpy(name, "no-such-disk");
	expect_free();
}
END_TEST

START_TEST(test_opened)
{
	pid_t pid;

	if (!make_device())
		return;
	/* Our own descriptor does not count. */
	expect_free();
	pid = start_opener(node);
	expect_use("is opened by the opener (process ");
	end_opener(pid);
	expect_free();
}
END_TEST

/*
 * A mount whose device number is none of a disk, as that of btrfs: only its
 * source says what it is on.
 */
START_TEST(test_mounted_by_source)
{
	char dir[] = "/tmp/vcrypt-mount-XXXXXX";

	if (!make_device() || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return;
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(mount(node, dir, "tmpfs", 0, NULL), 0);
	expect_use("is mounted on ");
	ck_assert_ptr_nonnull(strstr(why.text, dir));
	ck_assert_int_eq(umount(dir), 0);
	rmdir(dir);
	expect_free();
}
END_TEST

/* Whatever disk this machine itself runs on. */
START_TEST(test_mounted)
{
	char link[64], target[256];
	unsigned major_nr, minor_nr;
	char line[4096];
	bool found = false;
	ssize_t n = -1;
	FILE *f;

	f = fopen("/proc/self/mountinfo", "re");
	while (!found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*d %*d %u:%u", &major_nr, &minor_nr) != 2)
			continue;
		snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major_nr,
			 minor_nr);
		n = readlink(link, target, sizeof(target) - 1);
		found = n > 0;
	}
	fclose(f);
	if (!found)
		return;
	target[n] = '\0';
	snprintf(name, sizeof(name), "%s", strrchr(target, '/') + 1);
	snprintf(node, sizeof(node), "/dev/%s", name);
	expect_use("is mounted on /");
}
END_TEST

START_TEST(test_partition)
{
	/* The kernel need not know a format of partition tables. */
	struct blkpg_partition where = {
		.start = 65536,
		.length = 65536,
		.pno = 1,
	};
	struct blkpg_ioctl_arg add = {
		.op = BLKPG_ADD_PARTITION,
		.datalen = sizeof(where),
		.data = &where,
	};
	char part[64];
	pid_t pid;

	if (!make_device())
		return;
	if (ioctl(loop_fd, BLKPG, &add))
		return;
	snprintf(part, sizeof(part), "%sp1", node);
	expect_free();
	pid = start_opener(part);
	expect_use("p1: is opened by the opener");
	end_opener(pid);
	expect_free();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("daemon_inuse");
	TCase *tc = tcase_create("daemon_inuse");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, test_no_device);
	tcase_add_test(tc, test_opened);
	tcase_add_test(tc, test_mounted_by_source);
	tcase_add_test(tc, test_mounted);
	tcase_add_test(tc, test_partition);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
