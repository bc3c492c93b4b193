/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt resize: change the size of an open volume, or of an image that is not.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/client.h"
#include "daemon/runtime.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/container.h"
#include "tools/progress.h"
#include "tools/resize_image.h"
#include "vduse/control.h"

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
		return why_set(why, err, "%s: is not open, and no file", name);
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

static int resize_volume(const char *name, uint64_t size, struct why *why)
{
	struct runtime rt;
	int err;

	err = runtime_open(&rt, false, why);
	if (err == -ENOENT)
		return why_set(why, err, "%s: is not open, and no file", name);
	if (err)
		return err;
	err = ask(&rt, name, size, why);
	runtime_close(&rt);
	return err;
}

/* Is there an open volume of this name, or one that died? */
static bool is_volume(const char *name)
{
	struct runtime rt;
	char *state;
	int fd, err;

	if (vduse_check_name(name, NULL) || runtime_open(&rt, false, NULL))
		return false;
	err = runtime_read_state(&rt, name, &state);
	if (!err) {
		free(state);
	} else {
		err = runtime_connect(&rt, name, &fd);
		if (!err)
			close(fd);
	}
	runtime_close(&rt);
	return !err;
}

static int check_volume_args(const struct resize_image *args, struct why *why)
{
	if (args->paths.header || args->preallocate || args->batch ||
	    args->progress.format)
		return why_set(why, -EINVAL,
			       "%s is open: only --size is possible",
			       args->paths.image);
	return 0;
}

static int check_image_args(const struct resize_image *args, struct why *why)
{
	if (!args->size)
		return why_set(why, -EINVAL, "%s is not open: --size is needed",
			       args->paths.image);
	return 0;
}

static int run(int argc, char **argv)
{
	struct resize_image args = { 0 };
	struct why why = { "" };
	bool open;
	int err;

	err = command_parse(&resize_command, argc, argv, &args, &why);
	if (err)
		return command_misuse(&resize_command, &why);
	open = is_volume(args.paths.image);
	/* What is no file either was meant to be a volume. */
	if (!open && access(args.paths.image, F_OK))
		open = !vduse_check_name(args.paths.image, NULL);
	err = open ? check_volume_args(&args, &why)
		   : check_image_args(&args, &why);
	if (err)
		return command_misuse(&resize_command, &why);
	err = open ? resize_volume(args.paths.image, args.size, &why)
		   : resize_image(&args, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

#define FIELD(name) offsetof(struct resize_image, name)

static const struct option options[] = {
	{ "size", OPTION_SIZE, FIELD(size), "SIZE",
	  "of the image file, header included; bytes, or with K, M, G, T. A "
	  "smaller one cuts the data off, if the device is not in use" },
	{ "preallocate", OPTION_FLAG, FIELD(preallocate), NULL,
	  "allocate the new blocks now (not open)" },
	{ "batch-mode", OPTION_FLAG, FIELD(batch), NULL,
	  "do not ask before cutting data off (not open)" },
	{ .group = progress_options, .offset = FIELD(progress) },
	{ .group = container_options, .offset = FIELD(paths) },
	{ NULL },
};

const struct command resize_command = {
	.name = "resize",
	.run = run,
	.summary = "change the size of a volume, open or not",
	.usage = "NAME|IMAGE [--size SIZE] [OPTION...]",
	.about =
		"NAME is an open volume: without an option it becomes what the "
		"image has\n"
		"room for now. IMAGE is the file of a container that is not "
		"open.\n",
	.arguments = { { "NAME or IMAGE", FIELD(paths.image),
			 VALUE_VOLUME_OR_FILE } },
	.options = options,
};
