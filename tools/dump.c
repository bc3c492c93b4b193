/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt dump: describe a container's header.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypt/unlock.h"
#include "lib/why.h"
#include "tools/command.h"

static int dump(const char *path, enum volume_dump_format format,
		struct why *why)
{
	char *text;
	int fd, r;

	/* Not blocking: a FIFO is told apart later. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	r = volume_dump(&VOLUME_REQUEST(fd), format, &text, why);
	close(fd);
	if (r) {
		why_prefix(why, "%s", path);
		return r;
	}
	fputs(text, stdout);
	free(text);
	return 0;
}

struct dump_args {
	const char *image;
	bool json;
};

static int run(int argc, char **argv)
{
	struct dump_args args = { 0 };
	struct why why = { "" };
	int err;

	if (command_parse(&dump_command, argc, argv, &args, &why))
		return command_misuse(&dump_command, &why);
	err = dump(args.image, args.json ? VOLUME_DUMP_JSON : VOLUME_DUMP_TEXT,
		   &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

static const struct option options[] = {
	{ "json", OPTION_FLAG, offsetof(struct dump_args, json), NULL,
	  "the metadata as JSON" },
	{ NULL },
};

const struct command dump_command = {
	.name = "dump",
	.run = run,
	.summary = "describe a container's header",
	.usage = "IMAGE [--json]",
	.arguments = { { "IMAGE", offsetof(struct dump_args, image),
			 VALUE_FILE } },
	.options = options,
};
