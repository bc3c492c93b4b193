/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Passphrases from key files, standard input and a terminal with signals. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* tools/ is no part of the library. */
#include "tools/passphrase.c"
#include "tools/terminal.c"

static struct why why;

/* A file with this content, as "/proc/self/fd/N". */
static const char *file_with(const void *data, size_t len)
{
	static char path[32];
	int fd = memfd_create("key", 0);

	ck_assert_int_eq(write(fd, data, len), (int)len);
	lseek(fd, 0, SEEK_SET);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

static void stdin_with(const void *data, size_t len)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(write(fds[1], data, len), (int)len);
	close(fds[1]);
	dup2(fds[0], STDIN_FILENO);
	close(fds[0]);
}

static int get(const char *key_file, struct secret *ret)
{
	struct passphrase_source source = { key_file, "Passphrase" };

	why.text[0] = '\0';
	return passphrase_get(&source, true, ret, &why);
}

static void expect(const char *key_file, const void *data, size_t len)
{
	struct secret secret;
	int r = get(key_file, &secret);

	ck_assert_msg(!r, "%d %s", r, why.text);
	ck_assert_uint_eq(secret.len, len);
	ck_assert_mem_eq(secret.data, data, len);
	secret_free(&secret);
	ck_assert_ptr_null(secret.data);
	secret_free(&secret);
}

static void expect_error(const char *key_file, int err, const char *reason)
{
	struct secret secret = { .len = 77 };

	ck_assert_int_eq(get(key_file, &secret), err);
	ck_assert_msg(strstr(why.text, reason), "%s", why.text);
	ck_assert_uint_eq(secret.len, 77);
}

/* A key file counts whole. */
START_TEST(test_key_file)
{
	expect(file_with("a\nb\0c\n", 6), "a\nb\0c\n", 6);
	expect(file_with("x", 1), "x", 1);
	expect_error(file_with("", 0), -EINVAL, "empty");
	expect_error("/nonexistent/key", -ENOENT, "/nonexistent/key");
	expect_error("/", -EISDIR, "/");
}
END_TEST

START_TEST(test_key_file_large)
{
	size_t len = (1 << 20) + 1;
	char *data = malloc(len + 1);

	memset(data, 'k', len);
	data[len - 1] = 'e';
	expect(file_with(data, len), data, len);
	free(data);
}
END_TEST

/* Sparse, so that it costs little; refused before it is all read. */
START_TEST(test_key_file_too_large)
{
	int fd = memfd_create("key", 0), r;
	struct secret secret;
	char path[32];

	ck_assert_int_eq(ftruncate(fd, 9 << 20), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = get(path, &secret);
	/* Who may not lock that much gets the other error. */
	ck_assert(r == -EINVAL || r == -ENOMEM);
	ck_assert_ptr_nonnull(
		strstr(why.text, r == -EINVAL ? "8 MiB" : "ulimit -l"));
}
END_TEST

START_TEST(test_stdin_whole)
{
	stdin_with("one\ntwo\n", 8);
	expect("-", "one\ntwo\n", 8);
	expect_error("-", -EINVAL, "standard input: empty");
}
END_TEST

/* Without a key file a line counts, and what follows is left alone. */
START_TEST(test_stdin_line)
{
	char rest[8];

	stdin_with("one\ntwo", 7);
	expect(NULL, "one", 3);
	ck_assert_int_eq(read(STDIN_FILENO, rest, sizeof(rest)), 3);
	stdin_with("no newline", 10);
	expect(NULL, "no newline", 10);
	stdin_with("\n", 1);
	expect(NULL, "", 0);
}
END_TEST

START_TEST(test_stdin_nothing)
{
	stdin_with("", 0);
	expect_error(NULL, -ENOTTY, "no terminal for the passphrase");
}
END_TEST

START_TEST(test_stdin_long)
{
	char line[PASSPHRASE_MAX + 2];

	memset(line, 'x', sizeof(line));
	line[PASSPHRASE_MAX] = '\n';
	stdin_with(line, PASSPHRASE_MAX + 1);
	expect(NULL, line, PASSPHRASE_MAX);
	line[PASSPHRASE_MAX] = 'x';
	line[PASSPHRASE_MAX + 1] = '\n';
	stdin_with(line, PASSPHRASE_MAX + 2);
	expect_error(NULL, -EINVAL, "longer than 512");
}
END_TEST

/*
 * A child with a terminal of its own.  It reports the result of one
 * passphrase_get through its exit status: 0 when it is "secret", else the
 * errno.
 */
struct typist {
	int master;
	int slave;
	pid_t pid;
};

static void run_typist(const char *slave, bool verify)
{
	struct passphrase_source source = { NULL, "Passphrase" };
	struct secret secret;
	size_t i;
	int fd, r;

	/* libcheck's handlers are not for this process. */
	for (i = 0; i < NR_WATCHED; i++)
		signal(watched[i], SIG_DFL);
	/* A test that fails leaves no process for long. */
	alarm(30);
	setsid();
	fd = open(slave, O_RDWR);
	ioctl(fd, TIOCSCTTY, 0);
	dup2(fd, STDIN_FILENO);
	r = passphrase_get(&source, verify, &secret, &why);
	if (r)
		_exit(-r);
	r = secret.len == 6 && !memcmp(secret.data, "secret", 6) ? 0 : 99;
	secret_free(&secret);
	_exit(r);
}

static struct typist start(bool verify)
{
	struct typist t;
	char name[64];

	t.master = posix_openpt(O_RDWR | O_NOCTTY);
	ck_assert_int_ge(t.master, 0);
	ck_assert_int_eq(grantpt(t.master), 0);
	ck_assert_int_eq(unlockpt(t.master), 0);
	ck_assert_int_eq(ptsname_r(t.master, name, sizeof(name)), 0);
	/* Keeps the terminal's state when the child is gone. */
	t.slave = open(name, O_RDWR | O_NOCTTY);
	t.pid = fork();
	if (!t.pid)
		run_typist(name, verify);
	return t;
}

static bool echoes(const struct typist *t)
{
	struct termios tio;

	ck_assert_int_eq(tcgetattr(t->slave, &tio), 0);
	return tio.c_lflag & ECHO;
}

/* Read what is shown until @text comes. */
static void await(const struct typist *t, const char *text)
{
	struct pollfd pfd = { .fd = t->master, .events = POLLIN };
	char shown[4096] = "";
	size_t len = 0;
	ssize_t n;

	while (!strstr(shown, text)) {
		ck_assert_msg(poll(&pfd, 1, 10000) == 1, "no %s, only %s", text,
			      shown);
		n = read(t->master, shown + len, sizeof(shown) - 1 - len);
		ck_assert_int_gt(n, 0);
		len += (size_t)n;
		shown[len] = '\0';
	}
	ck_assert_ptr_null(strstr(shown, "secret"));
}

static void type(const struct typist *t, const char *text)
{
	ck_assert(!echoes(t));
	ck_assert_int_eq(write(t->master, text, strlen(text)),
			 (int)strlen(text));
}

static int end(struct typist *t)
{
	int status;

	ck_assert_int_eq(waitpid(t->pid, &status, 0), t->pid);
	ck_assert_msg(echoes(t), "the echo is still off");
	close(t->slave);
	close(t->master);
	return status;
}

static void expect_exit(struct typist *t, int code)
{
	int status = end(t);

	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), code);
}

START_TEST(test_typed)
{
	struct typist t = start(false);

	await(&t, "Passphrase: ");
	type(&t, "secret\n");
	expect_exit(&t, 0);
}
END_TEST

START_TEST(test_typed_twice)
{
	struct typist t = start(true);

	await(&t, "Passphrase: ");
	type(&t, "secret\n");
	await(&t, "Again: Passphrase: ");
	type(&t, _i ? "secred\n" : "secret\n");
	expect_exit(&t, _i ? EPERM : 0);
}
END_TEST

START_TEST(test_typed_end_of_file)
{
	struct typist t = start(false);

	await(&t, "Passphrase: ");
	type(&t, "\004");
	expect_exit(&t, EINVAL);
}
END_TEST

START_TEST(test_typed_too_long)
{
	struct typist t = start(false);
	char line[PASSPHRASE_MAX + 3];

	memset(line, 'x', sizeof(line));
	line[PASSPHRASE_MAX + 1] = '\n';
	line[PASSPHRASE_MAX + 2] = '\0';
	await(&t, "Passphrase: ");
	type(&t, line);
	expect_exit(&t, EINVAL);
}
END_TEST

/* The echo is back, and the signal has its effect. */
static const int deadly[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };

START_TEST(test_killed)
{
	struct typist t = start(_i % 2);
	int status;

	await(&t, "Passphrase: ");
	type(&t, "sec");
	ck_assert_int_eq(kill(t.pid, deadly[_i]), 0);
	status = end(&t);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), deadly[_i]);
}
END_TEST

START_TEST(test_interrupted_at_the_keyboard)
{
	struct typist t = start(false);
	int status;

	await(&t, "Passphrase: ");
	type(&t, "sec\003");
	status = end(&t);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGINT);
}
END_TEST

/* Stopped: the echo is on; continued: it asks again. */
START_TEST(test_stopped)
{
	struct typist t = start(false);
	int status;

	await(&t, "Passphrase: ");
	type(&t, "sec");
	/* An orphaned process group ignores SIGTSTP: stop it for good. */
	ck_assert_int_eq(kill(t.pid, SIGTSTP), 0);
	if (!_i) {
		await(&t, "Passphrase: ");
	} else {
		await(&t, "Passphrase: ");
		ck_assert_int_eq(kill(t.pid, SIGSTOP), 0);
		ck_assert_int_eq(waitpid(t.pid, &status, WUNTRACED), t.pid);
		ck_assert_int_eq(kill(t.pid, SIGCONT), 0);
	}
	type(&t, "secret\n");
	expect_exit(&t, 0);
}
END_TEST

static int confirm_at(struct typist *t, const char *answer)
{
	int status;

	await(t, "Sure? ");
	ck_assert_int_eq(write(t->master, answer, strlen(answer)),
			 (int)strlen(answer));
	ck_assert_int_eq(waitpid(t->pid, &status, 0), t->pid);
	close(t->slave);
	close(t->master);
	return WEXITSTATUS(status);
}

static struct typist start_confirm(void)
{
	struct typist t;
	bool yes;

	t.master = posix_openpt(O_RDWR | O_NOCTTY);
	grantpt(t.master);
	unlockpt(t.master);
	t.slave = open(ptsname(t.master), O_RDWR | O_NOCTTY);
	t.pid = fork();
	if (!t.pid) {
		setsid();
		ioctl(t.slave, TIOCSCTTY, 0);
		if (terminal_confirm("Sure? ", "YES", &yes, &why))
			_exit(9);
		_exit(yes);
	}
	return t;
}

START_TEST(test_confirm)
{
	static const struct {
		const char *typed;
		int yes;
	} answers[] = {
		{ "YES\n", 1 },	 { "yes\n", 0 }, { "YES \n", 0 },
		{ "YESS\n", 0 }, { "\n", 0 },	 { "\004", 0 },
	};
	struct typist t;
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		t = start_confirm();
		ck_assert_int_eq(confirm_at(&t, answers[i].typed),
				 answers[i].yes);
	}
}
END_TEST

START_TEST(test_no_terminal)
{
	pid_t pid = fork();
	int status;
	bool yes;

	if (!pid) {
		setsid();
		close(STDIN_FILENO);
		open("/dev/null", O_RDONLY);
		_exit(-terminal_confirm("Sure? ", "YES", &yes, &why));
	}
	waitpid(pid, &status, 0);
	ck_assert_int_eq(WEXITSTATUS(status), ENOTTY);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("passphrase");
	TCase *tc = tcase_create("passphrase");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_key_file);
	tcase_add_test(tc, test_key_file_large);
	tcase_add_test(tc, test_key_file_too_large);
	tcase_add_test(tc, test_stdin_whole);
	tcase_add_test(tc, test_stdin_line);
	tcase_add_test(tc, test_stdin_nothing);
	tcase_add_test(tc, test_stdin_long);
	tcase_add_test(tc, test_typed);
	tcase_add_loop_test(tc, test_typed_twice, 0, 2);
	tcase_add_test(tc, test_typed_end_of_file);
	tcase_add_test(tc, test_typed_too_long);
	tcase_add_loop_test(tc, test_killed, 0,
			    (int)(sizeof(deadly) / sizeof(deadly[0])));
	tcase_add_test(tc, test_interrupted_at_the_keyboard);
	tcase_add_loop_test(tc, test_stopped, 0, 2);
	tcase_add_test(tc, test_confirm);
	tcase_add_test(tc, test_no_terminal);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
