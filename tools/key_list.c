/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt key list: the key slots of a container.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypt/unlock.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/container.h"

struct list_args {
	struct container_paths paths;
	bool json;
};

static int list(const struct list_args *args, struct why *why)
{
	struct container c;
	char *text;
	int err;

	err = container_open(&args->paths, CONTAINER_LOOK, &c, why);
	if (err)
		return err;
	err = volume_dump(&VOLUME_HEADER(c.header_fd),
			  args->json ? VOLUME_KEYS_JSON : VOLUME_KEYS_TEXT,
			  &text, why);
	container_close(&c);
	if (err) {
		why_prefix(why, "%s", container_header_path(&args->paths));
		return err;
	}
	fputs(text, stdout);
	free(text);
	return 0;
}

static int run(int argc, char **argv)
{
	struct list_args args = { 0 };
	struct why why = { "" };
	int err;

	if (command_parse(&key_list_command, argc, argv, &args, &why))
		return command_misuse(&key_list_command, &why);
	err = list(&args, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

static const struct option options[] = {
	{ .offset = offsetof(struct list_args, paths),
	  .group = container_options },
	{ "json", OPTION_FLAG, offsetof(struct list_args, json), NULL,
	  "for programs" },
	{ NULL },
};

const struct command key_list_command = {
	.name = "key list",
	.run = run,
	.summary = "show the key slots of a container",
	.usage = "IMAGE [--json]",
	.about = "No passphrase is needed. Key slots whose use is \"unbound\" "
		 "hold another key than\nthat of the data, and are never "
		 "tried.\n",
	.arguments = { { "IMAGE", offsetof(struct list_args, paths.image),
			 VALUE_FILE } },
	.options = options,
};
