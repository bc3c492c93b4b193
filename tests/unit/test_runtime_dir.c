/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The runtime directory itself: where it is and whose it must be. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/runtime.h"
#include "lib/why.h"
#include "tests/unit/runtime_help.h"

static struct runtime rt;

static int open_dir(bool create)
{
	struct why why = { "" };
	int err = runtime_open(&rt, create, &why);

	ck_assert_int_eq(err != 0, why.text[0] != '\0');
	if (err)
		ck_assert_int_eq(rt.dir_fd, -1);
	return err;
}

START_TEST(test_dir_is_made)
{
	struct stat st;

	runtime_private(NULL);
	umask(0);
	ck_assert_int_eq(open_dir(false), -ENOENT);
	ck_assert_int_eq(open_dir(true), 0);
	ck_assert_int_eq(fstat(rt.dir_fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	runtime_close(&rt);
	ck_assert_int_eq(open_dir(true), 0);
	runtime_close(&rt);
	ck_assert_int_eq(open_dir(false), 0);
	runtime_close(&rt);
	runtime_close(&rt);
	runtime_teardown();
}
END_TEST

START_TEST(test_dir_not_said)
{
	char path[4096];

	runtime_private(NULL);
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[56] = '\0';
	/* /xxx/vcrypt of 63 bytes would fit, but it does not exist. */
	setenv("XDG_RUNTIME_DIR", path, 1);
	ck_assert_int_eq(open_dir(true), -ENOENT);
	path[56] = 'x';
	path[57] = '\0';
	setenv("XDG_RUNTIME_DIR", path, 1);
	ck_assert_int_eq(open_dir(true), -ENAMETOOLONG);
	setenv("XDG_RUNTIME_DIR", "relative", 1);
	ck_assert_int_eq(open_dir(true), -ENOENT);
	setenv("XDG_RUNTIME_DIR", "", 1);
	ck_assert_int_eq(open_dir(true), -ENOENT);
	unsetenv("XDG_RUNTIME_DIR");
	ck_assert_int_eq(open_dir(true), -ENOENT);
	runtime_teardown();
}
END_TEST

static void sub(const char *dir, char ret[static 64])
{
	snprintf(ret, 64, "%s/vcrypt", dir);
}

/* These are made while we are root, and hence root's. */
static void make_roots(const char *dir)
{
	char path[64];

	sub(dir, path);
	ck_assert_int_eq(mkdir(path, 0777), 0);
	ck_assert_int_eq(chmod(path, 0755), 0);
}

static void make_open_to_others(const char *dir)
{
	char path[64];

	sub(dir, path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(chown(path, geteuid() ? geteuid() : 65534, (gid_t)-1),
			 0);
	ck_assert_int_eq(chmod(path, 0720), 0);
}

static void make_link(const char *dir)
{
	char path[64];

	sub(dir, path);
	ck_assert_int_eq(symlink(dir, path), 0);
}

static void make_file(const char *dir)
{
	char path[64];

	sub(dir, path);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

static const struct {
	void (*make)(const char *dir);
	int err;
	bool root; /* the test makes sense only if root made it */
} bad_dirs[] = {
	{ make_roots, -EPERM, true },
	{ make_open_to_others, -EPERM, false },
	{ make_link, -ENOTDIR, false },
	{ make_file, -ENOTDIR, false },
};

START_TEST(test_dir_is_not_ours)
{
	if (bad_dirs[_i].root && geteuid())
		return;
	runtime_private(bad_dirs[_i].make);
	ck_assert_int_eq(open_dir(true), bad_dirs[_i].err);
	runtime_teardown();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("runtime_dir");
	TCase *tc = tcase_create("runtime_dir");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_dir_is_made);
	tcase_add_test(tc, test_dir_not_said);
	tcase_add_loop_test(tc, test_dir_is_not_ours, 0, 4);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
