/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt list: the open volumes, a line each.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>

#include "daemon/runtime.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/volumes.h"

static int add_volume(const struct runtime *rt, const char *name, void *arg)
{
	struct json_object *obj;

	/* One that was closed in the meantime is no error. */
	if (!volume_describe(rt, name, &obj, NULL))
		json_object_array_add(arg, obj);
	return 0;
}

static void print_table(struct json_object *list)
{
	size_t i, n = json_object_array_length(list);
	char size[16];

	if (n)
		printf("%-16s %-17s %-10s %10s  %s\n", "NAME", "DEVICE",
		       "STATE", "SIZE", "IMAGE");
	for (i = 0; i < n; i++) {
		struct json_object *obj = json_object_array_get_idx(list, i);

		const char *header = volume_text(obj, "header");

		volume_size_text(volume_number(obj, "size"), size);
		printf("%-16s %-17s %-10s %10s  %s%s%s\n",
		       volume_text(obj, "name"),
		       volume_text_or_dash(obj, "device"),
		       volume_text(obj, "state"), size,
		       volume_text(obj, "image"), header[0] ? " + " : "",
		       header);
	}
}

static int list(bool json, struct why *why)
{
	struct json_object *all = json_object_new_array();
	struct runtime rt;
	int err;

	err = runtime_open(&rt, false, why);
	if (!err) {
		err = runtime_each(&rt, add_volume, all);
		runtime_close(&rt);
	}
	/* No directory: nothing was ever opened. */
	if (err == -ENOENT)
		err = 0;
	if (!err && json)
		err = volume_print_json(all, why);
	else if (!err)
		print_table(all);
	json_object_put(all);
	return err;
}

struct list_args {
	bool json;
};

static int run(int argc, char **argv)
{
	struct list_args args = { 0 };
	struct why why = { "" };
	int err;

	if (command_parse(&list_command, argc, argv, &args, &why))
		return command_misuse(&list_command, &why);
	err = list(args.json, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

static const struct option options[] = {
	{ "json", OPTION_FLAG, offsetof(struct list_args, json), NULL,
	  "as JSON" },
	{ NULL },
};

const struct command list_command = {
	.name = "list",
	.run = run,
	.summary = "list the open volumes",
	.usage = "[--json]",
	.options = options,
};
