/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What is known of open volumes: see volumes.h.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/client.h"
#include "daemon/process.h"
#include "daemon/report.h"
#include "daemon/runtime.h"
#include "lib/utf8.h"
#include "lib/why.h"
#include "tools/volumes.h"

/* A monitor that was stopped must not stop those who ask. */
#define STATUS_SECONDS 5

/* The worker may go on without its monitor. */
static const char *state_alone(struct json_object *obj)
{
	int fd = process_open((pid_t)volume_number(obj, "worker_pid"),
			      volume_number(obj, "worker_start"));

	if (fd < 0)
		return "dead";
	close(fd);
	return "orphaned";
}

static int describe_alone(const struct runtime *rt, const char *name,
			  bool silent, struct json_object **ret,
			  struct why *why)
{
	struct json_object *obj;
	char *text;
	int err;

	err = runtime_read_state(rt, name, &text);
	if (err == -ENOENT)
		return why_set(why, err, "%s: is not open", name);
	if (err)
		return why_set(why, err, "%s/%s.json: %s", rt->path, name,
			       strerror(-err));
	obj = json_tokener_parse(text);
	free(text);
	if (!obj || !json_object_is_type(obj, json_type_object)) {
		json_object_put(obj);
		return why_set(why, -EINVAL, "%s/%s.json: is damaged", rt->path,
			       name);
	}
	json_object_object_add(
		obj, "state",
		json_object_new_string(silent ? "silent" : state_alone(obj)));
	/* The device may have changed hands since. */
	report_binding(name, obj);
	*ret = obj;
	return 0;
}

int volume_describe(const struct runtime *rt, const char *name,
		    struct json_object **ret, struct why *why)
{
	int err = client_ask(rt, name, "status", STATUS_SECONDS, ret);

	if (!err)
		return 0;
	return describe_alone(rt, name, err == -ETIMEDOUT, ret, why);
}

int volume_print_json(struct json_object *obj, struct why *why)
{
	const char *text = json_object_to_json_string_ext(
		obj, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	char *copy = text ? strdup(text) : NULL;

	if (!copy)
		return why_set(why, -ENOMEM, "out of memory");
	utf8_clean(copy);
	printf("%s\n", copy);
	free(copy);
	return 0;
}

const char *volume_text(struct json_object *obj, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(obj, key, &value) || !value)
		return "";
	return json_object_get_string(value);
}

const char *volume_text_or_dash(struct json_object *obj, const char *key)
{
	const char *text = volume_text(obj, key);

	return text[0] ? text : "-";
}

uint64_t volume_number(struct json_object *obj, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(obj, key, &value))
		return 0;
	return json_object_get_uint64(value);
}

void volume_size_text(uint64_t bytes, char ret[static 16])
{
	static const char *const units[] = { "B",   "KiB", "MiB",
					     "GiB", "TiB", "PiB" };
	double size = (double)bytes;
	unsigned unit = 0;

	while (size >= 1024 && unit < 5) {
		size /= 1024;
		unit++;
	}
	snprintf(ret, 16, unit ? "%.1f %s" : "%.0f %s", size, units[unit]);
}
