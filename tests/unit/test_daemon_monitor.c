/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The monitor, as far as it comes without VDUSE: every step is undone. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/monitor.h"
#include "daemon/runtime.h"
#include "daemon/volume.h"
#include "lib/secmem.h"
#include "tests/unit/runtime_help.h"

static struct runtime rt;
static struct volume volume;
static struct monitor_report report;
static int reports;

static void setup(void)
{
	runtime_setup(&rt);
	volume = (struct volume){
		.name = "a",
		.image = "/image",
		.nr_queues = 2,
		.queue_size = 64,
		.image_fd = -1,
		.foreground = true,
	};
	volume.info.sector_size = 4096;
	volume.info.data_size = 1 << 20;
	ck_assert_int_eq(secmem_alloc(VOLUME_KEY_MAX, (void **)&volume.key), 0);
	volume.control_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
}

static void teardown(void)
{
	runtime_close(&rt);
	runtime_teardown();
}

static void keep_report(void *arg, const struct monitor_report *rep)
{
	ck_assert_ptr_eq(arg, &rt);
	report = *rep;
	reports++;
}

static bool exists(const char *file)
{
	return !faccessat(rt.dir_fd, file, F_OK, AT_SYMLINK_NOFOLLOW);
}

static void run_in_vain(int err, const char *part)
{
	int lock;

	ck_assert_int_eq(runtime_lock(&rt, "a", &lock, NULL), 0);
	ck_assert_int_eq(monitor_run(&volume, &rt, keep_report, &rt), 1);
	ck_assert_int_eq(reports, 1);
	ck_assert_int_eq(report.err, err);
	ck_assert_ptr_nonnull(strstr(report.text, part));
	ck_assert(!exists("a.lock"));
	ck_assert(!exists("a.json"));
	ck_assert(!exists("a.sock"));
	ck_assert_ptr_null(volume.key);
}

START_TEST(test_no_device)
{
	run_in_vain(-ENOTTY, "a: VDUSE_CREATE_DEV");
	ck_assert(!exists("a.shm"));
}
END_TEST

START_TEST(test_no_shm)
{
	ck_assert_int_eq(mkdirat(rt.dir_fd, "a.shm", 0700), 0);
	run_in_vain(-EEXIST, "/vcrypt/a");
}
END_TEST

START_TEST(test_no_socket)
{
	strcpy(rt.path, "/nowhere");
	run_in_vain(-ENOENT, "/nowhere/a");
	ck_assert(!exists("a.shm"));
}
END_TEST

/* A geometry that no worker could serve. */
START_TEST(test_no_disk)
{
	volume.queue_size = 100;
	run_in_vain(-EINVAL, "100");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("daemon_monitor");
	TCase *tc = tcase_create("daemon_monitor");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_no_device);
	tcase_add_test(tc, test_no_shm);
	tcase_add_test(tc, test_no_socket);
	tcase_add_test(tc, test_no_disk);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
