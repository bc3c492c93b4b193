/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Progress: when it is shown, what it says, and that it fits the terminal. */
#include <check.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* tools/ is no part of the library. */
#include "tools/progress.c"
#include "tools/volumes.c"

#define LEN(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define MIB    (1ull << 20)
#define T0     1000000 /* ms; when the fake clock starts */

/* @rate bytes a millisecond for @ms milliseconds, in steps of @step. */
static int run(struct progress *p, uint64_t rate, int64_t ms, int64_t step)
{
	int64_t end = p->now_ms + ms;
	int shown = 0;

	while (p->now_ms < end)
		shown += progress_advance(p, p->done + rate * (uint64_t)step,
					  p->now_ms + step);
	return shown;
}

START_TEST(test_when_bar)
{
	struct progress p;

	progress_init(&p, PROGRESS_BAR, "wipe", 0, 1 << 20, T0);
	ck_assert(!progress_advance(&p, 1, T0));
	ck_assert(!progress_advance(&p, 1, T0 + 499));
	ck_assert(progress_advance(&p, 1, T0 + 500));
	ck_assert(!progress_advance(&p, 1, T0 + 500));
	ck_assert(!progress_advance(&p, 1, T0 + 699));
	ck_assert(progress_advance(&p, 1, T0 + 700));
	ck_assert_int_eq(run(&p, 1, 10000, 1), 50);
}
END_TEST

START_TEST(test_when_json)
{
	struct progress p;

	progress_init(&p, PROGRESS_JSON, "wipe", 0, 1 << 20, T0);
	ck_assert(!progress_advance(&p, 1, T0 + 999));
	ck_assert(progress_advance(&p, 1, T0 + 1000));
	ck_assert(!progress_advance(&p, 1, T0 + 1999));
	ck_assert_int_eq(run(&p, 1, 10000, 1), 10);
}
END_TEST

START_TEST(test_when_none)
{
	struct progress p;

	progress_init(&p, PROGRESS_NONE, "wipe", 0, 1 << 20, T0);
	ck_assert_int_eq(run(&p, 1, 10000, 1), 0);
}
END_TEST

START_TEST(test_rate)
{
	struct progress p;

	progress_init(&p, PROGRESS_JSON, "wipe", 0, 1000 * MIB, T0);
	ck_assert(p.rate <= 0);
	ck_assert_int_eq(seconds_left(&p), -1);
	run(&p, 10000, 10000, 7);
	ck_assert_double_eq_tol(p.rate, 1e7, 1e4);
	/* It follows, neither at once nor never. */
	run(&p, 20000, 1000, 7);
	ck_assert_double_ge(p.rate, 1.1e7);
	ck_assert_double_le(p.rate, 1.5e7);
	run(&p, 20000, 30000, 7);
	ck_assert_double_eq_tol(p.rate, 2e7, 1e5);
	run(&p, 0, 60000, 7);
	ck_assert_double_le(p.rate, 1e5);
}
END_TEST

/* What was done before this run started is not of its rate. */
START_TEST(test_resumed)
{
	struct progress p;

	progress_init(&p, PROGRESS_JSON, "encrypt", 900 * MIB, 1000 * MIB, T0);
	run(&p, 10 * MIB / 1000, 5000, 10);
	ck_assert_double_eq_tol(p.rate, 10 * MIB, MIB / 10);
	ck_assert_int_ge(seconds_left(&p), 5);
	ck_assert_int_le(seconds_left(&p), 6);
}
END_TEST

static const struct {
	uint64_t done, total;
	double rate;
	int64_t ms;
	const char *text;
} bars[] = {
	{ 0, 100 * MIB, 0, 500,
	  "wipe   0% [                        ] 0 B of 100.0 MiB, 0 B/s, ? left" },
	{ 50 * MIB, 100 * MIB, 10.0 * MIB, 5000,
	  "wipe  50% [========        ] 50.0 MiB of 100.0 MiB, 10.0 MiB/s, 0:06 "
	  "left" },
	{ 100 * MIB - 1, 100 * MIB, 10.0 * MIB, 5000,
	  "wipe  99% [============== ] 100.0 MiB of 100.0 MiB, 10.0 MiB/s, 0:01 "
	  "left" },
	{ 100 * MIB, 100 * MIB, 10.0 * MIB, 3725000,
	  "wipe 100% [==================] 100.0 MiB of 100.0 MiB, 10.0 MiB/s, "
	  "1:02:05" },
	{ 1, UINT64_MAX, 1, 5000,
	  "wipe   0% [                      ] 1 B of 16384.0 PiB, 1 B/s, ? left" },
	{ 0, 0, 0, 0,
	  "wipe 100% [===================================] 0 B of 0 B, 0 B/s, "
	  "0:00" },
};

START_TEST(test_bar)
{
	char line[PROGRESS_LINE_MAX];
	struct progress p;

	progress_init(&p, PROGRESS_BAR, "wipe", bars[_i].done, bars[_i].total,
		      T0);
	p.now_ms = T0 + bars[_i].ms;
	p.rate = bars[_i].rate;
	progress_bar(&p, strlen(bars[_i].text), line, sizeof(line));
	ck_assert_str_eq(line, bars[_i].text);
}
END_TEST

/* However wide the terminal is, and the buffer. */
START_TEST(test_fits)
{
	char line[PROGRESS_LINE_MAX + 1];
	struct progress p;
	size_t columns, len;

	progress_init(&p, PROGRESS_BAR, "preallocate", 123456789, 987654321,
		      T0);
	run(&p, 100000, 2000, 10);
	for (columns = 0; columns < 600; columns++) {
		for (len = 1; len <= PROGRESS_LINE_MAX; len += 73) {
			memset(line, 'x', sizeof(line));
			progress_bar(&p, columns, line, len);
			ck_assert_uint_le(strlen(line), columns);
			ck_assert_uint_lt(strlen(line), len);
			ck_assert_int_eq(line[len], 'x');
		}
	}
}
END_TEST

static int64_t member(struct json_object *obj, const char *key)
{
	struct json_object *value;

	ck_assert_msg(json_object_object_get_ex(obj, key, &value), "%s", key);
	return value ? json_object_get_int64(value) : -1;
}

START_TEST(test_json)
{
	char line[PROGRESS_LINE_MAX];
	struct json_object *obj;
	struct progress p;

	progress_init(&p, PROGRESS_JSON, "encrypt", 0, 100 * MIB, T0);
	progress_json(&p, line, sizeof(line));
	obj = json_tokener_parse(line);
	ck_assert_ptr_nonnull(obj);
	ck_assert_int_eq(member(obj, "seconds_left"), -1);
	json_object_put(obj);

	run(&p, 10 * MIB / 1000, 5000, 10);
	progress_json(&p, line, sizeof(line));
	obj = json_tokener_parse(line);
	ck_assert_ptr_nonnull(obj);
	ck_assert_str_eq(volume_text(obj, "job"), "encrypt");
	ck_assert_int_eq(member(obj, "done"), 10 * MIB / 1000 * 5000);
	ck_assert_int_eq(member(obj, "total"), 100 * MIB);
	ck_assert_int_eq(member(obj, "seconds"), 5);
	ck_assert_int_eq(member(obj, "seconds_left"), 6);
	ck_assert_int_ge(member(obj, "bytes_per_second"), 9 * MIB);
	ck_assert_ptr_null(strchr(line, '\n'));
	json_object_put(obj);
}
END_TEST

/* More than there is, or a step back, is no reason to print nonsense. */
START_TEST(test_senseless)
{
	char line[PROGRESS_LINE_MAX];
	struct progress p;

	progress_init(&p, PROGRESS_BAR, "wipe", 0, MIB, T0);
	progress_advance(&p, 2 * MIB, T0 + 1000);
	ck_assert_int_eq(seconds_left(&p), 0);
	progress_bar(&p, 79, line, sizeof(line));
	ck_assert_ptr_nonnull(strstr(line, "100%"));
	progress_advance(&p, MIB / 2, T0 + 2000);
	ck_assert_double_le(p.rate, 2.0 * MIB);
	progress_bar(&p, 79, line, sizeof(line));
	ck_assert_ptr_nonnull(strstr(line, " 50%"));
}
END_TEST

/* Let @fd, which is standard output or error, end in a file of its own. */
static int redirect(int fd, int to)
{
	int saved = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	ck_assert_int_ge(saved, 0);
	ck_assert_int_ge(dup2(to, fd), 0);
	return saved;
}

static void restore(int fd, int saved)
{
	ck_assert_int_ge(dup2(saved, fd), 0);
	close(saved);
}

/* What arrives at @fd up to @end; a terminal takes its time. */
static void hear(int fd, char *buf, size_t len, const char *end)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t n = 0;
	ssize_t r;

	buf[0] = '\0';
	while (!strstr(buf, end) && poll(&pfd, 1, 100000) == 1) {
		r = read(fd, buf + n, len - 1 - n);
		if (r <= 0)
			break;
		n += (size_t)r;
		buf[n] = '\0';
	}
}

/* As if the last time had been long ago. */
static void make_due(struct progress *p)
{
	p->shown_ms -= 2 * 3600 * 1000;
}

/* As if the last time had been just now, and for long. */
static void put_off(struct progress *p)
{
	p->shown_ms += 3600 * 1000;
}

static int open_terminal(int *ret_master)
{
	const struct winsize size = { .ws_row = 25, .ws_col = 70 };
	int fd;

	*ret_master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	ck_assert_int_ge(*ret_master, 0);
	ck_assert_int_eq(grantpt(*ret_master), 0);
	ck_assert_int_eq(unlockpt(*ret_master), 0);
	fd = open(ptsname(*ret_master), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ioctl(fd, TIOCSWINSZ, &size), 0);
	return fd;
}

START_TEST(test_on_terminal)
{
	const struct progress_args args = { NULL }, none = { "none" };
	char first[256], second[256];
	int master, slave = open_terminal(&master), saved;
	struct progress p;

	saved = redirect(STDERR_FILENO, slave);
	progress_start(&p, &args, "wipe", 0, 100 * MIB);
	put_off(&p);
	progress_update(&p, MIB); /* too early */
	make_due(&p);
	progress_update(&p, 50 * MIB);
	hear(master, first, sizeof(first), " left");
	p.done = 100 * MIB;
	progress_end(&p);
	hear(master, second, sizeof(second), "\n");
	progress_start(&p, &none, "wipe", 0, 100 * MIB);
	make_due(&p);
	progress_update(&p, 50 * MIB);
	progress_end(&p);
	/* A job that was fast shows nothing. */
	progress_start(&p, &args, "wipe", 0, 100 * MIB);
	progress_end(&p);
	restore(STDERR_FILENO, saved);
	ck_assert_int_eq(strncmp(first, "\rwipe  50% [", 12), 0);
	ck_assert_uint_eq(strlen(first), 70);
	ck_assert_int_eq(strncmp(second, "\rwipe 100% [", 12), 0);
	ck_assert_str_eq(second + strlen(second) - 2, "\r\n");
	ck_assert_int_lt(read(master, first, sizeof(first)), 0);
	close(slave);
	close(master);
}
END_TEST

START_TEST(test_piped)
{
	const struct progress_args args = { NULL }, json = { "json" };
	static const char start[] = "{\"job\":\"wipe\",\"done\":52428800,";
	char silence[256], lines[512];
	int fds[2], out, err;
	struct progress p;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	fflush(stdout);
	out = redirect(STDOUT_FILENO, fds[1]);
	err = redirect(STDERR_FILENO, fds[1]);
	progress_start(&p, &args, "wipe", 0, 100 * MIB);
	make_due(&p);
	progress_update(&p, 50 * MIB);
	progress_end(&p);
	ck_assert_int_lt(read(fds[0], silence, sizeof(silence)), 0);
	progress_start(&p, &json, "wipe", 0, 100 * MIB);
	make_due(&p);
	progress_update(&p, 50 * MIB);
	progress_end(&p);
	hear(fds[0], lines, sizeof(lines), "}\n{");
	restore(STDOUT_FILENO, out);
	restore(STDERR_FILENO, err);
	ck_assert_int_eq(strncmp(lines, start, strlen(start)), 0);
	ck_assert_ptr_nonnull(strstr(lines, "}\n{\"job\":"));
	close(fds[0]);
	close(fds[1]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("progress");
	TCase *tc = tcase_create("progress");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_when_bar);
	tcase_add_test(tc, test_when_json);
	tcase_add_test(tc, test_when_none);
	tcase_add_test(tc, test_rate);
	tcase_add_test(tc, test_resumed);
	tcase_add_loop_test(tc, test_bar, 0, LEN(bars));
	tcase_add_test(tc, test_fits);
	tcase_add_test(tc, test_json);
	tcase_add_test(tc, test_senseless);
	tcase_add_test(tc, test_on_terminal);
	tcase_add_test(tc, test_piped);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
