/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt key add and vcrypt key change: a key slot for another passphrase, or
 * another passphrase for a key slot.
 */
#include <stddef.h>
#include <stdio.h>

#include "crypt/volume_keys.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/key.h"
#include "tools/luks_options.h"

/* With the header checked before anybody is asked, and the lock held. */
static int work(const struct key_args *args, int header_fd, int key_slot,
		struct luks_key_change *change, int *ret_slot, struct why *why)
{
	struct volume_request request = VOLUME_HEADER(header_fd);
	const char *path = container_header_path(&args->paths);
	struct secret old = { NULL }, new = { NULL };
	struct volume_info info;
	int err;

	err = volume_probe(&request, &info, why);
	if (!err)
		err = volume_keys_check(&info, change, why);
	if (err) {
		why_prefix(why, "%s", path);
		return err;
	}
	request.key_slot = key_slot;
	err = key_get_both(args, &request, &old, &new, why);
	if (err)
		goto out_free;
	change->new_passphrase = new.data;
	change->new_passphrase_len = new.len;
	err = volume_keys_change(&request, change, &info, why);
	if (err)
		why_prefix(why, "%s", path);
	else
		*ret_slot = info.key_slot;
out_free:
	secret_free(&old);
	secret_free(&new);
	return err;
}

static int change_keys(const struct key_args *args, int key_slot,
		       struct luks_key_change *change, int *ret_slot,
		       struct why *why)
{
	struct container c;
	int err = container_open(&args->paths, CONTAINER_CHANGE, &c, why);

	if (err)
		return err;
	err = work(args, c.header_fd, key_slot, change, ret_slot, why);
	container_close(&c);
	return err;
}

static int parse(const struct command *cmd, int argc, char **argv,
		 struct key_args *args, int *ret_slot, int *ret_new_slot,
		 struct why *why)
{
	int err = command_parse(cmd, argc, argv, args, why);

	if (!err)
		err = key_slot_number("key-slot", args->key_slot, ret_slot,
				      why);
	if (!err)
		err = key_slot_number("new-key-slot", args->new_key_slot,
				      ret_new_slot, why);
	if (!err)
		err = key_check_sources(args, why);
	return err;
}

static int run_add(int argc, char **argv)
{
	struct luks_key_change change = { .op = LUKS_KEY_ADD };
	struct key_args args = { 0 };
	struct why why = { "" };
	int err, key_slot, slot;

	if (parse(&key_add_command, argc, argv, &args, &key_slot,
		  &change.new_slot, &why))
		return command_misuse(&key_add_command, &why);
	change.kdf = args.kdf;
	err = change_keys(&args, key_slot, &change, &slot, &why);
	if (err)
		return command_fail(err, &why);
	printf("%s: key slot %d added\n", args.paths.image, slot);
	return EXIT_OK;
}

static int run_change(int argc, char **argv)
{
	struct luks_key_change change = { .op = LUKS_KEY_CHANGE };
	struct key_args args = { 0 };
	struct why why = { "" };
	int err, key_slot, slot;

	if (parse(&key_change_command, argc, argv, &args, &key_slot,
		  &change.new_slot, &why))
		return command_misuse(&key_change_command, &why);
	change.kdf = args.kdf;
	change.in_place = args.force;
	err = change_keys(&args, key_slot, &change, &slot, &why);
	if (err)
		return command_fail(err, &why);
	printf("%s: the new passphrase is in key slot %d\n", args.paths.image,
	       slot);
	return EXIT_OK;
}

#define FIELD(name) offsetof(struct key_args, name)

static const struct option add_options[] = {
	{ .offset = FIELD(paths), .group = container_options },
	{ "key-slot", OPTION_STRING, FIELD(key_slot), "N",
	  "the key slot that the old passphrase opens; others are not tried" },
	{ .offset = FIELD(source), .group = passphrase_options },
	{ "new-key-slot", OPTION_STRING, FIELD(new_key_slot), "N",
	  "the key slot to fill (the first free one)" },
	{ .offset = FIELD(new_source), .group = new_passphrase_options },
	{ .offset = FIELD(kdf), .group = pbkdf_options },
	{ NULL },
};

const struct command key_add_command = {
	.name = "key add",
	.run = run_add,
	.summary = "let another passphrase open a container",
	.usage = "IMAGE [options]",
	.about = "The container is closed. A passphrase that opens it is asked "
		 "for, then the new\none.\n",
	.arguments = { { "IMAGE", FIELD(paths.image), VALUE_FILE } },
	.options = add_options,
};

static const struct option change_options[] = {
	{ .offset = FIELD(paths), .group = container_options },
	{ "key-slot", OPTION_STRING, FIELD(key_slot), "N",
	  "the key slot to change (the one that the old passphrase opens)" },
	{ .offset = FIELD(source), .group = passphrase_options },
	{ .offset = FIELD(new_source), .group = new_passphrase_options },
	{ .offset = FIELD(kdf), .group = pbkdf_options },
	{ "force", OPTION_FLAG, FIELD(force), NULL,
	  "overwrite the key slot where there is no room beside it: a power "
	  "cut can lose it" },
	{ NULL },
};

const struct command key_change_command = {
	.name = "key change",
	.run = run_change,
	.summary = "replace a passphrase of a container",
	.usage = "IMAGE [options]",
	.about = "The container is closed. The new key slot is written before "
		 "the old one is\ndestroyed. LUKS2 keeps its number.\n",
	.arguments = { { "IMAGE", FIELD(paths.image), VALUE_FILE } },
	.options = change_options,
};
