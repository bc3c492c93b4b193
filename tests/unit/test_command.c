/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* A command's line: how many arguments there are, and what they are. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/why.h"

/* tools/ is no part of the library. */
#include "tools/command.c"
#include "tools/options.c"

#define LEN(a) ((int)(sizeof(a) / sizeof((a)[0])))

struct args {
	const char *image, *name, *file;
	bool flag;
};

static const struct option options[] = {
	{ "flag", OPTION_FLAG, offsetof(struct args, flag), NULL, "x" },
	{ NULL },
};

#define IMAGE                                                     \
	{                                                         \
		"IMAGE", offsetof(struct args, image), VALUE_FILE \
	}
#define FILE_                                                   \
	{                                                       \
		"FILE", offsetof(struct args, file), VALUE_FILE \
	}
#define NEW                                                           \
	{                                                             \
		"NAME", offsetof(struct args, name), VALUE_NEW_VOLUME \
	}
#define MAYBE                                                           \
	{                                                               \
		"NAME", offsetof(struct args, name), VALUE_VOLUME, true \
	}

static const struct command none = { "none", NULL, "", "" };
static const struct command one = { "one", .arguments = { IMAGE },
				    .options = options };
static const struct command two = { "two", .arguments = { IMAGE, NEW } };
static const struct command three = { "three",
				      .arguments = { IMAGE, NEW, FILE_ } };
static const struct command maybe = { "maybe", .arguments = { MAYBE } };
static const struct command mixed = { "mixed", .arguments = { IMAGE, MAYBE } };

static const struct {
	const struct command *cmd;
	const char *words[4];
	const char *reason; /* NULL: fine */
} cases[] = {
	{ &none, { NULL }, NULL },
	{ &none, { "a" }, "no argument is needed" },
	{ &none, { "--flag" }, "--flag: unknown option" },
	{ &one, { "a" }, NULL },
	{ &one, { "--flag", "a" }, NULL },
	{ &one, { NULL }, "one IMAGE is needed" },
	{ &one, { "a", "b" }, "one IMAGE is needed" },
	{ &one, { "a", "--frag" }, "--frag: unknown option" },
	{ &two, { "a", "b" }, NULL },
	{ &two, { "a" }, "IMAGE and NAME are needed" },
	{ &two, { "a", "../b" }, "a name has only letters" },
	{ &three, { "a", "b", "c" }, NULL },
	{ &three, { "a", "b" }, "IMAGE, NAME and FILE are needed" },
	{ &three, { "a", "b", "c", "d" }, "IMAGE, NAME and FILE are needed" },
	{ &maybe, { NULL }, NULL },
	{ &maybe, { "b" }, NULL },
	{ &maybe, { "." }, "reserved" },
	{ &maybe, { "a", "b" }, "at most one NAME is needed" },
	{ &mixed, { "a" }, NULL },
	{ &mixed, { "a", "b" }, NULL },
	{ &mixed, { NULL }, "one IMAGE is needed" },
};

START_TEST(test_parse)
{
	struct args args = { 0 };
	struct why why = { "" };
	char words[5][16] = { "x" }, *argv[6] = { words[0] };
	int argc, err;

	for (argc = 1; argc < LEN(words) && cases[_i].words[argc - 1]; argc++)
		argv[argc] = strcpy(words[argc], cases[_i].words[argc - 1]);
	err = command_parse(cases[_i].cmd, argc, argv, &args, &why);
	if (cases[_i].reason) {
		ck_assert_int_eq(err, -EINVAL);
		ck_assert_msg(strstr(why.text, cases[_i].reason), "%s",
			      why.text);
	} else {
		ck_assert_int_eq(err, 0);
		ck_assert(!args.image || !strcmp(args.image, "a"));
		ck_assert(!args.name || !strcmp(args.name, "b"));
		ck_assert(!args.file || !strcmp(args.file, "c"));
		ck_assert(cases[_i].cmd != &three || args.file);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("command");
	TCase *tc = tcase_create("command");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, test_parse, 0, LEN(cases));
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
