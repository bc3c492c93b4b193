/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Passphrases from wherever they come, and a terminal with signals. */
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
#include "tools/options.c"
#include "tools/passphrase.c"
#include "tools/passphrase_file.c"
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

static void expect_from(const struct passphrase_source *source,
			const void *data, size_t len)
{
	struct secret secret;
	int r;

	why.text[0] = '\0';
	r = passphrase_get(source, true, &secret, &why);
	ck_assert_msg(!r, "%d %s", r, why.text);
	ck_assert_uint_eq(secret.len, len);
	ck_assert_mem_eq(secret.data, data, len);
	secret_free(&secret);
	ck_assert_ptr_null(secret.data);
	secret_free(&secret);
}

static void expect(const char *key_file, const void *data, size_t len)
{
	struct passphrase_source source = { .key_file = key_file };

	expect_from(&source, data, len);
}

static void expect_error_from(const struct passphrase_source *source, int err,
			      const char *reason)
{
	struct secret secret = { .len = 77 };

	ck_assert_int_eq(passphrase_get(source, true, &secret, &why), err);
	ck_assert_msg(strstr(why.text, reason), "%s", why.text);
	ck_assert_uint_eq(secret.len, 77);
}

static void expect_error(const char *key_file, int err, const char *reason)
{
	struct passphrase_source source = { .key_file = key_file };

	expect_error_from(&source, err, reason);
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

/* Refused before anything is read, or when there is too much of it. */
START_TEST(test_key_file_too_large)
{
	int fd = memfd_create("key", 0), r;
	struct passphrase_source zero = { .key_file = "/dev/zero" };
	struct secret secret;
	char path[32];

	ck_assert_int_eq(ftruncate(fd, (8 << 20) + 1), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	expect_error(path, -EINVAL, "8 MiB");
	r = passphrase_get(&zero, false, &secret, &why);
	/* Who may not lock that much gets the other error. */
	ck_assert(r == -EINVAL || r == -ENOMEM);
	ck_assert_ptr_nonnull(
		strstr(why.text, r == -EINVAL ? "8 MiB" : "ulimit -l"));
}
END_TEST

/* Offset, size, and what comes of them; "" is an error that says "error". */
static const struct {
	uint64_t offset, size;
	const char *data, *error;
} cuts[] = {
	{ 0, 4, "0123" },
	{ 3, 0, "3456789\n" },
	{ 3, 2, "34" },
	{ 10, 1, "\n" },
	{ 11, 0, "", "ends before byte 11" },
	{ 1u << 30, 0, "", "ends before byte" },
	{ 0, 12, "", "has 11 bytes from byte 0 on, not 12" },
	{ 5, 7, "", "has 6 bytes from byte 5 on, not 7" },
	{ 0, KEY_FILE_MAX + 1, "", "longer than 8 MiB" },
};

static void expect_cut(const char *key_file, int i)
{
	struct passphrase_source source = {
		.key_file = key_file,
		.keyfile_offset = cuts[i].offset,
		.keyfile_size = cuts[i].size,
	};

	if (cuts[i].error)
		expect_error_from(&source, -EINVAL, cuts[i].error);
	else
		expect_from(&source, cuts[i].data, strlen(cuts[i].data));
}

START_TEST(test_key_file_cut)
{
	expect_cut(file_with("0123456789\n", 11), _i);
	stdin_with("0123456789\n", 11);
	expect_cut("-", _i);
}
END_TEST

/* What is left out may be longer than what is read at once. */
START_TEST(test_pipe_far_offset)
{
	struct passphrase_source source = {
		.key_file = "-",
		.keyfile_offset = 3 * 4096 + 1,
	};
	char data[3 * 4096 + 3];

	memset(data, 'x', sizeof(data));
	data[sizeof(data) - 1] = 'e';
	stdin_with(data, sizeof(data));
	expect_from(&source, "xe", 2);
}
END_TEST

START_TEST(test_key_file_fifo)
{
	char dir[] = "/tmp/vcrypt-fifo-XXXXXX", path[64];
	pid_t pid;
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/key", dir);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	pid = fork();
	if (!pid) {
		fd = open(path, O_WRONLY);
		_exit(write(fd, "a\nb\n", 4) != 4);
	}
	expect(path, "a\nb\n", 4);
	waitpid(pid, NULL, 0);
	unlink(path);
	rmdir(dir);
}
END_TEST

/* A line each, and what follows is left for the next. */
START_TEST(test_descriptor)
{
	struct passphrase_source source = { .fd = "7" };
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	dup2(fds[0], 7);
	ck_assert_int_eq(write(fds[1], "old\nnew\nlast", 12), 12);
	expect_from(&source, "old", 3);
	expect_from(&source, "new", 3);
	close(fds[1]);
	expect_from(&source, "last", 4);
	expect_error_from(&source, -ENODATA, "descriptor 7: nothing to read");
}
END_TEST

START_TEST(test_descriptor_bad)
{
	static const char *const bad[] = { "x",	  "-1",		"",
					   "1.5", "4294967295", "99999999999" };
	struct passphrase_source source = { .fd = "9" };
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	char number[12];
	size_t i;

	close(9);
	expect_error_from(&source, -EDOM, "descriptor 9: is not open");
	dup2(open("/dev/null", O_WRONLY), 9);
	expect_error_from(&source, -EDOM, "is not open for reading");
	dup2(open("/", O_RDONLY), 9);
	expect_error_from(&source, -EISDIR, "descriptor 9");
	snprintf(number, sizeof(number), "%d", master);
	source.fd = number;
	expect_error_from(&source, -EDOM, "is a terminal");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		source.fd = bad[i];
		expect_error_from(&source, -EDOM, "not the number");
	}
}
END_TEST

static int credential_file(const char *dir, const char *name, const char *data)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	return fputs(data, f) < 0 || fclose(f);
}

START_TEST(test_credential)
{
	char dir[] = "/tmp/vcrypt-cred-XXXXXX", command[64];
	struct passphrase_source source = { .credential = "disk.key" };

	ck_assert_ptr_nonnull(mkdtemp(dir));
	unsetenv("CREDENTIALS_DIRECTORY");
	expect_error_from(&source, -EDOM, "$CREDENTIALS_DIRECTORY is not set");
	setenv("CREDENTIALS_DIRECTORY", "relative", 1);
	expect_error_from(&source, -EDOM, "$CREDENTIALS_DIRECTORY is not set");
	setenv("CREDENTIALS_DIRECTORY", "/nonexistent/folder", 1);
	expect_error_from(&source, -ENOENT, "/nonexistent/folder");
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	expect_error_from(&source, -ENOENT, "credential \"disk.key\": No such");
	ck_assert_int_eq(credential_file(dir, "disk.key", "a\nb\n"), 0);
	expect_from(&source, "a\nb\n", 4);
	ck_assert_int_eq(credential_file(dir, "disk.key", ""), 0);
	expect_error_from(&source, -EINVAL, "empty");
	/* Not what somebody put there to lead elsewhere, or to wait. */
	snprintf(command, sizeof(command), "%s/link", dir);
	ck_assert_int_eq(symlink("/etc/passwd", command), 0);
	source.credential = "link";
	expect_error_from(&source, -ELOOP, "link");
	snprintf(command, sizeof(command), "%s/fifo", dir);
	ck_assert_int_eq(mkfifo(command, 0600), 0);
	source.credential = "fifo";
	expect_error_from(&source, -EINVAL, "no regular file");
	snprintf(command, sizeof(command), "rm -r %s", dir);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(test_credential_name)
{
	static const char *const bad[] = {
		"",    ".",   "..",   "../etc/passwd", "/a",
		"a/b", "a:b", "a\nb", "\x7f",	       "\xc3\xa4"
	};
	struct passphrase_source source = { NULL };
	char longest[257];
	size_t i;

	setenv("CREDENTIALS_DIRECTORY", "/tmp", 1);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		source.credential = bad[i];
		expect_error_from(&source, -EDOM, "cannot be the name");
	}
	memset(longest, 'n', 256);
	longest[256] = '\0';
	source.credential = longest;
	expect_error_from(&source, -EDOM, "cannot be the name");
	source.credential = longest + 1;
	expect_error_from(&source, -ENOENT, "No such file");
}
END_TEST

/* Each two of them. */
START_TEST(test_contradictions)
{
	static const struct passphrase_source both[] = {
		{ .key_file = "a", .fd = "0" },
		{ .key_file = "a", .key = "b" },
		{ .key_file = "-", .credential = "b" },
		{ .fd = "0", .key = "b" },
		{ .fd = "0", .credential = "b" },
		{ .key = "a", .credential = "b" },
	};
	struct passphrase_source source = { .keyfile_offset = 1 };

	expect_error_from(&both[_i], -EDOM, "from one place only");
	ck_assert_int_eq(passphrase_check(&both[_i], "new-", &why), -EDOM);
	ck_assert_ptr_nonnull(strstr(why.text, "--new-"));
	expect_error_from(&source, -EDOM, "are for --key-file");
	source = (struct passphrase_source){ .fd = "0", .keyfile_size = 1 };
	expect_error_from(&source, -EDOM, "are for --key-file");
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

static int ignored; /* by the child that is started next */

static void run_typist(const char *slave, bool verify)
{
	struct passphrase_source source = {
		.prompt = "Passphrase",
		.key_file = verify ? NULL : "-", /* the same, at a terminal */
	};
	struct secret secret;
	int fd, r, sig;

	/* libcheck's handlers are not for this process. */
	for (sig = 1; sig < NSIG; sig++)
		signal(sig, sig == ignored ? SIG_IGN : SIG_DFL);
	/* A test that fails leaves no process for long. */
	alarm(200);
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
		ck_assert_msg(poll(&pfd, 1, 100000) == 1, "no %s, only %s",
			      text, shown);
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
	expect_exit(&t, EDOM);
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
	expect_exit(&t, EDOM);
}
END_TEST

/* The echo is back, and the signal has its effect. */
START_TEST(test_killed)
{
	struct sigaction old;
	struct typist t;
	int status;

	/* Those that do nothing, and those that glibc has for itself. */
	if (_i == SIGKILL || _i == SIGCHLD || _i == SIGURG || _i == SIGWINCH ||
	    is_pause(_i) || _i == SIGSTOP || sigaction(_i, NULL, &old))
		return;
	t = start(_i % 2);
	await(&t, "Passphrase: ");
	type(&t, "sec");
	ck_assert_int_eq(kill(t.pid, _i), 0);
	status = end(&t);
	ck_assert_msg(WIFSIGNALED(status), "signal %d", _i);
	ck_assert_int_eq(WTERMSIG(status), _i);
}
END_TEST

/* Started with nohup, say: an ignored signal does not end the question. */
START_TEST(test_ignored)
{
	struct typist t;

	ignored = SIGHUP;
	t = start(false);
	await(&t, "Passphrase: ");
	type(&t, "sec");
	ck_assert_int_eq(kill(t.pid, SIGHUP), 0);
	type(&t, "ret\n");
	expect_exit(&t, 0);
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

/* Stopped and continued: it asks again, and what was typed is forgotten. */
START_TEST(test_stopped)
{
	struct typist t = start(false);
	int status;

	await(&t, "Passphrase: ");
	type(&t, "sec");
	/* An orphaned process group ignores SIGTSTP: stop it for good. */
	ck_assert_int_eq(kill(t.pid, SIGTSTP), 0);
	await(&t, "Passphrase: ");
	if (_i) {
		ck_assert_int_eq(kill(t.pid, SIGSTOP), 0);
		ck_assert_int_eq(waitpid(t.pid, &status, WUNTRACED), t.pid);
		ck_assert_int_eq(kill(t.pid, SIGCONT), 0);
		await(&t, "Passphrase: ");
	}
	type(&t, "secret\n");
	expect_exit(&t, 0);
}
END_TEST

/* A shell that got the terminal meanwhile has switched the echo on. */
START_TEST(test_echo_while_stopped)
{
	struct typist t = start(false);
	struct termios tio;
	int status;

	await(&t, "Passphrase: ");
	ck_assert(!echoes(&t));
	ck_assert_int_eq(kill(t.pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(t.pid, &status, WUNTRACED), t.pid);
	ck_assert_int_eq(tcgetattr(t.slave, &tio), 0);
	tio.c_lflag |= ECHO;
	ck_assert_int_eq(tcsetattr(t.slave, TCSANOW, &tio), 0);
	ck_assert_int_eq(kill(t.pid, SIGCONT), 0);
	await(&t, "Passphrase: ");
	type(&t, "secret\n");
	expect_exit(&t, 0);
}
END_TEST

/* No offset of what a person types. */
START_TEST(test_typed_with_offset)
{
	struct passphrase_source source = {
		.key_file = "-",
		.keyfile_offset = 1,
	};
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	dup2(master, STDIN_FILENO);
	ck_assert(passphrase_is_typed(&source));
	expect_error_from(&source, -EDOM, "typed at a terminal");
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
	tcase_add_loop_test(tc, test_key_file_cut, 0,
			    (int)(sizeof(cuts) / sizeof(cuts[0])));
	tcase_add_test(tc, test_pipe_far_offset);
	tcase_add_test(tc, test_key_file_fifo);
	tcase_add_test(tc, test_descriptor);
	tcase_add_test(tc, test_descriptor_bad);
	tcase_add_test(tc, test_credential);
	tcase_add_test(tc, test_credential_name);
	tcase_add_loop_test(tc, test_contradictions, 0, 6);
	tcase_add_test(tc, test_stdin_whole);
	tcase_add_test(tc, test_stdin_line);
	tcase_add_test(tc, test_stdin_nothing);
	tcase_add_test(tc, test_stdin_long);
	tcase_add_test(tc, test_typed);
	tcase_add_loop_test(tc, test_typed_twice, 0, 2);
	tcase_add_test(tc, test_typed_end_of_file);
	tcase_add_test(tc, test_typed_too_long);
	tcase_add_test(tc, test_typed_with_offset);
	tcase_add_loop_test(tc, test_killed, 1, NSIG);
	tcase_add_test(tc, test_ignored);
	tcase_add_test(tc, test_interrupted_at_the_keyboard);
	tcase_add_loop_test(tc, test_stopped, 0, 2);
	tcase_add_test(tc, test_echo_while_stopped);
	tcase_add_test(tc, test_confirm);
	tcase_add_test(tc, test_no_terminal);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
