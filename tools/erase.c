/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt erase: destroy all key slots of a container.
 */
#include <stddef.h>
#include <stdio.h>

#include "crypt/luks_erase.h"
#include "crypt/unlock.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/container.h"
#include "tools/progress.h"

struct erase_args {
	struct container_paths paths;
	bool batch;
	struct progress_args progress;
};

static int ask(const struct erase_args *args, struct why *why)
{
	char question[512];

	snprintf(question, sizeof(question),
		 "All key slots of %.300s will be destroyed. Nobody can open "
		 "it\nafterwards, unless there is a backup of the header.",
		 container_header_path(&args->paths));
	return container_confirm(&args->paths, args->batch, question, why);
}

static void on_progress(void *arg, uint64_t done)
{
	progress_update(arg, done);
}

static int erase_slots(const struct erase_args *args, int fd,
		       const struct volume_info *info, unsigned int *ret_slots,
		       struct why *why)
{
	struct progress progress;
	const struct luks_erase_watch watch = { on_progress, &progress };
	int err;

	progress_start(&progress, &args->progress, "erase", 0,
		       info->header_size - info->slots_offset);
	err = luks_erase(fd, &watch, ret_slots, why);
	progress_end(&progress);
	return err;
}

static int erase(const struct erase_args *args, struct why *why)
{
	const char *path = container_header_path(&args->paths);
	struct volume_info info;
	unsigned int slots;
	struct container c;
	int err;

	err = container_open(&args->paths, CONTAINER_CHANGE, &c, why);
	if (err)
		return err;
	err = volume_probe(&VOLUME_HEADER(c.header_fd), &info, why);
	if (err) {
		why_prefix(why, "%s", path);
		goto out_close;
	}
	err = ask(args, why);
	if (err)
		goto out_close;
	err = erase_slots(args, c.header_fd, &info, &slots, why);
	if (err)
		why_prefix(why, "%s", path);
	else if (!args->progress.format)
		printf("%s: %u key slot%s destroyed\n", path, slots,
		       slots == 1 ? "" : "s");
out_close:
	container_close(&c);
	return err;
}

static int run(int argc, char **argv)
{
	struct erase_args args = { 0 };
	struct why why = { "" };
	int err;

	if (command_parse(&erase_command, argc, argv, &args, &why))
		return command_misuse(&erase_command, &why);
	err = erase(&args, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

static const struct option options[] = {
	{ .offset = offsetof(struct erase_args, paths),
	  .group = container_options },
	{ "batch-mode", OPTION_FLAG, offsetof(struct erase_args, batch), NULL,
	  "do not ask" },
	{ .offset = offsetof(struct erase_args, progress),
	  .group = progress_options },
	{ NULL },
};

const struct command erase_command = {
	.name = "erase",
	.run = run,
	.summary = "destroy all key slots of a container",
	.usage = "IMAGE [--batch-mode]",
	.about = "The container is closed. Its data stay, and nobody can read "
		 "them. What the disk\nor the file system below keeps of old "
		 "blocks is out of reach.\n",
	.arguments = { { "IMAGE", offsetof(struct erase_args, paths.image),
			 VALUE_FILE } },
	.options = options,
};
