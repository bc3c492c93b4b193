/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt resize: change the size of an open volume.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "daemon/client.h"
#include "daemon/runtime.h"
#include "lib/why.h"
#include "tools/command.h"

static int ask(const struct runtime *rt, const char *name, uint64_t size,
	       struct why *why)
{
	struct json_object *answer;
	char word[32] = "resize";
	int err;

	if (size)
		snprintf(word, sizeof(word), "resize %" PRIu64, size);
	err = client_ask(rt, name, word, 0, &answer);
	if (err == -ENOENT)
		return why_set(why, err, "%s: is not open", name);
	if (err == -ECONNREFUSED || err == -EPIPE)
		return why_set(why, err,
			       "%s: its monitor is gone, it keeps its size "
			       "(vcrypt close %s)",
			       name, name);
	if (err)
		return why_set(why, err, "%s: the monitor does not answer: %s",
			       name, strerror(-err));
	err = client_result(answer, why);
	json_object_put(answer);
	return err;
}

static int resize(const char *name, uint64_t size, struct why *why)
{
	struct runtime rt;
	int err;

	err = runtime_open(&rt, false, why);
	if (err == -ENOENT)
		return why_set(why, err, "%s: is not open", name);
	if (err)
		return err;
	err = ask(&rt, name, size, why);
	runtime_close(&rt);
	return err;
}

struct resize_args {
	const char *name;
	uint64_t size; /* bytes; 0: not given */
};

static int run(int argc, char **argv)
{
	struct resize_args args = { 0 };
	struct why why = { "" };
	int err;

	if (command_parse(&resize_command, argc, argv, &args, &why))
		return command_misuse(&resize_command, &why);
	err = resize(args.name, args.size, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

static const struct option options[] = {
	{ "size", OPTION_SIZE, offsetof(struct resize_args, size), "SIZE",
	  "of the image file, header included; bytes, or with K, M, G, T. A "
	  "smaller one cuts the data off, if the device is not in use" },
	{ NULL },
};

const struct command resize_command = {
	.name = "resize",
	.run = run,
	.summary = "change the size of an open volume",
	.usage = "NAME [--size SIZE]",
	.about = "Without an option it becomes what the image has room for "
		 "now.\n",
	.arguments = { { "NAME", offsetof(struct resize_args, name),
			 VALUE_VOLUME } },
	.options = options,
};
