/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt header restore: put a header from a backup back into a container.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "backend/file.h"
#include "crypt/header_copy.h"
#include "crypt/header_restore.h"
#include "crypt/luks_image.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/container.h"

#define DIFFERENCES_MAX 300

struct restore_args {
	struct container_paths paths;
	const char *file;
	bool batch, force;
};

static int take_backup(const struct restore_args *args,
		       const struct container *c, struct header_copy *ret,
		       struct why *why)
{
	struct header_copy copy;
	uint64_t size;
	int fd, err;

	err = file_open(args->file, true, &fd, why);
	if (err)
		return err;
	err = header_copy_take(&VOLUME_HEADER(fd), &copy, why);
	close(fd);
	if (!err) {
		err = luks_image_size(c->image_fd, &size, why);
		if (!err)
			err = header_restore_check(
				&copy.info, args->paths.header, size, why);
		if (err)
			header_copy_drop(&copy);
	}
	if (err)
		why_prefix(why, "%s", args->file);
	else
		*ret = copy;
	return err;
}

/* What is there now, and whether the backup is of the same container. */
static void compare(const struct container *c, const struct volume_info *backup,
		    char differences[static DIFFERENCES_MAX])
{
	struct why why = { "" };
	struct volume_info now;

	if (volume_probe(&VOLUME_HEADER(c->header_fd), &now, &why))
		snprintf(differences, DIFFERENCES_MAX,
			 "there is no header that can be read (%.200s)",
			 why.text);
	else
		header_restore_differences(&now, backup, differences,
					   DIFFERENCES_MAX);
}

static int ask(const struct restore_args *args, const char *differences,
	       struct why *why)
{
	const char *path = container_header_path(&args->paths);
	char question[DIFFERENCES_MAX + 700];

	if (args->batch && differences[0] && !args->force)
		return why_set(why, -EINVAL,
			       "%s: the backup is not known to be of this "
			       "container: %s (--force)",
			       path, differences);
	snprintf(question, sizeof(question),
		 "The header of %.200s and all its key slots will be replaced "
		 "by those of\n%.200s.%s%s%s",
		 path, args->file,
		 differences[0] ? "\nWARNING: it is not known to be of this "
				  "container: "
				: "",
		 differences, differences[0] ? "." : "");
	return container_confirm(&args->paths, args->batch, question, why);
}

static int restore(const struct restore_args *args, struct why *why)
{
	char differences[DIFFERENCES_MAX];
	struct header_copy copy;
	struct container c;
	unsigned int parts;
	int err;

	err = container_open(&args->paths, CONTAINER_CHANGE, &c, why);
	if (err)
		return err;
	err = take_backup(args, &c, &copy, why);
	if (err)
		goto out_close;
	compare(&c, &copy.info, differences);
	err = ask(args, differences, why);
	if (!err) {
		err = header_copy_write(&copy, c.header_fd, &parts, why);
		if (err)
			why_prefix(why, "%s",
				   container_header_path(&args->paths));
	}
	header_copy_drop(&copy);
out_close:
	container_close(&c);
	return err;
}

static int run(int argc, char **argv)
{
	struct restore_args args = { 0 };
	struct why why = { "" };
	int err;

	if (command_parse(&header_restore_command, argc, argv, &args, &why))
		return command_misuse(&header_restore_command, &why);
	err = restore(&args, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

static const struct option options[] = {
	{ .offset = offsetof(struct restore_args, paths),
	  .group = container_options },
	{ "batch-mode", OPTION_FLAG, offsetof(struct restore_args, batch), NULL,
	  "do not ask; a header of another container is refused" },
	{ "force", OPTION_FLAG, offsetof(struct restore_args, force), NULL,
	  "with --batch-mode: not even then" },
	{ NULL },
};

const struct command header_restore_command = {
	.name = "header restore",
	.run = run,
	.summary = "put a header from a backup back",
	.usage = "IMAGE FILE [OPTION]...",
	.about = "The container is closed. Its key slots are those of the "
		 "backup afterwards. If\nthis is interrupted, do it again.\n",
	.arguments = { { "IMAGE", offsetof(struct restore_args, paths.image),
			 VALUE_FILE },
		       { "FILE", offsetof(struct restore_args, file),
			 VALUE_FILE } },
	.options = options,
};
