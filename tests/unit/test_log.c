/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Text for people: lines of the log, and reasons. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/why.h"

static int out, saved;

static void setup(void)
{
	int fds[2];

	saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	out = fds[0];
	ck_assert_int_ge(dup2(fds[1], STDERR_FILENO), 0);
	close(fds[1]);
}

static void teardown(void)
{
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(out);
}

static const char *heard(void)
{
	static char text[4096];
	ssize_t n = read(out, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

START_TEST(test_levels)
{
	log_setup("worker", LOG_NOTE);
	log_error("a %d", 1);
	log_warn("b");
	log_note("c");
	log_detail("d");
	ck_assert_str_eq(heard(), "worker: error: a 1\n"
				  "worker: warning: b\n"
				  "worker: c\n");
	log_setup("monitor", LOG_DETAIL);
	log_detail("d");
	ck_assert_str_eq(heard(), "monitor: d\n");
	log_setup("monitor", LOG_ERROR);
	log_warn("b");
	ck_assert_str_eq(heard(), "");
}
END_TEST

START_TEST(test_control_characters)
{
	log_setup("x", LOG_NOTE);
	log_note("a\nb\x1b[1mc\td\x7f\xc3\xa4");
	ck_assert_str_eq(heard(), "x: a?b?[1mc?d?\xc3\xa4\n");
}
END_TEST

START_TEST(test_long_line)
{
	char text[2000];
	const char *line;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_setup("x", LOG_NOTE);
	log_error("%s", text);
	line = heard();
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
	ck_assert_uint_gt(strlen(line), 400);
	ck_assert_uint_lt(strlen(line), 600);
}
END_TEST

START_TEST(test_nobody_listens)
{
	close(STDERR_FILENO);
	log_error("a");
}
END_TEST

START_TEST(test_why)
{
	struct why why = { "" };

	ck_assert_int_eq(why_set(&why, -EIO, "%s: %d\n", "a\x1b", 1), -EIO);
	ck_assert_str_eq(why.text, "a?: 1?");
	why_prefix(&why, "in %s\r", "b");
	ck_assert_str_eq(why.text, "in b?: a?: 1?");
	why_set(&why, 0, "%s", "\x9b[1m gr\xfc\xc3\x9f");
	ck_assert_str_eq(why.text, "?[1m gr?\xc3\x9f");
	why_prefix(&why, "%s", "\xc2\x9b");
	ck_assert_str_eq(why.text, "??: ?[1m gr?\xc3\x9f");
	ck_assert_int_eq(why_set(NULL, -EIO, "x"), -EIO);
	why_prefix(NULL, "x");
}
END_TEST

START_TEST(test_why_is_long)
{
	struct {
		struct why why;
		char after[8];
	} box = { .after = "after" };
	char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	why_set(&box.why, 0, "%s", text);
	ck_assert_uint_eq(strlen(box.why.text), sizeof(box.why.text) - 1);
	why_prefix(&box.why, "p");
	ck_assert_int_eq(strncmp(box.why.text, "p: xx", 5), 0);
	ck_assert_uint_eq(strlen(box.why.text), sizeof(box.why.text) - 1);
	why_prefix(&box.why, "%s", text);
	ck_assert_uint_eq(strlen(box.why.text), sizeof(box.why.text) - 1);
	ck_assert_str_eq(box.after, "after");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("log");
	TCase *tc = tcase_create("log");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_levels);
	tcase_add_test(tc, test_control_characters);
	tcase_add_test(tc, test_long_line);
	tcase_add_test(tc, test_nobody_listens);
	suite_add_tcase(s, tc);
	tc = tcase_create("why");
	tcase_add_test(tc, test_why);
	tcase_add_test(tc, test_why_is_long);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
