/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt header repair: make the damaged one of two headers whole again.
 */
#include <stddef.h>
#include <stdio.h>

#include "crypt/header_copy.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/container.h"

static void say(const char *path, unsigned int parts)
{
	if (!parts)
		printf("%s: nothing to repair\n", path);
	if (parts & HEADER_FIRST)
		printf("%s: the first header was written anew, from the "
		       "second\n",
		       path);
	if (parts & HEADER_SECOND)
		printf("%s: the second header was written anew, from the "
		       "first\n",
		       path);
}

static int repair(const struct container_paths *paths, struct why *why)
{
	const char *path = container_header_path(paths);
	struct header_copy copy;
	unsigned int parts;
	struct container c;
	int err;

	err = container_open(paths, CONTAINER_CHANGE, &c, why);
	if (err)
		return err;
	err = header_copy_take(&VOLUME_HEADER(c.header_fd), &copy, why);
	if (!err) {
		err = header_copy_write(&copy, c.header_fd, &parts, why);
		header_copy_drop(&copy);
	}
	if (err)
		why_prefix(why, "%s", path);
	else
		say(path, parts);
	container_close(&c);
	return err;
}

static int run(int argc, char **argv)
{
	struct container_paths paths = { 0 };
	struct why why = { "" };
	int err;

	if (command_parse(&header_repair_command, argc, argv, &paths, &why))
		return command_misuse(&header_repair_command, &why);
	err = repair(&paths, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

const struct command header_repair_command = {
	.name = "header repair",
	.run = run,
	.summary = "make a damaged header whole again, from its copy",
	.usage = "IMAGE",
	.about = "LUKS2 has its header twice. The container is closed.\n",
	.arguments = { { "IMAGE", offsetof(struct container_paths, image),
			 VALUE_FILE } },
	.options = container_options,
};
