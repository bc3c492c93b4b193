/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt convert: from one version of the LUKS format to the other.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "crypt/header_copy.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/container.h"

struct convert_args {
	struct container_paths paths;
	const char *type, *backup;
	bool batch;
};

static int ask(const struct convert_args *args, const char *type,
	       struct why *why)
{
	char question[512];

	snprintf(question, sizeof(question),
		 "The header of %.300s will be converted to %s.%s",
		 container_header_path(&args->paths), type,
		 args->backup ? ""
			      : "\nWARNING: there is no backup of it "
				"(--backup FILE). If this is interrupted, all "
				"data are lost.");
	return container_confirm(&args->paths, args->batch, question, why);
}

/* All that can fail for what the header is has failed before it is written. */
static int convert_copy(const struct convert_args *args,
			struct header_copy *copy, const struct container *c,
			struct why *why)
{
	const char *path = container_header_path(&args->paths);
	const char *type = !strcmp(args->type, "luks1") ? "LUKS1" : "LUKS2";
	struct header_copy before;
	unsigned int parts;
	int err;

	if (!strcmp(copy->info.type, type))
		return why_set(why, -EINVAL, "%s: is %s already", path, type);
	err = header_copy_convert(copy, type, why);
	if (err) {
		why_prefix(why, "%s", path);
		return err;
	}
	err = ask(args, type, why);
	if (!err && args->backup) {
		err = header_copy_take(&VOLUME_HEADER(c->header_fd), &before,
				       why);
		if (!err) {
			err = header_copy_save(&before, args->backup, why);
			header_copy_drop(&before);
		}
	}
	if (err)
		return err;
	err = header_copy_write(copy, c->header_fd, &parts, why);
	if (err)
		why_prefix(why, "%s", path);
	return err;
}

static int convert(const struct convert_args *args, struct why *why)
{
	struct header_copy copy;
	struct container c;
	int err;

	err = container_open(&args->paths, CONTAINER_CHANGE, &c, why);
	if (err)
		return err;
	err = header_copy_take(&VOLUME_HEADER(c.header_fd), &copy, why);
	if (err) {
		why_prefix(why, "%s", container_header_path(&args->paths));
	} else {
		err = convert_copy(args, &copy, &c, why);
		header_copy_drop(&copy);
	}
	container_close(&c);
	return err;
}

static int run(int argc, char **argv)
{
	struct convert_args args = { 0 };
	struct why why = { "" };
	int err;

	err = command_parse(&convert_command, argc, argv, &args, &why);
	if (!err && !args.type)
		err = why_set(&why, -EINVAL, "--type is needed");
	if (!err && args.batch && !args.backup)
		err = why_set(&why, -EINVAL,
			      "--batch-mode needs a backup of the header "
			      "(--backup FILE)");
	if (err)
		return command_misuse(&convert_command, &why);
	err = convert(&args, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

static const struct option options[] = {
	{ "type", OPTION_WORD, offsetof(struct convert_args, type), "TYPE",
	  "luks1 or luks2", "luks1 luks2" },
	{ "backup", OPTION_STRING, offsetof(struct convert_args, backup),
	  "FILE", "put the header that is replaced into FILE first", NULL,
	  VALUE_FILE },
	{ .offset = offsetof(struct convert_args, paths),
	  .group = container_options },
	{ "batch-mode", OPTION_FLAG, offsetof(struct convert_args, batch), NULL,
	  "do not ask; needs --backup" },
	{ NULL },
};

const struct command convert_command = {
	.name = "convert",
	.run = run,
	.summary = "change between LUKS1 and LUKS2",
	.usage = "IMAGE --type TYPE [OPTION]...",
	.about = "The container is closed; its data and passphrases stay. "
		 "LUKS1 has no Argon2, no\nlabel, no flags, no tokens, and "
		 "sectors of 512 bytes.\n",
	.arguments = { { "IMAGE", offsetof(struct convert_args, paths.image),
			 VALUE_FILE } },
	.options = options,
};
