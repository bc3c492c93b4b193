/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Opening an image: what is taken, what is refused and why, O_DIRECT. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "backend/file.h"
#include "lib/why.h"

static char dir[] = "/var/tmp/vcrypt-test-XXXXXX";

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
}

static void teardown(void)
{
	static const char *const names[] = { "image", "fifo", "socket", "link",
					     "sub" };
	unsigned i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		remove(names[i]);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void make_image(off_t size)
{
	int fd = open("image", O_RDWR | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, size), 0);
	close(fd);
}

static void make_socket(void)
{
	struct sockaddr_un addr = { AF_UNIX, "socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
}

static const struct refused_row {
	const char *path;
	int err;
	const char *reason;
} refused_rows[] = {
	{ "missing", -ENOENT, "missing: No such file" },
	{ "sub", -EINVAL, "is a directory" },
	{ "fifo", -EINVAL, "is a FIFO" },
	{ "socket", -EINVAL, "is a socket" },
	{ "/dev/null", -EINVAL, "is a character device" },
	{ "/dev/tty", 0, "character device" }, /* -ENXIO without a terminal */
	{ "link", -EINVAL, "is a FIFO" },
	{ "image/x", -ENOTDIR, "image/x: Not a directory" },
};

START_TEST(test_refused)
{
	const struct refused_row *r = &refused_rows[_i];
	struct why why = { "" };
	int fd = -7, readonly, err;

	make_image(4096);
	ck_assert_int_eq(mkdir("sub", 0700), 0);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert_int_eq(symlink("fifo", "link"), 0);
	make_socket();
	for (readonly = 0; readonly < 2; readonly++) {
		err = file_open(r->path, readonly, &fd, &why);
		ck_assert_int_lt(err, 0);
		if (r->err)
			ck_assert_int_eq(err, r->err);
		ck_assert_msg(strstr(why.text, r->reason), "%s", why.text);
		ck_assert_int_eq(fd, -7);
	}
}
END_TEST

START_TEST(test_flags)
{
	int fd;

	make_image(1 << 20);
	ck_assert_int_eq(file_open("image", false, &fd, NULL), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	ck_assert_int_eq(file_open("image", true, &fd, NULL), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK),
			 O_RDONLY);
	close(fd);
}
END_TEST

START_TEST(test_not_permitted)
{
	struct why why = { "" };
	int fd;

	make_image(4096);
	ck_assert_int_eq(chmod("image", 0400), 0);
	ck_assert_int_eq(chown("image", geteuid(), (gid_t)-1), 0);
	if (!geteuid()) {
		ck_assert_int_eq(chmod(dir, 0755), 0);
		ck_assert_int_eq(chmod("image", 0444), 0);
		ck_assert_int_eq(seteuid(65534), 0);
	}
	ck_assert_int_eq(file_open("image", false, &fd, &why), -EACCES);
	ck_assert_str_eq(why.text, "image: Permission denied");
	ck_assert_int_eq(file_open("image", true, &fd, &why), 0);
	close(fd);
	ck_assert_int_eq(seteuid(getuid()), 0);
}
END_TEST

static bool is_direct(int fd)
{
	return fcntl(fd, F_GETFL) & O_DIRECT;
}

/* Whatever the file system can do, the answer and the flag agree. */
START_TEST(test_cache)
{
	struct why why = { "" };
	int fd, err;

	make_image(_i ? 1 << 20 : 0);
	ck_assert_int_eq(file_open("image", _i % 2, &fd, NULL), 0);
	ck_assert(!is_direct(fd));
	err = file_set_cache(fd, "image", FILE_CACHE_DIRECT, 4096, &why);
	ck_assert(err == 0 || err == -EOPNOTSUPP);
	ck_assert(is_direct(fd) == !err);
	if (err)
		ck_assert_msg(strstr(why.text, "--cache buffered"), "%s",
			      why.text);
	ck_assert_int_eq(
		file_set_cache(fd, "image", FILE_CACHE_AUTO, 4096, NULL), 0);
	ck_assert(is_direct(fd) == !err);
	ck_assert_int_eq(
		file_set_cache(fd, "image", FILE_CACHE_BUFFERED, 512, NULL), 0);
	ck_assert(!is_direct(fd));
	close(fd);
}
END_TEST

/* memfd and proc know no O_DIRECT. */
START_TEST(test_no_direct)
{
	struct why why = { "" };
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(file_set_cache(fd, "x", FILE_CACHE_DIRECT, 512, &why),
			 -EOPNOTSUPP);
	ck_assert_msg(strstr(why.text, "x: direct I/O"), "%s", why.text);
	ck_assert_int_eq(file_set_cache(fd, "x", FILE_CACHE_AUTO, 512, NULL),
			 0);
	ck_assert(!is_direct(fd));
	close(fd);
	ck_assert_int_eq(file_set_cache(-1, "x", FILE_CACHE_AUTO, 512, &why),
			 -EBADF);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("file, open");
	TCase *tc = tcase_create("open");
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_set_fork_status(sr, CK_FORK);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_refused, 0,
			    sizeof(refused_rows) / sizeof(*refused_rows));
	tcase_add_test(tc, test_flags);
	tcase_add_test(tc, test_not_permitted);
	tcase_add_loop_test(tc, test_cache, 0, 3);
	tcase_add_test(tc, test_no_direct);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
