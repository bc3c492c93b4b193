/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Completion for fish: a line of "complete" for each command, option and
 * argument.
 */
#include <stdio.h>
#include <string.h>

#include "tools/command.h"
#include "tools/complete.h"

/* The end of a "complete" line: where values come from. */
static const char *kind_source(enum value_kind kind)
{
	switch (kind) {
	case VALUE_FILE:
		return "-F";
	case VALUE_FOLDER:
		return "-f -a '(__fish_complete_directories)'";
	case VALUE_VOLUME:
		return "-f -a '(__vcrypt_volumes)'";
	case VALUE_VOLUME_OR_FILE:
		return "-F -a '(__vcrypt_volumes)'";
	case VALUE_USER:
		return "-f -a '(__fish_complete_users)'";
	case VALUE_USER_GROUP:
		return "-f -a '(__fish_complete_groups)'";
	case VALUE_NEW_VOLUME:
	case VALUE_OTHER:
		break;
	}
	return "-f";
}

static void print_source(enum value_kind kind, const char *words)
{
	if (words)
		printf(" -f -a '%s'", words);
	else
		printf(" %s", kind_source(kind));
}

static void print_condition(const char *name)
{
	printf("complete -c vcrypt -n '__vcrypt_is %s'", name);
}

static int print_option(const struct option *opt, void *field, void *arg)
{
	const struct command *const *cmd = arg;

	print_condition((*cmd)->name);
	printf(" -l %s", opt->name);
	if (opt->type != OPTION_FLAG) {
		printf(" -r");
		print_source(opt->kind, opt->words);
	}
	printf(" -d ");
	complete_quote(opt->help);
	printf("\n");
	return 0;
}

static void print_command(const struct command *cmd)
{
	const struct argument *arg;

	options_each(cmd->options, NULL, print_option, &cmd);
	print_condition(cmd->name);
	printf(" -l help -d 'explain this command'\n");
	for (arg = cmd->arguments; arg->name; arg++) {
		print_condition(cmd->name);
		print_source(arg->kind, arg->words);
		printf("\n");
	}
}

/* The words of names: the first one, and after it the second. */
static void print_words(void)
{
	const struct command *const *c;
	const char *second;
	size_t len;

	for (c = commands; *c; c++) {
		second = complete_second_word(*c, &len);
		if (second) {
			printf("complete -c vcrypt -n '__vcrypt_is %.*s' -f"
			       " -a %s -d ",
			       (int)len, (*c)->name, second);
			complete_quote((*c)->summary);
			printf("\n");
		}
		if (!complete_is_first(c))
			continue;
		printf("complete -c vcrypt -n __vcrypt_is -f -a %.*s -d ",
		       (int)len, (*c)->name);
		complete_quote(second ? "several commands" : (*c)->summary);
		printf("\n");
	}
}

static void print_families(void)
{
	const struct command *const *c;
	size_t len;

	for (c = commands; *c; c++)
		if (complete_second_word(*c, &len) && complete_is_first(c))
			printf(" %.*s", (int)len, (*c)->name);
}

static const char is_function[] =
	"# Is the command line about this command? Without words: is there none "
	"yet?\n"
	"function __vcrypt_is\n"
	"\tset -l words (commandline -opc)[2..]\n"
	"\tset -l name\n"
	"\tset -q words[1]; and test $words[1] = help; and set -e words[1]\n"
	"\tset -q words[1]; and set name $words[1]\n"
	"\tset -q words[2]; and contains -- \"$name\" $__vcrypt_families; and "
	"set name $words[1..2]\n"
	"\ttest \"$name\" = \"$argv\"\n"
	"end\n"
	"\n"
	"function __vcrypt_volumes\n"
	"\tset -l words (commandline -opc)\n"
	"\t$words[1] list 2>/dev/null | sed '1d; s/ .*//'\n"
	"end\n"
	"\n"
	"complete -c vcrypt -f\n";

void complete_fish(void)
{
	const struct command *const *c;

	printf("# fish completion of vcrypt, made by \"vcrypt completion"
	       " fish\".\n\nset -g __vcrypt_families");
	print_families();
	printf("\n\n%s", is_function);
	print_words();
	printf("complete -c vcrypt -n __vcrypt_is -f -a help -d 'explain a"
	       " command'\n"
	       "complete -c vcrypt -n __vcrypt_is -l version -d 'print the"
	       " version'\n");
	for (c = commands; *c; c++)
		print_command(*c);
}
