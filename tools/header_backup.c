/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt header backup: put a container's header into a file.
 */
#include <stddef.h>
#include <stdio.h>

#include "crypt/header_copy.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/container.h"

struct backup_args {
	struct container_paths paths;
	const char *file;
};

static int backup(const struct backup_args *args, struct why *why)
{
	struct header_copy copy;
	struct container c;
	int err;

	err = container_open(&args->paths, CONTAINER_LOOK, &c, why);
	if (err)
		return err;
	err = header_copy_take(&VOLUME_HEADER(c.header_fd), &copy, why);
	container_close(&c);
	if (err) {
		why_prefix(why, "%s", container_header_path(&args->paths));
		return err;
	}
	if (copy.info.note[0])
		fprintf(stderr, "vcrypt: %s: %s\n",
			container_header_path(&args->paths), copy.info.note);
	err = header_copy_save(&copy, args->file, why);
	header_copy_drop(&copy);
	return err;
}

static int run(int argc, char **argv)
{
	struct backup_args args = { 0 };
	struct why why = { "" };
	int err;

	if (command_parse(&header_backup_command, argc, argv, &args, &why))
		return command_misuse(&header_backup_command, &why);
	err = backup(&args, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

static const struct option options[] = {
	{ .offset = offsetof(struct backup_args, paths),
	  .group = container_options },
	{ NULL },
};

const struct command header_backup_command = {
	.name = "header backup",
	.run = run,
	.summary = "put a container's header into a file",
	.usage = "IMAGE FILE",
	.about = "FILE is new, has mode 0600, and is what cryptsetup "
		 "luksHeaderBackup makes.\nWhoever has it and a passphrase "
		 "of that day can open the container, even when\nthe "
		 "passphrase has been removed since.\n",
	.arguments = { { "IMAGE", offsetof(struct backup_args, paths.image),
			 VALUE_FILE },
		       { "FILE", offsetof(struct backup_args, file),
			 VALUE_FILE } },
	.options = options,
};
