/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt header repair: put a damaged header in order, from the second one
 * that LUKS2 has, or of LUKS1 what follows from the rest of it.
 */
#include <stddef.h>
#include <stdio.h>

#include "crypt/header_copy.h"
#include "crypt/luks1_repair.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/container.h"

#define SLOTS_TEXT 32 /* bytes of "0, 1, 2, 3, 4, 5, 6, 7" */

struct repair_args {
	struct container_paths paths;
	bool batch;
};

static const char *list_slots(unsigned int slots, char ret[static SLOTS_TEXT])
{
	int i, len = 0;

	ret[0] = '\0';
	for (i = 0; i < LUKS1_SLOTS; i++)
		if (slots & 1u << i)
			len += snprintf(ret + len, SLOTS_TEXT - (size_t)len,
					"%s%d", len ? ", " : "", i);
	return ret;
}

static void say_luks1(const char *path, const struct luks1_repairs *repairs)
{
	char slots[SLOTS_TEXT];

	if (repairs->hash)
		printf("%s: the name of the hash is in small letters now\n",
		       path);
	if (repairs->slots)
		printf("%s: put in order and free now: key slot %s\n", path,
		       list_slots(repairs->slots, slots));
}

static void say_luks2(const char *path, unsigned int parts)
{
	if (parts & HEADER_FIRST)
		printf("%s: the first header was written anew, from the "
		       "second\n",
		       path);
	if (parts & HEADER_SECOND)
		printf("%s: the second header was written anew, from the "
		       "first\n",
		       path);
}

/* A key slot whose state is spoiled may have been one that opened. */
static int ask(const struct repair_args *args,
	       const struct luks1_repairs *repairs, struct why *why)
{
	char question[512], slots[SLOTS_TEXT];

	if (!repairs->lost)
		return 0;
	snprintf(question, sizeof(question),
		 "It cannot be told whether key slot %s of %.300s was in use.\n"
		 "It will be free, and what it may have held will be lost.",
		 list_slots(repairs->lost, slots),
		 container_header_path(&args->paths));
	return container_confirm(&args->paths, args->batch, question, why);
}

static int write_back(const struct repair_args *args,
		      const struct header_copy *copy, int fd,
		      const struct luks1_repairs *repairs, struct why *why)
{
	const char *path = container_header_path(&args->paths);
	char slots[SLOTS_TEXT];
	unsigned int parts;
	int err;

	err = header_copy_write(copy, fd, &parts, why);
	if (err) {
		why_prefix(why, "%s", path);
		return err;
	}
	if (repairs->odd)
		fprintf(stderr,
			"vcrypt: %s: key slot %s is neither in use nor free, "
			"which cannot be repaired (vcrypt header restore, if "
			"there is a backup)\n",
			path, list_slots(repairs->odd, slots));
	if (!parts)
		printf("%s: nothing to repair\n", path);
	else if (repairs->slots || repairs->hash)
		say_luks1(path, repairs);
	else
		say_luks2(path, parts);
	return 0;
}

static int repair(const struct repair_args *args, struct why *why)
{
	struct luks1_repairs repairs;
	struct header_copy copy;
	struct container c;
	int err;

	err = container_open(&args->paths, CONTAINER_CHANGE, &c, why);
	if (err)
		return err;
	err = header_copy_repair(&VOLUME_HEADER(c.header_fd), &copy, &repairs,
				 why);
	if (err) {
		why_prefix(why, "%s", container_header_path(&args->paths));
		goto out_close;
	}
	err = ask(args, &repairs, why);
	if (!err)
		err = write_back(args, &copy, c.header_fd, &repairs, why);
	header_copy_drop(&copy);
out_close:
	container_close(&c);
	return err;
}

static int run(int argc, char **argv)
{
	struct repair_args args = { 0 };
	struct why why = { "" };
	int err;

	if (command_parse(&header_repair_command, argc, argv, &args, &why))
		return command_misuse(&header_repair_command, &why);
	err = repair(&args, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

static const struct option options[] = {
	{ .offset = offsetof(struct repair_args, paths),
	  .group = container_options },
	{ "batch-mode", OPTION_FLAG, offsetof(struct repair_args, batch), NULL,
	  "do not ask" },
	{ NULL },
};

const struct command header_repair_command = {
	.name = "header repair",
	.run = run,
	.summary = "put a damaged header in order",
	.usage = "IMAGE [OPTION]...",
	.about = "LUKS2 has its header twice: a damaged one is made whole from "
		 "the other. Of\nLUKS1, key slots that are not in use are put "
		 "in order, as cryptsetup repair\ndoes. The container is "
		 "closed.\n",
	.arguments = { { "IMAGE", offsetof(struct repair_args, paths.image),
			 VALUE_FILE } },
	.options = options,
};
