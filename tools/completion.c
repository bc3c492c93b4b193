/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt completion: print a script for a shell, and what the scripts have in
 * common.
 */
#include <stdio.h>
#include <string.h>

#include "lib/why.h"
#include "tools/command.h"
#include "tools/complete.h"

const char *complete_second_word(const struct command *cmd, size_t *ret_len)
{
	const char *space = strchr(cmd->name, ' ');

	*ret_len = space ? (size_t)(space - cmd->name) : strlen(cmd->name);
	return space ? space + 1 : NULL;
}

bool complete_is_first(const struct command *const *cmd)
{
	size_t len, before;

	if (cmd == commands || !complete_second_word(*cmd, &len))
		return true;
	return !complete_second_word(cmd[-1], &before) || before != len ||
	       memcmp(cmd[-1]->name, (*cmd)->name, len) != 0;
}

void complete_quote(const char *text)
{
	putchar('\'');
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	}
	putchar('\'');
}

struct completion_args {
	const char *shell;
};

static int run(int argc, char **argv)
{
	struct completion_args args = { 0 };
	struct why why = { "" };

	if (command_parse(&completion_command, argc, argv, &args, &why))
		return command_misuse(&completion_command, &why);
	if (!strcmp(args.shell, "bash"))
		complete_bash();
	else if (!strcmp(args.shell, "fish"))
		complete_fish();
	else
		complete_zsh();
	return EXIT_OK;
}

const struct command completion_command = {
	.name = "completion",
	.run = run,
	.summary = "print a script with which a shell completes vcrypt",
	.usage = "bash|fish|zsh",
	.about = "\"make install\" puts them where the shells look for them. "
		 "For one session\n"
		 "of bash: . <(vcrypt completion bash)\n",
	.arguments = { { "SHELL", offsetof(struct completion_args, shell),
			 .words = "bash fish zsh" } },
};
