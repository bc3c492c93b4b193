/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The command line: what is taken, and what is refused with which words. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/why.h"

/* tools/ is no part of the library. */
#include "tools/options.c"

#define MAX_ARGS 8

struct values {
	bool flag;
	const char *string, *word;
	uint32_t number;
	uint64_t size;
};

static struct values values;
static struct why why;

/* A group with a struct of its own, which holds another one. */
struct inner {
	uint64_t pad, size;
};

struct outer {
	const char *pad;
	struct inner inner;
	uint32_t number;
};

struct grouped {
	bool first;
	struct outer outer;
	bool last;
};

static const struct option inner_options[] = {
	{ "size", OPTION_SIZE, offsetof(struct inner, size), "SIZE", "x" },
	{ NULL },
};

static const struct option outer_options[] = {
	{ .group = inner_options, .offset = offsetof(struct outer, inner) },
	{ "number", OPTION_NUMBER, offsetof(struct outer, number), "N", "x" },
	{ NULL },
};

static const struct option grouped_options[] = {
	{ "first", OPTION_FLAG, offsetof(struct grouped, first), NULL, "x" },
	{ .group = outer_options, .offset = offsetof(struct grouped, outer) },
	{ "last", OPTION_FLAG, offsetof(struct grouped, last), NULL, "x" },
	{ NULL },
};

#define FIELD(name) offsetof(struct values, name)

static const struct option table[] = {
	{ "flag", OPTION_FLAG, FIELD(flag), NULL, "x" },
	{ "string", OPTION_STRING, FIELD(string), "S", "x", "likely words" },
	{ "word", OPTION_WORD, FIELD(word), "W", "x", "one two three" },
	{ "number", OPTION_NUMBER, FIELD(number), "N", "x" },
	{ "size", OPTION_SIZE, FIELD(size), "SIZE", "x" },
	{ NULL },
};

/* Split @line at spaces and parse it; "_" stands for an empty argument. */
static int parse(const char *line, char **ret_argv, int *ret_argc)
{
	static char buf[256], command[] = "command", empty[] = "";
	char *save, *word;

	strcpy(buf, line);
	*ret_argc = 0;
	ret_argv[(*ret_argc)++] = command;
	for (word = strtok_r(buf, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		ret_argv[(*ret_argc)++] = strcmp(word, "_") ? word : empty;
	values = (struct values){ .number = 7, .size = 7 };
	why.text[0] = '\0';
	return options_parse(table, &values, ret_argc, ret_argv, &why);
}

static const struct {
	const char *line;
	bool flag;
	const char *string;
	uint32_t number;
	uint64_t size;
	int argc; /* with the command */
	const char *first;
} good[] = {
	{ "", false, NULL, 7, 7, 1, NULL },
	{ "a b", false, NULL, 7, 7, 3, "a" },
	{ "--flag a", true, NULL, 7, 7, 2, "a" },
	{ "a --flag", true, NULL, 7, 7, 2, "a" },
	{ "--string x a", false, "x", 7, 7, 2, "a" },
	{ "--string=x a", false, "x", 7, 7, 2, "a" },
	{ "--string= a", false, "", 7, 7, 2, "a" },
	{ "--string _ a", false, "", 7, 7, 2, "a" },
	{ "--string --flag a", false, "--flag", 7, 7, 2, "a" },
	{ "--string=a=b", false, "a=b", 7, 7, 1, NULL },
	{ "--string -", false, "-", 7, 7, 1, NULL },
	{ "- a", false, NULL, 7, 7, 3, "-" },
	{ "-- --flag", false, NULL, 7, 7, 2, "--flag" },
	{ "a -- --", false, NULL, 7, 7, 3, "a" },
	{ "--number 12 --size=4096 a", false, NULL, 12, 4096, 2, "a" },
	{ "a --number=4294967295", false, NULL, 4294967295u, 7, 2, "a" },
	{ "_", false, NULL, 7, 7, 2, "" },
};

START_TEST(test_good)
{
	char *argv[MAX_ARGS];
	int argc;

	ck_assert_int_eq(parse(good[_i].line, argv, &argc), 0);
	ck_assert_int_eq(values.flag, good[_i].flag);
	ck_assert_pstr_eq(values.string, good[_i].string);
	ck_assert_uint_eq(values.number, good[_i].number);
	ck_assert_uint_eq(values.size, good[_i].size);
	ck_assert_int_eq(argc, good[_i].argc);
	if (argc > 1)
		ck_assert_str_eq(argv[1], good[_i].first);
}
END_TEST

static const struct {
	const char *line;
	const char *reason;
} bad[] = {
	{ "--word four",
	  "--word: \"one\", \"two\" or \"three\", not \"four\"" },
	{ "--word=on", "not \"on\"" },
	{ "--word=onetwo", "not \"onetwo\"" },
	{ "--word=", "not \"\"" },
	{ "--word", "--word: needs a value" },
	{ "--word one --word two", "--word: given more than once" },
	{ "--nothing", "--nothing: unknown option" },
	{ "--nothing=1", "--nothing: unknown option" },
	{ "--fla", "--fla: unknown option" },
	{ "--flags", "--flags: unknown option" },
	{ "--=x", "--: unknown option" },
	{ "-f", "-f: unknown option" },
	{ "--flag --flag", "--flag: given more than once" },
	{ "--size 1 a --size=1", "--size: given more than once" },
	{ "--flag=yes", "--flag: takes no value" },
	{ "--flag=", "--flag: takes no value" },
	{ "--string", "--string: needs a value" },
	{ "a --size", "--size: needs a value" },
	{ "--number x", "--number: x is not a number" },
	{ "--number=", "--number:  is not a number" },
	{ "--number -1", "--number: -1 is not a number" },
	{ "--number 1.5", "--number: 1.5 is not a number" },
	{ "--number 0x10", "--number: 0x10 is not a number" },
	{ "--number 0", "--number: 0 is not possible" },
	{ "--number 4294967296", "--number: 4294967296 is too large" },
	{ "--number 99999999999999999999", "is too large" },
	{ "--size ten", "--size: ten is not a size (such as 512M or 10G)" },
	{ "--size 10X", "10X is not a size" },
	{ "--size 0K", "--size: 0 is not possible" },
	{ "--size 8388608T", "is too large" },
};

START_TEST(test_bad)
{
	char *argv[MAX_ARGS];
	int argc;

	ck_assert_int_eq(parse(bad[_i].line, argv, &argc), -EINVAL);
	ck_assert_msg(strstr(why.text, bad[_i].reason), "%s", why.text);
}
END_TEST

START_TEST(test_words)
{
	const char *line = "--word=three --string=other a";
	char *argv[MAX_ARGS];
	int argc;

	ck_assert_int_eq(parse(line, argv, &argc), 0);
	ck_assert_str_eq(values.word, "three");
	/* Likely ones are not the only ones. */
	ck_assert_str_eq(values.string, "other");
}
END_TEST

START_TEST(test_groups)
{
	char command[] = "command", last[] = "--last", number[] = "--number=3";
	char size[] = "--size=4K", unknown[] = "--inner";
	char *argv[] = { command, last, number, size, unknown, number };
	struct grouped grouped = { 0 };
	int argc = 4;

	ck_assert_int_eq(
		options_parse(grouped_options, &grouped, &argc, argv, &why), 0);
	ck_assert(!grouped.first && grouped.last);
	ck_assert_uint_eq(grouped.outer.number, 3);
	ck_assert_uint_eq(grouped.outer.inner.size, 4096);
	ck_assert_uint_eq(grouped.outer.inner.pad, 0);
	ck_assert_ptr_null(grouped.outer.pad);

	argc = 5;
	ck_assert_int_eq(options_parse(grouped_options, &grouped, &argc, argv,
				       &why),
			 -EINVAL);
	ck_assert_str_eq(why.text, "--inner: unknown option");
	argv[4] = number;
	argc = 5;
	ck_assert_int_eq(options_parse(grouped_options, &grouped, &argc, argv,
				       &why),
			 -EINVAL);
	ck_assert_str_eq(why.text, "--number: given more than once");
}
END_TEST

START_TEST(test_no_options)
{
	char command[] = "command", a[] = "a", flag[] = "--flag";
	char *argv[] = { command, a, flag };
	int argc = 2;

	ck_assert_int_eq(options_parse(NULL, NULL, &argc, argv, &why), 0);
	ck_assert_int_eq(argc, 2);
	argc = 3;
	ck_assert_int_eq(options_parse(NULL, NULL, &argc, argv, &why), -EINVAL);
	ck_assert_str_eq(why.text, "--flag: unknown option");
}
END_TEST

static int note_name(const struct option *opt, void *field, void *arg)
{
	strcat(arg, opt->name);
	ck_assert_ptr_null(field);
	return !strcmp(opt->name, "number");
}

/* In the order of the help text, until somebody has had enough. */
START_TEST(test_each)
{
	char names[64] = "";

	ck_assert_int_eq(options_each(grouped_options, NULL, note_name, names),
			 1);
	ck_assert_str_eq(names, "firstsizenumber");
}
END_TEST

static const struct {
	const char *text;
	int err;
	uint64_t size;
} sizes[] = {
	{ "0", 0, 0 },
	{ "512", 0, 512 },
	{ "1K", 0, 1024 },
	{ "1k", 0, 1024 },
	{ "20M", 0, 20971520 },
	{ "20MiB", 0, 20971520 },
	{ "10G", 0, 10737418240 },
	{ "10gib", 0, 10737418240 },
	{ "2T", 0, 2199023255552 },
	{ "9223372036854775807", 0, INT64_MAX },
	{ "9223372036854775808", -ERANGE, 0 },
	{ "18446744073709551616", -ERANGE, 0 },
	{ "8388607T", 0, 8388607ULL << 40 },
	{ "8388608T", -ERANGE, 0 },
	{ "", -EINVAL, 0 },
	{ "M", -EINVAL, 0 },
	{ "-1M", -EINVAL, 0 },
	{ "+1M", -EINVAL, 0 },
	{ " 1M", -EINVAL, 0 },
	{ "1 M", -EINVAL, 0 },
	{ "1M ", -EINVAL, 0 },
	{ "1MB", -EINVAL, 0 },
	{ "1P", -EINVAL, 0 },
	{ "1.5G", -EINVAL, 0 },
	{ "1,5G", -EINVAL, 0 },
	{ "1e3", -EINVAL, 0 },
	{ "0x10", -EINVAL, 0 },
	{ "1\v", -EINVAL, 0 },
};

START_TEST(test_size)
{
	uint64_t v = 7;

	ck_assert_int_eq(option_size(sizes[_i].text, &v), sizes[_i].err);
	ck_assert_uint_eq(v, sizes[_i].err ? 7 : sizes[_i].size);
}
END_TEST

START_TEST(test_number)
{
	uint32_t v = 7;

	ck_assert_int_eq(option_number("0", &v), 0);
	ck_assert_uint_eq(v, 0);
	ck_assert_int_eq(option_number("1K", &v), -EINVAL);
	ck_assert_int_eq(option_number("", &v), -EINVAL);
	ck_assert_int_eq(option_number("4294967296", &v), -ERANGE);
	ck_assert_uint_eq(v, 0);
}
END_TEST

#define LEN(a) ((int)(sizeof(a) / sizeof((a)[0])))

int main(void)
{
	Suite *s = suite_create("options");
	TCase *tc = tcase_create("options");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, test_good, 0, LEN(good));
	tcase_add_loop_test(tc, test_bad, 0, LEN(bad));
	tcase_add_loop_test(tc, test_size, 0, LEN(sizes));
	tcase_add_test(tc, test_number);
	tcase_add_test(tc, test_words);
	tcase_add_test(tc, test_groups);
	tcase_add_test(tc, test_no_options);
	tcase_add_test(tc, test_each);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
