/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What "vcrypt help" prints: see help.h.
 */
#include <string.h>

#include "tools/command.h"
#include "tools/help.h"
#include "tools/options.h"

#define WIDTH	    74 /* columns */
#define TEXT_COLUMN 25 /* where the text on an option starts */

/* Print @text from column @at on; further lines start where texts do. */
static void print_wrapped(FILE *f, const char *text, size_t at)
{
	const char *word;
	bool first = true;
	size_t len;

	while ((len = option_next_word(&text, &word))) {
		if (!first && at + 1 + len > WIDTH) {
			fprintf(f, "\n%*s", TEXT_COLUMN, "");
			at = TEXT_COLUMN;
		} else if (!first) {
			at += (size_t)fprintf(f, " ");
		}
		at += (size_t)fprintf(f, "%.*s", (int)len, word);
		first = false;
	}
	fprintf(f, "\n");
}

static int print_option(const struct option *opt, void *field, void *arg)
{
	FILE *f = arg;
	int at;

	at = fprintf(f, "  --%s%s%s", opt->name, opt->value ? " " : "",
		     opt->value ? opt->value : "");
	at += at + 2 > TEXT_COLUMN ? fprintf(f, "  ")
				   : fprintf(f, "%*s", TEXT_COLUMN - at, "");
	print_wrapped(f, opt->help, (size_t)at);
	return 0;
}

void help_command(FILE *f, const struct command *cmd)
{
	fprintf(f, "usage: vcrypt %s%s%s\n\n%s.\n", cmd->name,
		cmd->usage[0] ? " " : "", cmd->usage, cmd->summary);
	if (cmd->about)
		fprintf(f, "\n%s", cmd->about);
	if (cmd->options)
		fprintf(f, "\n");
	options_each(cmd->options, NULL, print_option, f);
}

/* Print the commands whose names begin with @start. */
static void print_commands(FILE *f, const char *start)
{
	const struct command *const *c;
	size_t width = strlen("help");

	for (c = commands; *c; c++)
		if (strlen((*c)->name) > width)
			width = strlen((*c)->name);
	for (c = commands; *c; c++)
		if (!strncmp((*c)->name, start, strlen(start)))
			fprintf(f, "  %-*s  %s\n", (int)width, (*c)->name,
				(*c)->summary);
	if (!start[0])
		fprintf(f, "  %-*s  %s\n", (int)width, "help",
			"explain a command");
}

void help_list(FILE *f)
{
	fprintf(f, "usage: vcrypt COMMAND ...\n\n");
	print_commands(f, "");
	fprintf(f, "\nvcrypt help COMMAND tells more, vcrypt --version the"
		   " version.\n");
}

void help_family(FILE *f, const char *family)
{
	char start[32];

	snprintf(start, sizeof(start), "%s ", family);
	fprintf(f, "usage: vcrypt %s COMMAND ...\n\n", family);
	print_commands(f, start);
	fprintf(f, "\nvcrypt help %s COMMAND tells more.\n", family);
}
