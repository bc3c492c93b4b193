/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Strict access to JSON: see json_get.h.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "crypt/json_get.h"

#define MAX_DEPTH 16

/* Members of all objects below @obj. */
static size_t count_members(struct json_object *obj)
{
	struct json_object_iter it;
	size_t i, n = 0;

	if (json_object_is_type(obj, json_type_object)) {
		json_object_object_foreachC(obj, it)
			n += 1 + count_members(it.val);
	} else if (json_object_is_type(obj, json_type_array)) {
		for (i = 0; i < json_object_array_length(obj); i++)
			n += count_members(json_object_array_get_idx(obj, i));
	}
	return n;
}

/* Each member of an object has one colon outside of strings. */
static size_t count_colons(const char *s)
{
	bool string = false;
	size_t n = 0;

	for (; *s; s++) {
		if (string && *s == '\\' && s[1])
			s++;
		else if (*s == '"')
			string = !string;
		else if (!string && *s == ':')
			n++;
	}
	return n;
}

struct json_object *json_get_root(const char *text)
{
	struct json_tokener *tok = json_tokener_new_ex(MAX_DEPTH);
	struct json_object *obj;

	if (!tok)
		return NULL;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	/* With its NUL, so that a number at the end is complete. */
	obj = json_tokener_parse_ex(tok, text, (int)strlen(text) + 1);
	/* json-c lets the last of two members of one name win. */
	if (json_tokener_get_error(tok) != json_tokener_success ||
	    count_colons(text) != count_members(obj)) {
		json_object_put(obj);
		obj = NULL;
	}
	json_tokener_free(tok);
	return obj;
}

static struct json_object *get(struct json_object *obj, const char *name,
			       enum json_type type)
{
	struct json_object *value;

	if (!json_object_is_type(obj, json_type_object) ||
	    !json_object_object_get_ex(obj, name, &value) ||
	    !json_object_is_type(value, type))
		return NULL;
	return value;
}

struct json_object *json_get_object(struct json_object *obj, const char *name)
{
	return get(obj, name, json_type_object);
}

struct json_object *json_get_array(struct json_object *obj, const char *name)
{
	return get(obj, name, json_type_array);
}

const char *json_get_string(struct json_object *obj, const char *name)
{
	struct json_object *value = get(obj, name, json_type_string);
	const char *s = value ? json_object_get_string(value) : NULL;

	/* A NUL inside would hide what follows it. */
	if (s && strlen(s) != (size_t)json_object_get_string_len(value))
		return NULL;
	return s;
}

bool json_get_u32(struct json_object *obj, const char *name, uint32_t *ret)
{
	struct json_object *value = get(obj, name, json_type_int);
	int64_t v;

	if (!value)
		return false;
	v = json_object_get_int64(value);
	if (v < 0 || v > UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

bool json_text_u64(const char *s, uint64_t *ret)
{
	unsigned long long v;
	size_t len = s ? strlen(s) : 0;

	if (!len || strspn(s, "0123456789") != len)
		return false;
	errno = 0;
	v = strtoull(s, NULL, 10);
	if (errno)
		return false;
	*ret = v;
	return true;
}

bool json_get_u64(struct json_object *obj, const char *name, uint64_t *ret)
{
	return json_text_u64(json_get_string(obj, name), ret);
}

bool json_has(struct json_object *obj, const char *name)
{
	return json_object_is_type(obj, json_type_object) &&
	       json_object_object_get_ex(obj, name, NULL);
}

bool json_array_holds(struct json_object *array, const char *s)
{
	struct json_object *item;
	size_t i;

	if (!array)
		return false;
	for (i = 0; i < json_object_array_length(array); i++) {
		item = json_object_array_get_idx(array, i);
		if (json_object_is_type(item, json_type_string) &&
		    !strcmp(json_object_get_string(item), s))
			return true;
	}
	return false;
}
