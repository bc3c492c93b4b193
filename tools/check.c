/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt check: is a container in order?
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "backend/health.h"
#include "crypt/luks_header.h"
#include "crypt/unlock.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/container.h"
#include "tools/volumes.h"

#define FINDINGS_MAX 16

enum state {
	STATE_OK,
	STATE_NOTE, /* good to know */
	STATE_BAD,
};

static const char *const state_names[] = { "ok", "note", "bad" };

struct finding {
	const char *what;
	enum state state;
	char text[320];
};

struct findings {
	unsigned int nr, bad;
	struct finding list[FINDINGS_MAX];
};

struct check_args {
	struct container_paths paths;
	bool json;
};

__attribute__((format(printf, 4, 5))) static void find(struct findings *f,
						       const char *what,
						       enum state state,
						       const char *fmt, ...)
{
	struct finding *one = &f->list[f->nr];
	va_list ap;

	if (f->nr == FINDINGS_MAX)
		return;
	one->what = what;
	one->state = state;
	va_start(ap, fmt);
	vsnprintf(one->text, sizeof(one->text), fmt, ap);
	va_end(ap);
	f->nr++;
	f->bad += state == STATE_BAD;
}

static void check_copy(struct findings *f, const char *what, bool found,
		       bool sound, uint64_t seq, uint64_t newest)
{
	if (!found)
		find(f, what, STATE_BAD, "is not there");
	else if (!sound)
		find(f, what, STATE_BAD, "is damaged (vcrypt header repair)");
	else if (seq != newest)
		find(f, what, STATE_BAD,
		     "is older than the other: sequence number %" PRIu64
		     ", not %" PRIu64 " (vcrypt header repair)",
		     seq, newest);
	else
		find(f, what, STATE_OK, "sound, sequence number %" PRIu64, seq);
}

static void check_headers(struct findings *f, const struct luks_headers *h)
{
	uint64_t newest = 0;

	if (h->version != 2)
		return;
	if (h->first_sound)
		newest = h->first_seq;
	if (h->second_sound && h->second_seq > newest)
		newest = h->second_seq;
	check_copy(f, "first header", h->first_found, h->first_sound,
		   h->first_seq, newest);
	check_copy(f, "second header", h->second_found, h->second_sound,
		   h->second_seq, newest);
}

/* Errors: -ENOMEM, which says nothing of the container. */
static int check_volume(struct findings *f, const struct container *c,
			struct why *ret_why)
{
	struct volume_request request = VOLUME_REQUEST(c->header_fd);
	struct luks_headers headers = { 0 };
	struct volume_info info;
	struct why why = { "" };
	int err;

	request.data_fd = c->image_fd;
	err = volume_check(&request, &headers, &info, &why);
	if (err == -ENOMEM)
		return why_set(ret_why, err, "%s", why.text);
	check_headers(f, &headers);
	if (err) {
		find(f, "container", STATE_BAD, "%s", why.text);
		return 0;
	}
	find(f, "container", STATE_OK, "%s, UUID %s, %s, a key of %u bits",
	     info.type, info.uuid, info.cipher, info.key_bytes * 8);
	find(f, "key slots", STATE_OK, "from byte %" PRIu64 " to %" PRIu64,
	     info.slots_offset, info.header_size);
	find(f, "data", STATE_OK,
	     "%" PRIu64 " bytes from byte %" PRIu64 " on, in sectors of %u",
	     info.data_size, info.data_offset, info.sector_size);
	return 0;
}

static void check_file(struct findings *f, const char *what, int fd)
{
	struct image_health h;
	int err = image_health(fd, &h);

	if (err) {
		find(f, what, STATE_BAD, "cannot be examined: %s",
		     strerror(-err));
		return;
	}
	if (h.read_error)
		find(f, what, STATE_BAD,
		     "cannot be read at byte %" PRIu64 ": %s", h.read_error_at,
		     strerror(-h.read_error));
	else if (h.readonly_fs)
		find(f, what, STATE_NOTE, "is on a read-only %s",
		     h.block_device ? "device" : "file system");
	else if (!h.writable)
		find(f, what, STATE_NOTE, "you may not write it");
	else
		find(f, what, STATE_OK,
		     "%" PRIu64 " bytes, %" PRIu64 " of them allocated", h.size,
		     h.allocated);
	if (h.size > h.allocated && h.size - h.allocated > h.fs_free)
		find(f, what, STATE_NOTE,
		     "has holes of %" PRIu64 " bytes, and its file system "
		     "%" PRIu64 " bytes for them: writing may fail",
		     h.size - h.allocated, h.fs_free);
}

static void print_text(const struct check_args *args, const struct findings *f)
{
	unsigned int i;

	for (i = 0; i < f->nr; i++)
		printf("%-4s  %-14s %s\n", state_names[f->list[i].state],
		       f->list[i].what, f->list[i].text);
	printf("%s: %s\n", args->paths.image,
	       f->bad ? "not in order" : "in order");
}

static int print_json(const struct check_args *args, const struct findings *f,
		      struct why *why)
{
	struct json_object *root = json_object_new_object();
	struct json_object *list = json_object_new_array(), *one;
	unsigned int i;
	int err;

	for (i = 0; i < f->nr; i++) {
		one = json_object_new_object();
		json_object_object_add(one, "what",
				       json_object_new_string(f->list[i].what));
		json_object_object_add(
			one, "state",
			json_object_new_string(state_names[f->list[i].state]));
		json_object_object_add(one, "text",
				       json_object_new_string(f->list[i].text));
		json_object_array_add(list, one);
	}
	json_object_object_add(root, "image",
			       json_object_new_string(args->paths.image));
	json_object_object_add(root, "healthy",
			       json_object_new_boolean(!f->bad));
	json_object_object_add(root, "findings", list);
	err = volume_print_json(root, why);
	json_object_put(root);
	return err;
}

static int run(int argc, char **argv)
{
	struct check_args args = { 0 };
	struct findings findings = { 0 };
	struct why why = { "" };
	struct container c;
	int err;

	if (command_parse(&check_command, argc, argv, &args, &why))
		return command_misuse(&check_command, &why);
	err = container_open(&args.paths, CONTAINER_LOOK, &c, &why);
	if (err)
		return command_fail(err, &why);
	check_file(&findings, "image", c.image_fd);
	if (args.paths.header)
		check_file(&findings, "header file", c.header_fd);
	err = check_volume(&findings, &c, &why);
	container_close(&c);
	if (err) {
		why_prefix(&why, "%s", args.paths.image);
		return command_fail(err, &why);
	}
	if (args.json)
		err = print_json(&args, &findings, &why);
	else
		print_text(&args, &findings);
	if (err)
		return command_fail(err, &why);
	return findings.bad ? EXIT_DEVICE : EXIT_OK;
}

static const struct option options[] = {
	{ .offset = offsetof(struct check_args, paths),
	  .group = container_options },
	{ "json", OPTION_FLAG, offsetof(struct check_args, json), NULL,
	  "for programs" },
	{ NULL },
};

const struct command check_command = {
	.name = "check",
	.run = run,
	.summary = "see whether a container is in order",
	.usage = "IMAGE [--header FILE] [--json]",
	.about = "Both headers, their checksums, what they say, the size of "
		 "the image, and the\nfile or device that holds it. The data "
		 "are not looked at: there is nothing to\nhold them against. "
		 "The exit code is 0 if all is in order, else 4.\n",
	.arguments = { { "IMAGE", offsetof(struct check_args, paths.image),
			 VALUE_FILE } },
	.options = options,
};
