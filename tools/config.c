/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt config: change what a container's header says about its use.
 */
#include <errno.h>
#include <string.h>

#include "crypt/unlock.h"
#include "crypt/volume_keys.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/container.h"
#include "tools/key.h"

struct config_args {
	struct container_paths paths;
	const char *flag, *priority, *key_slot;
};

/* The words of --priority, with libcryptsetup's number of each. */
static const char *const priorities[] = { "ignore", "normal", "prefer" };

static int change_priority(const struct config_args *args, int header_fd,
			   struct why *why)
{
	struct luks_key_change change = { .op = LUKS_KEY_PRIORITY };
	struct volume_info info;

	if (key_slot_number("key-slot", args->key_slot, &change.slot, why))
		return -EINVAL;
	while (strcmp(priorities[change.priority], args->priority))
		change.priority++;
	return volume_keys_change(&VOLUME_HEADER(header_fd), &change, &info,
				  why);
}

static int change_discards(int header_fd, bool allow, struct why *why)
{
	const struct luks_key_change change = {
		.op = LUKS_KEY_DISCARDS,
		.allow = allow,
	};
	struct volume_info info;

	return volume_keys_change(&VOLUME_HEADER(header_fd), &change, &info,
				  why);
}

static int config(const struct config_args *args, struct why *why)
{
	struct container c;
	int err;

	err = container_open(&args->paths, CONTAINER_CHANGE, &c, why);
	if (err)
		return err;
	if (args->priority)
		err = change_priority(args, c.header_fd, why);
	if (!err && args->flag)
		err = change_discards(c.header_fd,
				      !strcmp(args->flag, "allow-discards"),
				      why);
	if (err)
		why_prefix(why, "%s", container_header_path(&args->paths));
	container_close(&c);
	return err;
}

/* What is to be changed, and of which key slot? */
static int check(const struct config_args *args, struct why *why)
{
	int slot;

	if (!args->flag && !args->priority)
		return why_set(why, -EINVAL,
			       "--persistent or --priority is needed");
	if (!args->priority != !args->key_slot)
		return why_set(why, -EINVAL,
			       "--priority and --key-slot go together");
	return key_slot_number("key-slot", args->key_slot, &slot, why);
}

static int run(int argc, char **argv)
{
	struct config_args args = { 0 };
	struct why why = { "" };
	int err;

	err = command_parse(&config_command, argc, argv, &args, &why);
	if (!err)
		err = check(&args, &why);
	if (err)
		return command_misuse(&config_command, &why);
	err = config(&args, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

static const struct option options[] = {
	{ .group = container_options,
	  .offset = offsetof(struct config_args, paths) },
	{ "persistent", OPTION_WORD, offsetof(struct config_args, flag), "FLAG",
	  "allow-discards: every open allows them; no-allow-discards: only "
	  "with open's option",
	  "allow-discards no-allow-discards" },
	{ "priority", OPTION_WORD, offsetof(struct config_args, priority),
	  "PRIORITY",
	  "of a key slot: prefer (tried first), normal, ignore (tried only "
	  "where --key-slot names it)",
	  "prefer normal ignore" },
	{ "key-slot", OPTION_STRING, offsetof(struct config_args, key_slot),
	  "N", "the key slot that --priority is for" },
	{ NULL },
};

const struct command config_command = {
	.name = "config",
	.run = run,
	.summary = "change what a container's header says",
	.usage = "IMAGE [options]",
	.about =
		"The container is closed and LUKS2. No passphrase is needed.\n",
	.arguments = { { "IMAGE", offsetof(struct config_args, paths.image),
			 VALUE_FILE } },
	.options = options,
};
