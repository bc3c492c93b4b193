/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt key test: does a passphrase open a container?
 */
#include <stddef.h>
#include <stdio.h>

#include "crypt/luks_memory.h"
#include "crypt/unlock.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/key.h"

static int test(const struct key_args *args, struct volume_request *request,
		struct why *why)
{
	struct secret secret = { NULL };
	struct volume_info info;
	int err;

	err = volume_probe(request, &info, why);
	if (!err)
		err = luks_memory_check(why);
	if (err) {
		why_prefix(why, "%s", container_header_path(&args->paths));
		return err;
	}
	err = key_unlock(args, request, &secret, why);
	secret_free(&secret);
	return err;
}

static int test_container(const struct key_args *args, int *slot,
			  struct why *why)
{
	struct volume_request request;
	struct container c;
	int err;

	err = container_open(&args->paths, CONTAINER_LOOK, &c, why);
	if (err)
		return err;
	request = VOLUME_HEADER(c.header_fd);
	request.key_slot = *slot;
	err = test(args, &request, why);
	container_close(&c);
	if (!err)
		*slot = request.key_slot;
	return err;
}

static int run(int argc, char **argv)
{
	struct key_args args = { 0 };
	struct why why = { "" };
	int err, slot;

	err = command_parse(&key_test_command, argc, argv, &args, &why);
	if (!err)
		err = key_slot_number("key-slot", args.key_slot, &slot, &why);
	if (!err)
		err = passphrase_check(&args.source, "", &why);
	if (err)
		return command_misuse(&key_test_command, &why);
	err = test_container(&args, &slot, &why);
	if (err)
		return command_fail(err, &why);
	printf("%s: key slot %d opens\n", args.paths.image, slot);
	return EXIT_OK;
}

#define FIELD(name) offsetof(struct key_args, name)

static const struct option options[] = {
	{ .offset = FIELD(paths), .group = container_options },
	{ "key-slot", OPTION_STRING, FIELD(key_slot), "N",
	  "try only this key slot, whatever its priority" },
	{ .offset = FIELD(source), .group = passphrase_options },
	{ NULL },
};

const struct command key_test_command = {
	.name = "key test",
	.run = run,
	.summary = "see whether a passphrase opens a container",
	.usage = "IMAGE [--key-slot N] [options]",
	.about = "Nothing is opened or changed; the container may be open. The "
		 "exit code is 0 if\na key slot opens, 2 if none does.\n",
	.arguments = { { "IMAGE", FIELD(paths.image), VALUE_FILE } },
	.options = options,
};
