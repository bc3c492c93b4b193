/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What is known of open volumes, for status and list.
 */
#ifndef TOOLS_VOLUMES_H
#define TOOLS_VOLUMES_H

#include <stdint.h>

struct json_object;
struct runtime;
struct why;

/*
 * Print it on standard output.  JSON is UTF-8; names of files and labels need
 * not be, and have '?' where they are not.  -ENOMEM.
 */
int volume_print_json(struct json_object *obj, struct why *why);

/*
 * The volume @name as the monitor describes it, or, when that is dead, as it
 * last did, with the state "orphaned" (the worker still serves), "dead",
 * or "silent" (the monitor does not answer).  The caller puts *@ret.
 * -ENOENT: there is no such volume.
 */
int volume_describe(const struct runtime *rt, const char *name,
		    struct json_object **ret, struct why *why);

/* A member of @obj, or "" and 0. */
const char *volume_text(struct json_object *obj, const char *key);
uint64_t volume_number(struct json_object *obj, const char *key);

/* The same, for a table: "-" where there is nothing. */
const char *volume_text_or_dash(struct json_object *obj, const char *key);

/* "10.0 GiB" */
void volume_size_text(uint64_t bytes, char ret[static 16]);

#endif
