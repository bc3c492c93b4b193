/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Completion for zsh: a function for "#compdef" that hands the table of
 * commands to zsh's own _arguments.
 */
#include <stdio.h>
#include <string.h>

#include "tools/command.h"
#include "tools/complete.h"

/* Which function completes a value; zsh shows a message where none does. */
static const char *kind_action(enum value_kind kind)
{
	switch (kind) {
	case VALUE_FILE:
		return "_files";
	case VALUE_FOLDER:
		return "_files -/";
	case VALUE_VOLUME:
		return "_vcrypt_volumes";
	case VALUE_VOLUME_OR_FILE:
		return "_vcrypt_volumes_or_files";
	case VALUE_USER:
		return "_users";
	case VALUE_USER_GROUP:
		return "_groups";
	case VALUE_NEW_VOLUME:
	case VALUE_OTHER:
		break;
	}
	return " ";
}

/* In single quotes, inside the brackets or behind the colon of a spec. */
static void print_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:\\", *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void print_value(const char *name, enum value_kind kind,
			const char *words)
{
	printf(":%s:", name);
	if (words)
		printf("(%s)", words);
	else
		printf("%s", kind_action(kind));
}

static int print_option(const struct option *opt, void *field, void *arg)
{
	printf(" \\\n\t\t\t'--%s%s[", opt->name,
	       opt->type == OPTION_FLAG ? "" : "=");
	print_text(opt->help);
	printf("]");
	if (opt->type != OPTION_FLAG)
		print_value(opt->value, opt->kind, opt->words);
	printf("'");
	return 0;
}

static void print_command(const struct command *cmd)
{
	const struct argument *arg;

	printf("\t('%s')\n\t\t_arguments -S", cmd->name);
	options_each(cmd->options, NULL, print_option, NULL);
	printf(" \\\n\t\t\t'--help[explain this command]'");
	for (arg = cmd->arguments; arg->name; arg++) {
		printf(" \\\n\t\t\t'%s", arg->optional ? ":" : "");
		print_value(arg->name, arg->kind, arg->words);
		printf("'");
	}
	printf("\n\t\t;;\n");
}

/* "'add:give it another passphrase'", for _describe. */
static void print_description(const char *name, size_t len, const char *text)
{
	printf("\n\t\t'%.*s:", (int)len, name);
	print_text(text);
	printf("'");
}

static void print_first_words(void)
{
	const struct command *const *c;
	size_t len;

	for (c = commands; *c; c++) {
		if (!complete_is_first(c))
			continue;
		if (complete_second_word(*c, &len))
			print_description((*c)->name, len, "several commands");
		else
			print_description((*c)->name, len, (*c)->summary);
	}
	print_description("help", strlen("help"), "explain a command");
}

/* One array of second words for each family. */
static void print_families(void)
{
	const struct command *const *c;
	const char *second;
	size_t len;

	for (c = commands; *c; c++) {
		second = complete_second_word(*c, &len);
		if (!second)
			continue;
		if (complete_is_first(c))
			printf("\t('%.*s')\n\t\tmembers=(", (int)len,
			       (*c)->name);
		print_description(second, strlen(second), (*c)->summary);
		if (!c[1] || complete_is_first(c + 1))
			printf(")\n\t\t;;\n");
	}
}

static const char start[] =
	"_vcrypt_volumes() {\n"
	"\tlocal -a volumes\n"
	"\n"
	"\tvolumes=(${(f)\"$(_call_program volumes ${(q)vcrypt} list "
	"2>/dev/null |\n"
	"\t\tsed '1d; s/ .*//')\"})\n"
	"\t_wanted volumes expl 'open volume' compadd -a volumes\n"
	"}\n"
	"\n"
	"_vcrypt_volumes_or_files() {\n"
	"\t_vcrypt_volumes\n"
	"\t_files\n"
	"}\n"
	"\n";

/* What comes first is gone step by step from $words. */
static const char script[] =
	"_vcrypt() {\n"
	"\tlocal vcrypt=$words[1] command help\n"
	"\tlocal -a members first\n"
	"\n"
	"\tif [[ $words[2] == help && CURRENT -gt 2 ]]; then\n"
	"\t\thelp=1\n"
	"\t\tshift words\n"
	"\t\t(( CURRENT-- ))\n"
	"\tfi\n"
	"\tif (( CURRENT == 2 )); then\n"
	"\t\t_vcrypt_first\n"
	"\t\t_describe -t commands 'command' first\n"
	"\t\t[[ $help ]] || compadd -- --version --help\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tcommand=$words[2]\n"
	"\t_vcrypt_members $command\n"
	"\tif (( $#members && CURRENT == 3 )); then\n"
	"\t\t_describe -t commands \"$command command\" members\n"
	"\t\treturn\n"
	"\telif (( $#members )); then\n"
	"\t\tcommand+=\" $words[3]\"\n"
	"\t\tshift words\n"
	"\t\t(( CURRENT-- ))\n"
	"\tfi\n"
	"\tshift words\n"
	"\t(( CURRENT-- ))\n"
	"\t[[ $help ]] || _vcrypt_command $command\n"
	"}\n"
	"\n"
	"_vcrypt \"$@\"\n";

void complete_zsh(void)
{
	const struct command *const *c;

	printf("#compdef vcrypt\n# Made by \"vcrypt completion zsh\".\n\n%s"
	       "_vcrypt_first() {\n\tfirst=(",
	       start);
	print_first_words();
	printf(")\n}\n\n_vcrypt_members() {\n\tcase $1 in\n");
	print_families();
	printf("\tesac\n}\n\n_vcrypt_command() {\n\tcase $1 in\n");
	for (c = commands; *c; c++)
		print_command(*c);
	printf("\tesac\n}\n\n%s", script);
}
