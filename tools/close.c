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
#include "tools/options.h"

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

int cmd_close(int argc, char **argv)
{
	bool force = false;
	struct option_spec options[] = {
		{ "force", OPTION_FLAG, &force },
		{ NULL },
	};
	struct why why = { "" };
	const char *name;
	int err;

	err = command_volume(options, argc, argv, &name);
	if (err)
		return err;
	err = close_volume(name, force, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}
