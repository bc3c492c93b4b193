/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt dump: describe a container's header.
 */
#include <stdio.h>
#include <stdlib.h>

#include "crypt/unlock.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/container.h"
#include "tools/dump_key.h"

static int dump(const struct container_paths *paths,
		enum volume_dump_format format, struct why *why)
{
	struct volume_request request;
	struct container c;
	char *text;
	int r;

	r = container_open(paths, CONTAINER_LOOK, &c, why);
	if (r)
		return r;
	request = VOLUME_REQUEST(c.header_fd);
	request.data_fd = c.image_fd;
	r = volume_dump(&request, format, &text, why);
	container_close(&c);
	if (r) {
		why_prefix(why, "%s", container_header_path(paths));
		return r;
	}
	fputs(text, stdout);
	free(text);
	return 0;
}

struct dump_args {
	struct container_paths paths;
	struct dump_key key;
	bool json;
};

static int run(int argc, char **argv)
{
	struct dump_args args = { 0 };
	struct why why = { "" };
	int err;

	if (command_parse(&dump_command, argc, argv, &args, &why))
		return command_misuse(&dump_command, &why);
	err = dump_key_check(&args.key, args.json, &why);
	if (!err && args.key.wanted)
		err = dump_key_run(&args.key, &args.paths, &why);
	else if (!err)
		err = dump(&args.paths,
			   args.json ? VOLUME_DUMP_JSON : VOLUME_DUMP_TEXT,
			   &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

static const struct option options[] = {
	{ .group = container_options,
	  .offset = offsetof(struct dump_args, paths) },
	{ "json", OPTION_FLAG, offsetof(struct dump_args, json), NULL,
	  "the metadata as JSON" },
	{ .group = dump_key_options,
	  .offset = offsetof(struct dump_args, key) },
	{ NULL },
};

const struct command dump_command = {
	.name = "dump",
	.run = run,
	.summary = "describe a container's header",
	.usage = "IMAGE [--header FILE] [--json | --dump-volume-key]",
	.arguments = { { "IMAGE", offsetof(struct dump_args, paths.image),
			 VALUE_FILE } },
	.options = options,
};
