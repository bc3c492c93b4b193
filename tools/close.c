/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt close: take the block device away and end the daemon.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "daemon/client.h"
#include "daemon/orphan.h"
#include "daemon/runtime.h"
#include "lib/why.h"
#include "tools/command.h"

static int close_volume(const char *name, bool force, struct why *why)
{
	struct json_object *answer;
	struct runtime rt;
	int err;

	err = runtime_open(&rt, false, why);
	if (err == -ENOENT)
		return why_set(why, err, "%s: is not open", name);
	if (err)
		return err;
	err = client_ask(&rt, name, force ? "close-force" : "close", 0,
			 &answer);
	if (!err) {
		err = client_result(answer, why);
		json_object_put(answer);
	} else if (err == -ENOENT || err == -ECONNREFUSED || err == -EPIPE) {
		err = orphan_close(&rt, name, force, why);
	} else {
		why_set(why, err, "%s: the monitor does not answer: %s", name,
			strerror(-err));
	}
	runtime_close(&rt);
	return err;
}

struct close_args {
	const char *name;
	bool force;
};

static int run(int argc, char **argv)
{
	struct close_args args = { 0 };
	struct why why = { "" };
	int err;

	if (command_parse(&close_command, argc, argv, &args, &why))
		return command_misuse(&close_command, &why);
	err = close_volume(args.name, args.force, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

static const struct option options[] = {
	{ "force", OPTION_FLAG, offsetof(struct close_args, force), NULL,
	  "even if it is in use or cannot be flushed: what is not yet written "
	  "is lost" },
	{ NULL },
};

const struct command close_command = {
	.name = "close",
	.run = run,
	.summary = "take the block device away again",
	.usage = "NAME [--force]",
	.arguments = { { "NAME", offsetof(struct close_args, name),
			 VALUE_VOLUME } },
	.options = options,
};
