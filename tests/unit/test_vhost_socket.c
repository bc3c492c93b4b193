/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The socket of a vhost-user server: made, replaced, adopted, removed. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/why.h"
#include "vhost-user/socket.h"

static char dir[64], path[96];
static struct vhost_socket_params params;
static struct why why;

static void setup(void)
{
	strcpy(dir, "/tmp/vcrypt-socket-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	params = (struct vhost_socket_params){
		.path = path,
		.mode = 0600,
		.group = (gid_t)-1,
	};
}

static void teardown(void)
{
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

static int try_connect(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;

	strcpy(addr.sun_path, path);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err = -errno;
	close(fd);
	return err;
}

START_TEST(test_life)
{
	static const mode_t masks[] = { 0, 022, 0777 };
	static const mode_t modes[] = { 0600, 0660, 0666 };
	mode_t old = umask(masks[_i]);
	struct stat st;
	int fd;

	params.mode = modes[_i];
	params.group = getegid();
	ck_assert_int_eq(vhost_socket_listen(&params, &fd, &why), 0);
	umask(old);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 07777, modes[_i]);
	ck_assert_int_eq(try_connect(), 0);
	vhost_socket_remove(fd, path);
	ck_assert_int_ne(stat(path, &st), 0);
}
END_TEST

START_TEST(test_in_use)
{
	int fd, other;

	ck_assert_int_eq(vhost_socket_listen(&params, &fd, &why), 0);
	ck_assert_int_eq(vhost_socket_listen(&params, &other, &why), -EBUSY);
	ck_assert_ptr_nonnull(strstr(why.text, "another server listens"));
	ck_assert_int_eq(try_connect(), 0);
	vhost_socket_remove(fd, path);
}
END_TEST

START_TEST(test_stale)
{
	int fd;

	ck_assert_int_eq(vhost_socket_listen(&params, &fd, &why), 0);
	/* Its server is killed. */
	close(fd);
	ck_assert_int_eq(try_connect(), -ECONNREFUSED);
	ck_assert_int_eq(vhost_socket_listen(&params, &fd, &why), 0);
	ck_assert_int_eq(try_connect(), 0);
	vhost_socket_remove(fd, path);
}
END_TEST

/* Another server has the place by now: its socket stays. */
START_TEST(test_taken_over)
{
	int fd, other;

	ck_assert_int_eq(vhost_socket_listen(&params, &fd, &why), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(vhost_socket_listen(&params, &other, &why), 0);
	vhost_socket_remove(fd, path);
	ck_assert_int_eq(try_connect(), 0);
	vhost_socket_remove(other, path);
}
END_TEST

START_TEST(test_something_else_there)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600), other;

	close(fd);
	ck_assert_int_eq(vhost_socket_listen(&params, &other, &why), -EEXIST);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(test_impossible)
{
	char longest[200];
	int fd;

	memset(longest, 'x', sizeof(longest));
	longest[108] = '\0';
	params.path = longest;
	ck_assert_int_eq(vhost_socket_listen(&params, &fd, &why),
			 -ENAMETOOLONG);
	params.path = "";
	ck_assert_int_eq(vhost_socket_listen(&params, &fd, &why),
			 -ENAMETOOLONG);
	params.path = "/nowhere/at/all";
	ck_assert_int_eq(vhost_socket_listen(&params, &fd, &why), -ENOENT);
}
END_TEST

START_TEST(test_no_descriptor_left)
{
	struct rlimit before, none;
	int fd = -1, err;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	err = vhost_socket_listen(&params, &fd, &why);
	/* The leak sanitizer opens files at the end. */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_int_eq(err, -EMFILE);
	ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(test_adopt)
{
	int fd, pair[2], types[2];

	ck_assert_int_eq(vhost_socket_listen(&params, &fd, &why), 0);
	fcntl(fd, F_SETFL, 0);
	fcntl(fd, F_SETFD, 0);
	ck_assert_int_eq(vhost_socket_adopt(fd, &why), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	/* Somebody else's file stays. */
	vhost_socket_remove(fd, "");
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(vhost_socket_adopt(fd, &why), -EINVAL);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(vhost_socket_adopt(pair[0], &why), -EINVAL);
	types[0] = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	types[1] = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(vhost_socket_adopt(types[0], &why), -EINVAL);
	ck_assert_int_eq(vhost_socket_adopt(types[1], &why), -EINVAL);
	close(types[0]);
	close(types[1]);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vhost_socket");
	TCase *tc = tcase_create("socket");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_life, 0, 3);
	tcase_add_test(tc, test_in_use);
	tcase_add_test(tc, test_stale);
	tcase_add_test(tc, test_taken_over);
	tcase_add_test(tc, test_something_else_there);
	tcase_add_test(tc, test_impossible);
	tcase_add_test(tc, test_no_descriptor_left);
	tcase_add_test(tc, test_adopt);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
