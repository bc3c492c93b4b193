/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* What stands in the runtime directory: locks, states, sockets. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/runtime.h"
#include "lib/why.h"
#include "tests/unit/runtime_help.h"

static struct runtime rt;

static void open_one(void)
{
	runtime_setup(&rt);
}

static void close_one(void)
{
	runtime_close(&rt);
	runtime_close(&rt);
	runtime_teardown();
}

static bool exists(const char *file)
{
	return !faccessat(rt.dir_fd, file, F_OK, AT_SYMLINK_NOFOLLOW);
}

/* Make @file with @text. */
static void plant(const char *file, const char *text)
{
	int fd = openat(rt.dir_fd, file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

START_TEST(test_lock)
{
	struct why why = { "" };
	int fd = -7, other = -7;

	ck_assert_int_eq(runtime_lock(&rt, "a", &fd, &why), 0);
	ck_assert_int_eq(runtime_lock(&rt, "a", &other, &why), -EBUSY);
	ck_assert_int_eq(other, -7);
	ck_assert_str_eq(why.text, "a: is open already");
	ck_assert_int_eq(runtime_lock(&rt, "b", &other, &why), 0);
	close(other);
	close(fd);
	ck_assert_int_eq(runtime_lock(&rt, "a", &fd, &why), 0);
	close(fd);
}
END_TEST

START_TEST(test_lock_ends_with_the_process)
{
	int fd, ready[2], end[2];
	char c;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(end, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		close(end[1]);
		if (runtime_lock(&rt, "a", &fd, NULL) ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		_exit(read(end[0], &c, 1) != 0);
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert_int_eq(runtime_lock(&rt, "a", &fd, NULL), -EBUSY);
	close(end[1]);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(runtime_lock(&rt, "a", &fd, NULL), 0);
	close(fd);
}
END_TEST

/*
 * Many open and close the same name at once: two must never hold it, although
 * each removes the file when it is done.
 */
START_TEST(test_lock_race)
{
	enum {
		PROCESSES = 4,
		ROUNDS = 300
	};
	int i, p, fd, mark, status;

	for (p = 0; p < PROCESSES; p++) {
		if (fork())
			continue;
		for (i = 0; i < ROUNDS; i++) {
			if (runtime_lock(&rt, "a", &fd, NULL))
				continue;
			mark = openat(rt.dir_fd, "mark",
				      O_CREAT | O_EXCL | O_CLOEXEC, 0600);
			if (mark < 0 || unlinkat(rt.dir_fd, "mark", 0))
				_exit(1);
			close(mark);
			runtime_remove(&rt, "a");
			close(fd);
		}
		_exit(0);
	}
	for (p = 0; p < PROCESSES; p++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
}
END_TEST

START_TEST(test_lock_cannot_be_made)
{
	struct why why = { "" };
	int fd;

	ck_assert_int_eq(symlinkat("/etc/passwd", rt.dir_fd, "a.lock"), 0);
	ck_assert_int_eq(runtime_lock(&rt, "a", &fd, &why), -ELOOP);
	ck_assert_ptr_nonnull(strstr(why.text, "a.lock"));
	ck_assert_int_eq(symlinkat("/etc/passwd", rt.dir_fd, "a.busy"), 0);
	ck_assert_int_eq(runtime_lock_busy(&rt, "a", &fd), -ELOOP);
}
END_TEST

/* Beside the other one, and with a child that outlives us. */
START_TEST(test_lock_busy)
{
	int fds[2], lock, fd, other = -7;
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(runtime_lock(&rt, "a", &lock, NULL), 0);
	ck_assert_int_eq(runtime_lock_busy(&rt, "a", &fd), 0);
	pid = fork();
	if (!pid) {
		close(fds[1]);
		_exit(read(fds[0], &byte, 1) != 0);
	}
	close(fd);
	ck_assert_int_eq(runtime_lock_busy(&rt, "a", &other), -EBUSY);
	ck_assert_int_eq(other, -7);
	close(fds[1]);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(runtime_lock_busy(&rt, "a", &fd), 0);
}
END_TEST

START_TEST(test_state)
{
	char *text = NULL;

	ck_assert_int_eq(runtime_read_state(&rt, "a", &text), -ENOENT);
	ck_assert_int_eq(runtime_write_state(&rt, "a", "{\"x\":1}"), 0);
	ck_assert_int_eq(runtime_read_state(&rt, "a", &text), 0);
	ck_assert_str_eq(text, "{\"x\":1}");
	free(text);
	/* Shorter than before. */
	ck_assert_int_eq(runtime_write_state(&rt, "a", "{}"), 0);
	ck_assert_int_eq(runtime_read_state(&rt, "a", &text), 0);
	ck_assert_str_eq(text, "{}");
	free(text);
	ck_assert(!exists("a.new"));
}
END_TEST

/* Half a file that somebody left is not in the way. */
START_TEST(test_state_after_a_crash)
{
	char *text;

	plant("a.new", "{\"a long half of a st");
	ck_assert_int_eq(runtime_write_state(&rt, "a", "{}"), 0);
	ck_assert_int_eq(runtime_read_state(&rt, "a", &text), 0);
	ck_assert_str_eq(text, "{}");
	free(text);
}
END_TEST

START_TEST(test_state_cannot_be_written)
{
	char *text = NULL;

	ck_assert_int_eq(mkdirat(rt.dir_fd, "a.json", 0700), 0);
	ck_assert_int_eq(runtime_write_state(&rt, "a", "{}"), -EISDIR);
	ck_assert(!exists("a.new"));
	ck_assert_int_eq(runtime_read_state(&rt, "a", &text), -EIO);
	ck_assert_ptr_null(text);
	ck_assert_int_eq(symlinkat("/etc/passwd", rt.dir_fd, "b.json"), 0);
	ck_assert_int_eq(runtime_read_state(&rt, "b", &text), -ELOOP);
	ck_assert_int_eq(symlinkat("elsewhere", rt.dir_fd, "b.new"), 0);
	ck_assert_int_eq(runtime_write_state(&rt, "b", "{}"), -ELOOP);
	ck_assert(!exists("elsewhere"));
}
END_TEST

START_TEST(test_shm)
{
	struct stat st;
	char c = 'x';
	int fd, again;

	ck_assert_int_eq(runtime_open_shm(&rt, "a", &fd), -ENOENT);
	ck_assert_int_eq(runtime_create_shm(&rt, "a", 10000, &fd), 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, 10000);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(pwrite(fd, &c, 1, 5), 1);
	ck_assert_int_eq(runtime_open_shm(&rt, "a", &again), 0);
	ck_assert_int_eq(pread(again, &c, 1, 5), 1);
	ck_assert_int_eq(c, 'x');
	close(again);
	/* Made anew, it is another file, and empty. */
	ck_assert_int_eq(runtime_create_shm(&rt, "a", 100, &again), 0);
	ck_assert_int_eq(pread(again, &c, 1, 5), 1);
	ck_assert_int_eq(c, 0);
	ck_assert_int_eq(pread(fd, &c, 1, 5), 1);
	ck_assert_int_eq(c, 'x');
	close(again);
	close(fd);
	ck_assert_int_lt(runtime_create_shm(&rt, "a", (size_t)1 << 60, &fd), 0);
	ck_assert(!exists("a.shm"));
}
END_TEST

START_TEST(test_socket)
{
	char longest[64];
	int fd, client;

	ck_assert_int_eq(runtime_connect(&rt, "a", &client), -ENOENT);
	ck_assert_int_eq(runtime_listen(&rt, "a", &fd), 0);
	ck_assert_int_eq(runtime_connect(&rt, "a", &client), 0);
	close(client);
	close(fd);
	/* What a monitor left that was killed. */
	ck_assert_int_eq(runtime_connect(&rt, "a", &client), -ECONNREFUSED);
	ck_assert_int_eq(runtime_listen(&rt, "a", &fd), 0);
	ck_assert_int_eq(runtime_connect(&rt, "a", &client), 0);
	close(client);
	close(fd);
	memset(longest, 'n', 63);
	longest[63] = '\0';
	ck_assert_int_eq(runtime_listen(&rt, longest, &fd), 0);
	close(fd);
	/* With a directory of the longest name, it does not fit. */
	memset(rt.path, 'x', sizeof(rt.path) - 1);
	ck_assert_int_eq(runtime_listen(&rt, longest, &fd), -ENAMETOOLONG);
	ck_assert_int_eq(runtime_connect(&rt, longest, &fd), -ENAMETOOLONG);
	ck_assert_int_eq(runtime_listen(&rt, "a", &fd), -ENOENT);
}
END_TEST

START_TEST(test_remove)
{
	static const char *const mine[] = { "a.lock", "a.json", "a.sock",
					    "a.shm",  "a.new",	"a.busy" };
	static const char *const others[] = { "a.b.json", "aa.json", "b.json" };
	size_t i;

	for (i = 0; i < 6; i++)
		plant(mine[i], "x");
	for (i = 0; i < 3; i++)
		plant(others[i], "x");
	runtime_remove(&rt, "a");
	for (i = 0; i < 6; i++)
		ck_assert(!exists(mine[i]));
	for (i = 0; i < 3; i++)
		ck_assert(exists(others[i]));
	runtime_remove(&rt, "a");
}
END_TEST

struct names {
	char text[64];
	const char *fail_at;
};

static int add_name(const struct runtime *of, const char *name, void *arg)
{
	struct names *names = arg;

	ck_assert_ptr_eq(of, &rt);
	strcat(names->text, name);
	strcat(names->text, " ");
	return names->fail_at && !strcmp(name, names->fail_at) ? -EIO : 0;
}

START_TEST(test_each)
{
	static const char *const files[] = {
		"b.json", "a.json", "c.lock",	   "d.new",
		".json",  "json",   "a.json.json", "e.sock",
	};
	struct names names = { "" };
	size_t i;

	ck_assert_int_eq(runtime_each(&rt, add_name, &names), 0);
	ck_assert_str_eq(names.text, "");
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		plant(files[i], "x");
	ck_assert_int_eq(runtime_each(&rt, add_name, &names), 0);
	ck_assert_str_eq(names.text, "a a.json b ");
	names = (struct names){ "", "a.json" };
	ck_assert_int_eq(runtime_each(&rt, add_name, &names), -EIO);
	ck_assert_str_eq(names.text, "a a.json ");
	strcpy(rt.path, "/nowhere");
	ck_assert_int_eq(runtime_each(&rt, add_name, &names), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("runtime");
	TCase *tc = tcase_create("runtime");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, open_one, close_one);
	tcase_add_test(tc, test_lock);
	tcase_add_test(tc, test_lock_busy);
	tcase_add_test(tc, test_lock_ends_with_the_process);
	tcase_add_test(tc, test_lock_race);
	tcase_add_test(tc, test_lock_cannot_be_made);
	tcase_add_test(tc, test_state);
	tcase_add_test(tc, test_state_after_a_crash);
	tcase_add_test(tc, test_state_cannot_be_written);
	tcase_add_test(tc, test_shm);
	tcase_add_test(tc, test_socket);
	tcase_add_test(tc, test_remove);
	tcase_add_test(tc, test_each);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
