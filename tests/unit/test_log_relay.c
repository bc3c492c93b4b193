/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Lines of the log on their way through the relay. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log_relay.h"

static struct log_relay relay;
static int console; /* what comes out of the former standard error */
static int saved;

static void setup(void)
{
	int fds[2];

	saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	console = fds[0];
	ck_assert_int_ge(dup2(fds[1], STDERR_FILENO), 0);
	close(fds[1]);
	ck_assert_int_eq(log_relay_start(&relay, "a", true), 0);
}

static void teardown(void)
{
	dup2(saved, STDERR_FILENO);
	close(relay.read_fd);
	close(relay.out_fd);
	close(console);
}

static void say(const char *text)
{
	ck_assert_int_eq(write(STDERR_FILENO, text, strlen(text)),
			 strlen(text));
	log_relay_read(&relay);
}

static const char *heard(void)
{
	static char text[8192];
	ssize_t n = read(console, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

START_TEST(test_lines)
{
	log_relay_read(&relay);
	ck_assert_ptr_null(log_relay_line(&relay, 0));
	say("one\ntwo\n");
	ck_assert_str_eq(heard(), "one\ntwo\n");
	ck_assert_str_eq(log_relay_line(&relay, 0), "one");
	ck_assert_str_eq(log_relay_line(&relay, 1), "two");
	ck_assert_ptr_null(log_relay_line(&relay, 2));
	ck_assert_ptr_null(log_relay_line(&relay, ~0U));
}
END_TEST

START_TEST(test_pieces)
{
	say("o");
	say("ne");
	ck_assert_str_eq(heard(), "");
	say("\n\ntw");
	ck_assert_str_eq(heard(), "one\n\n");
	say("o\n");
	ck_assert_str_eq(heard(), "two\n");
	ck_assert_str_eq(log_relay_line(&relay, 1), "");
	ck_assert_str_eq(log_relay_line(&relay, 2), "two");
}
END_TEST

START_TEST(test_long_line)
{
	char text[3 * LOG_RELAY_WIDTH];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 2] = '\n';
	text[sizeof(text) - 1] = '\0';
	say(text);
	ck_assert_uint_eq(strlen(log_relay_line(&relay, 0)),
			  LOG_RELAY_WIDTH - 1);
	ck_assert_uint_eq(strlen(heard()), LOG_RELAY_WIDTH);
	say("next\n");
	ck_assert_str_eq(log_relay_line(&relay, 1), "next");
}
END_TEST

START_TEST(test_ring)
{
	char text[32];
	unsigned i;

	for (i = 0; i < 3 * LOG_RELAY_LINES + 5; i++) {
		snprintf(text, sizeof(text), "line %u\n", i);
		say(text);
	}
	for (i = 0; i < LOG_RELAY_LINES; i++) {
		snprintf(text, sizeof(text), "line %u",
			 2 * LOG_RELAY_LINES + 5 + i);
		ck_assert_str_eq(log_relay_line(&relay, i), text);
	}
	ck_assert_ptr_null(log_relay_line(&relay, i));
}
END_TEST

/* Nobody reads: what is too much is lost, and nobody waits. */
START_TEST(test_full_pipe)
{
	char text[64];
	int i, lost = 0;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	for (i = 0; i < 100000 && !lost; i++)
		lost = write(STDERR_FILENO, text, sizeof(text)) < 0;
	ck_assert(lost);
	log_relay_read(&relay);
	say("next\n");
	ck_assert_str_eq(log_relay_line(&relay, LOG_RELAY_LINES - 1), "next");
}
END_TEST

/* To the system log, which need not be there. */
START_TEST(test_system_log)
{
	struct log_relay other;

	ck_assert_int_eq(log_relay_start(&other, "a", false), 0);
	ck_assert_int_eq(other.out_fd, -1);
	ck_assert_int_eq(write(STDERR_FILENO, "%s%n: error: x\n", 15), 15);
	log_relay_read(&other);
	ck_assert_str_eq(log_relay_line(&other, 0), "%s%n: error: x");
	close(other.read_fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("log_relay");
	TCase *tc = tcase_create("log_relay");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_lines);
	tcase_add_test(tc, test_pieces);
	tcase_add_test(tc, test_long_line);
	tcase_add_test(tc, test_ring);
	tcase_add_test(tc, test_full_pipe);
	tcase_add_test(tc, test_system_log);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
