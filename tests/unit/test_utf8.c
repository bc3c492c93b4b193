/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What is no UTF-8 is replaced, byte by byte, and nothing else.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *in;
	const char *out; /* NULL: the same */
} rows[] = {
	{ "", NULL },
	{ "plain\n\t\x01\x7f", NULL },
	/* The first and the last of each length. */
	{ "\xc2\xa0 \xdf\xbf", NULL },
	{ "\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf", NULL },
	{ "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", NULL },
	/* Control characters of ISO 8859-1, alone and encoded. */
	{ "\x9b[2J", "?[2J" },
	{ "\xc2\x9b[2J \xc2\x80", "??[2J ??" },
	/* Too long for what they are, surrogates, beyond Unicode. */
	{ "\xc0\xaf \xc1\xbf", "?? ??" },
	{ "\xe0\x9f\xbf \xf0\x8f\xbf\xbf", "??? ????" },
	{ "\xed\xa0\x80", "???" },
	{ "\xf4\x90\x80\x80 \xf5\x80\x80\x80 \xff", "???? ???? ?" },
	/* Cut off: by another character, and by the end. */
	{ "\xe2\x82x\xc3\xa9", "??x\xc3\xa9" },
	{ "\xf0\x9f\x98", "???" },
	{ "\xc3", "?" },
	{ "\x80\xbf", "??" },
	{ "gr\xfc\xdf", "gr??" },
};

START_TEST(test_clean)
{
	const char *want = rows[_i].out ? rows[_i].out : rows[_i].in;
	char *text = strdup(rows[_i].in);

	ck_assert_ptr_nonnull(text);
	utf8_clean(text);
	ck_assert_str_eq(text, want);
	utf8_clean(text);
	ck_assert_str_eq(text, want);
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("utf8");
	TCase *tc = tcase_create("utf8");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, test_clean, 0, (int)LEN(rows));
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
