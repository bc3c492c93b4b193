/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt status: everything about one open volume, or about all of them.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "daemon/runtime.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/volumes.h"
#include "vduse/control.h"

/* The words of an array, each after a space. */
static void print_words(struct json_object *obj, const char *key)
{
	struct json_object *list;
	size_t i;

	if (json_object_object_get_ex(obj, key, &list))
		for (i = 0; i < json_object_array_length(list); i++)
			printf(" %s",
			       json_object_get_string(
				       json_object_array_get_idx(list, i)));
	printf("\n");
}

static void print_counter(const char *op, struct json_object *one)
{
	char size[16];

	if (!volume_number(one, "requests"))
		return;
	volume_size_text(volume_number(one, "bytes"), size);
	printf("  %-13s %llu requests, %s, %llu errors\n", op,
	       (unsigned long long)volume_number(one, "requests"), size,
	       (unsigned long long)volume_number(one, "errors"));
}

static void print_requests(struct json_object *obj)
{
	struct json_object_iterator it, end;
	struct json_object *all;

	if (!json_object_object_get_ex(obj, "requests", &all))
		return;
	it = json_object_iter_begin(all);
	end = json_object_iter_end(all);
	for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it))
		print_counter(json_object_iter_peek_name(&it),
			      json_object_iter_peek_value(&it));
}

static void print_broken_queues(struct json_object *obj)
{
	struct json_object *list;
	size_t i;

	if (!json_object_object_get_ex(obj, "per_queue", &list))
		return;
	for (i = 0; i < json_object_array_length(list); i++) {
		const char *reason = volume_text(
			json_object_array_get_idx(list, i), "broken");

		if (reason[0])
			printf("  queue %zu:       stands still: %s\n", i,
			       reason);
	}
}

static void print_buffers(struct json_object *obj)
{
	struct json_object *list;
	size_t i, nr, registered = 0;

	if (!json_object_object_get_ex(obj, "per_queue", &list))
		return;
	nr = json_object_array_length(list);
	for (i = 0; i < nr; i++)
		registered += !!volume_number(
			json_object_array_get_idx(list, i), "registered");
	printf("  buffers:      %zu of %zu queues have them registered%s\n",
	       registered, nr, registered < nr ? " (ulimit -l)" : "");
}

static void print_log(struct json_object *obj)
{
	struct json_object *list;
	size_t i;

	if (!json_object_object_get_ex(obj, "log", &list) ||
	    !json_object_array_length(list))
		return;
	printf("  log:\n");
	for (i = 0; i < json_object_array_length(list); i++)
		printf("    %s\n", json_object_get_string(
					   json_object_array_get_idx(list, i)));
}

static void print_status(struct json_object *obj)
{
	char size[16];

	volume_size_text(volume_number(obj, "size"), size);
	printf("%s:\n", volume_text(obj, "name"));
	printf("  state:        %s\n", volume_text(obj, "state"));
	printf("  device:       %s%s\n", volume_text_or_dash(obj, "device"),
	       volume_number(obj, "readonly") ? " (read-only)" : "");
	printf("  driver:       %s\n", volume_text_or_dash(obj, "driver"));
	printf("  image:        %s (%s)\n", volume_text(obj, "image"),
	       volume_text(obj, "cache"));
	if (volume_text(obj, "header")[0])
		printf("  header:       %s\n", volume_text(obj, "header"));
	printf("  size:         %llu bytes (%s)\n",
	       (unsigned long long)volume_number(obj, "size"), size);
	printf("  cipher:       %s %s, %llu-bit key, %llu-byte sectors\n",
	       volume_text(obj, "type"), volume_text(obj, "cipher"),
	       (unsigned long long)volume_number(obj, "key_bits"),
	       (unsigned long long)volume_number(obj, "sector_size"));
	printf("  uuid:         %s\n", volume_text(obj, "uuid"));
	printf("  queues:       %llu x %llu entries, %s ring\n",
	       (unsigned long long)volume_number(obj, "queues"),
	       (unsigned long long)volume_number(obj, "queue_size"),
	       volume_text(obj, "ring"));
	print_buffers(obj);
	printf("  features:    ");
	print_words(obj, "features");
	printf("  kernel:       %s, VDUSE API %llu,",
	       volume_text(obj, "kernel"),
	       (unsigned long long)volume_number(obj, "vduse_api"));
	print_words(obj, "vduse_features");
	if (volume_number(obj, "kernel_gave_up"))
		printf("  served:       no (see the log)\n");
	printf("  discards:     %s\n",
	       volume_number(obj, "discards") ? "allowed" : "not allowed");
	printf("  processes:    monitor %llu, worker %llu (%s), %llu restarts\n",
	       (unsigned long long)volume_number(obj, "monitor_pid"),
	       (unsigned long long)volume_number(obj, "worker_pid"),
	       volume_text(obj, "worker_user"),
	       (unsigned long long)volume_number(obj, "worker_restarts"));
	if (volume_text(obj, "note")[0])
		printf("  note:         %s\n", volume_text(obj, "note"));
	print_requests(obj);
	print_broken_queues(obj);
	print_log(obj);
}

static int show_one(const struct runtime *rt, const char *name, bool json,
		    struct why *why)
{
	struct json_object *obj;
	int err;

	err = volume_describe(rt, name, &obj, why);
	if (err)
		return err;
	if (json)
		err = volume_print_json(obj, why);
	else
		print_status(obj);
	json_object_put(obj);
	return err;
}

static int collect(const struct runtime *rt, const char *name, void *arg)
{
	struct json_object *obj;

	if (!volume_describe(rt, name, &obj, NULL))
		json_object_array_add(arg, obj);
	return 0;
}

static int show_all(const struct runtime *rt, bool json, struct why *why)
{
	struct json_object *all = json_object_new_array();
	size_t i;
	int err;

	err = runtime_each(rt, collect, all);
	if (!err && json)
		err = volume_print_json(all, why);
	for (i = 0; !json && i < json_object_array_length(all); i++)
		print_status(json_object_array_get_idx(all, i));
	json_object_put(all);
	return err;
}

static int status(const char *name, bool json, struct why *why)
{
	struct runtime rt;
	int err;

	err = runtime_open(&rt, false, why);
	if (err == -ENOENT && name)
		return why_set(why, err, "%s: is not open", name);
	if (err == -ENOENT) {
		if (json)
			printf("[]\n");
		return 0;
	}
	if (err)
		return err;
	err = name ? show_one(&rt, name, json, why) : show_all(&rt, json, why);
	runtime_close(&rt);
	return err;
}

struct status_args {
	const char *name;
	bool json;
};

static int run(int argc, char **argv)
{
	struct status_args args = { 0 };
	struct why why = { "" };
	int err;

	if (command_parse(&status_command, argc, argv, &args, &why))
		return command_misuse(&status_command, &why);
	err = status(args.name, args.json, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

static const struct option options[] = {
	{ "json", OPTION_FLAG, offsetof(struct status_args, json), NULL,
	  "as JSON" },
	{ NULL },
};

const struct command status_command = {
	.name = "status",
	.run = run,
	.summary = "tell all about open volumes",
	.usage = "[NAME] [--json]",
	.arguments = { { "NAME", offsetof(struct status_args, name),
			 VALUE_VOLUME, true } },
	.options = options,
};
