/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The vcrypt command: from the first words of the command line to the
 * subcommand.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/oom.h"
#include "lib/secmem.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/help.h"

/* How many words at the start of @argv are the name of @cmd; 0: they are not. */
static int names(int argc, char **argv, const struct command *cmd)
{
	const char *space = strchr(cmd->name, ' ');
	size_t len = space ? (size_t)(space - cmd->name) : strlen(cmd->name);

	if (argc < 1 || strlen(argv[0]) != len ||
	    memcmp(argv[0], cmd->name, len))
		return 0;
	if (!space)
		return 1;
	return argc > 1 && !strcmp(argv[1], space + 1) ? 2 : 0;
}

static const struct command *find(int argc, char **argv, int *ret_words)
{
	const struct command *const *c;

	for (c = commands; *c; c++) {
		*ret_words = names(argc, argv, *c);
		if (*ret_words)
			return *c;
	}
	return NULL;
}

/* Do names of commands begin with @word and a space? */
static bool is_family(const char *word)
{
	const struct command *const *c;
	size_t len = strlen(word);

	for (c = commands; *c; c++)
		if (!strncmp((*c)->name, word, len) && (*c)->name[len] == ' ')
			return true;
	return false;
}

static int unknown(int argc, char **argv)
{
	struct why why;

	if (!is_family(argv[0]))
		why_set(&why, 0, "%s: unknown command (vcrypt --help)",
			argv[0]);
	else if (argc < 2)
		why_set(&why, 0, "%s: needs a command (vcrypt help %s)",
			argv[0], argv[0]);
	else
		why_set(&why, 0, "%s %s: unknown command (vcrypt help %s)",
			argv[0], argv[1], argv[0]);
	fprintf(stderr, "vcrypt: %s\n", why.text);
	return EXIT_PARAMETERS;
}

/* "--help" among the options of a command. */
static bool asks_for_help(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help"))
			return true;
	return false;
}

static bool is_help(const char *word)
{
	return !strcmp(word, "help") || !strcmp(word, "--help");
}

/* @argv begins with the name of a command or a family, or asks for help. */
static int help(int argc, char **argv)
{
	const struct command *cmd;
	int words;

	cmd = find(argc, argv, &words);
	if (cmd)
		help_command(stdout, cmd);
	else if (argc < 1 || is_help(argv[0]))
		help_list(stdout);
	else if (is_family(argv[0]) && (argc < 2 || argv[1][0] == '-'))
		help_family(stdout, argv[0]);
	else
		return unknown(argc, argv);
	return EXIT_OK;
}

static int dispatch(int argc, char **argv)
{
	const struct command *cmd;
	int words;

	if (argc < 1) {
		help_list(stderr);
		return EXIT_PARAMETERS;
	}
	if (!strcmp(argv[0], "--version")) {
		printf("vcrypt %s\n", VCRYPT_VERSION);
		return EXIT_OK;
	}
	if (is_help(argv[0]))
		return help(argc - 1, argv + 1);
	if (asks_for_help(argc, argv))
		return help(argc, argv);
	cmd = find(argc, argv, &words);
	if (!cmd)
		return unknown(argc, argv);
	return cmd->run(argc - words + 1, argv + words - 1);
}

int main(int argc, char **argv)
{
	int code;

	/* Whatever a command does, keys and passphrases stay in it. */
	oom_prepare();
	secmem_protect_process();
	/* A file-size limit is an error of a call, not the end. */
	signal(SIGXFSZ, SIG_IGN);
	code = dispatch(argc - 1, argv + 1);
	/* Output that went nowhere is no success. */
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "vcrypt: standard output: write error\n");
		return code ? code : EXIT_DEVICE;
	}
	return code;
}
