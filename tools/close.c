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
#include "vduse/control.h"

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
	int err;

	if (options_parse(options, &argc, argv, &why))
		return command_misuse("close", &why);
	if (argc != 2) {
		why_set(&why, 0, "one NAME is needed");
		return command_misuse("close", &why);
	}
	if (vduse_check_name(argv[1], &why))
		return command_misuse("close", &why);
	err = close_volume(argv[1], force, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}
