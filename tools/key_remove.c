/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt key remove: destroy a key slot.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "crypt/volume_keys.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/key.h"

static bool is_last(const struct volume_info *info, int slot)
{
	return info->key_slots == 1u << slot;
}

/*
 * Which one is it, and may it go?  Without a number it is the one that the
 * passphrase opens; with one, the passphrase has to open another, so that it
 * is known that the container can still be opened.
 */
static int choose(const struct key_args *args,
		  const struct volume_request *header,
		  const struct volume_info *info, int *slot, struct why *why)
{
	struct volume_request request = *header;
	struct secret secret = { NULL };
	int err;

	if (*slot != VOLUME_ANY_SLOT && args->batch)
		return 0;
	if (*slot != VOLUME_ANY_SLOT && !is_last(info, *slot))
		request.slots = info->key_slots & ~(1u << *slot);
	err = key_unlock(args, &request, &secret, why);
	secret_free(&secret);
	if (!err && *slot == VOLUME_ANY_SLOT)
		*slot = request.key_slot;
	return err;
}

static int confirm_last(const struct key_args *args, int slot, struct why *why)
{
	const char *path = container_header_path(&args->paths);
	char question[512];

	if (args->batch && !args->force)
		return why_set(why, -EDOM,
			       "%s: key slot %d is the last one, and nobody "
			       "could open it any more (--force)",
			       path, slot);
	snprintf(question, sizeof(question),
		 "Key slot %d is the last one of %.300s. Nobody can open it\n"
		 "afterwards, unless there is a backup of the header.",
		 slot, path);
	return container_confirm(&args->paths, args->batch, question, why);
}

static int remove_slot(const struct key_args *args, int header_fd, int *slot,
		       struct why *why)
{
	const struct volume_request request = VOLUME_HEADER(header_fd);
	const char *path = container_header_path(&args->paths);
	struct luks_key_change change = { .op = LUKS_KEY_REMOVE };
	struct volume_info info;
	int err;

	err = volume_probe(&request, &info, why);
	if (err)
		goto out_prefix;
	err = choose(args, &request, &info, slot, why);
	if (!err && is_last(&info, *slot))
		err = confirm_last(args, *slot, why);
	if (err)
		return err;
	change.slot = *slot;
	err = volume_keys_change(&request, &change, &info, why);
	if (!err)
		return 0;
out_prefix:
	why_prefix(why, "%s", path);
	return err;
}

static int run(int argc, char **argv)
{
	struct key_args args = { 0 };
	struct why why = { "" };
	struct container c;
	int err, slot;

	err = command_parse(&key_remove_command, argc, argv, &args, &why);
	if (!err)
		err = key_slot_number("key-slot", args.key_slot, &slot, &why);
	if (!err)
		err = passphrase_check(&args.source, "", &why);
	if (err)
		return command_misuse(&key_remove_command, &why);
	err = container_open(&args.paths, CONTAINER_CHANGE, &c, &why);
	if (err)
		return command_fail(err, &why);
	err = remove_slot(&args, c.header_fd, &slot, &why);
	container_close(&c);
	if (err)
		return command_fail(err, &why);
	printf("%s: key slot %d removed\n", args.paths.image, slot);
	return EXIT_OK;
}

#define FIELD(name) offsetof(struct key_args, name)

static const struct option options[] = {
	{ .offset = FIELD(paths), .group = container_options },
	{ "key-slot", OPTION_STRING, FIELD(key_slot), "N",
	  "the key slot to remove; the passphrase is that of another one" },
	{ .offset = FIELD(source), .group = passphrase_options },
	{ "batch-mode", OPTION_FLAG, FIELD(batch), NULL,
	  "ask nothing: with --key-slot no passphrase is needed" },
	{ "force", OPTION_FLAG, FIELD(force), NULL,
	  "with --batch-mode: even the last one" },
	{ NULL },
};

const struct command key_remove_command = {
	.name = "key remove",
	.run = run,
	.summary = "destroy a key slot of a container",
	.usage = "IMAGE [--key-slot N] [options]",
	.about = "The container is closed. Without --key-slot it is the key "
		 "slot that the\npassphrase opens. For the last one it asks "
		 "for YES.\n",
	.arguments = { { "IMAGE", FIELD(paths.image), VALUE_FILE } },
	.options = options,
};
