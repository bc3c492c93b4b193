/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The tokens of a LUKS2 header: see luks_token.h.
 */
#include <errno.h>
#include <json-c/json.h>
#include <libcryptsetup.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypt/json_get.h"
#include "crypt/luks_gate.h"
#include "crypt/luks_token.h"
#include "lib/why.h"

bool luks_token_type_sane(const char type[static LUKS_TOKEN_TYPE_MAX])
{
	static const char fine[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_.-";

	return memchr(type, '\0', LUKS_TOKEN_TYPE_MAX) && type[0] &&
	       !type[strspn(type, fine)];
}

static int no_memory(struct why *why)
{
	return why_set(why, -ENOMEM, "out of memory");
}

/*
 * Those of its key slots that the gate lets through, as bits; ignored ones only
 * if the token was asked for by its number.
 */
static uint32_t find_slots(struct json_object *token,
			   const struct luks_gate *gate, bool ignored_too)
{
	struct json_object *array = json_get_array(token, "keyslots");
	uint32_t slots = 0;
	unsigned int i;
	char id[12];

	for (i = 0; i < gate->nr_slots; i++) {
		snprintf(id, sizeof(id), "%d", gate->slots[i].id);
		if ((gate->slots[i].priority || ignored_too) &&
		    json_array_holds(array, id))
			slots |= 1u << gate->slots[i].id;
	}
	return slots;
}

/* Without key slots, so that it is sound in a header without any. */
static const char *as_json(struct json_object *token)
{
	json_object_object_add(token, "keyslots", json_object_new_array());
	return json_object_to_json_string(token);
}

static int take_text(struct json_object *token, const struct luks_token *info,
		     char **ret, struct why *why)
{
	bool keyring = !strcmp(info->type, LUKS_TOKEN_KEYRING);
	const char *text = keyring ? json_get_string(token, "key_description")
				   : as_json(token);
	char *copy;

	if (!text || !*text)
		return why_set(why, -EINVAL,
			       keyring ? "token %d names no key"
				       : "token %d cannot be read",
			       info->id);
	copy = strdup(text);
	if (!copy)
		return no_memory(why);
	*ret = copy;
	return 0;
}

/*
 * -ENOENT: it does not fit, with the reason in @why if it was the one that was
 * asked for.
 */
static int look_at(struct json_object *token, const struct luks_gate *gate,
		   const struct luks_token_query *query,
		   struct luks_token *info, struct why *why)
{
	const char *type = json_get_string(token, "type");

	snprintf(info->type, sizeof(info->type), "%s", type ? type : "");
	if (!luks_token_type_sane(info->type) || strcmp(info->type, type))
		return why_set(why, -ENOENT, "token %d has no sane type",
			       info->id);
	if (query->type && strcmp(type, query->type))
		return why_set(why, -ENOENT, "token %d is of type %s, not %s",
			       info->id, type, query->type);
	info->slots = find_slots(token, gate, query->id != LUKS_TOKEN_ANY);
	if (!info->slots)
		return why_set(why, -ENOENT, "token %d opens no key slot",
			       info->id);
	return 0;
}

int luks_token_judge(int id, const char *json, const struct luks_gate *gate,
		     const struct luks_token_query *query,
		     struct luks_token *ret, char **ret_text, struct why *why)
{
	struct json_object *token = json_get_root(json);
	struct luks_token info = { .id = id };
	int r;

	if (!token)
		return why_set(why, -EINVAL, "token %d is not sound JSON", id);
	r = look_at(token, gate, query, &info, why);
	if (!r)
		r = take_text(token, &info, ret_text, why);
	if (!r)
		*ret = info;
	json_object_put(token);
	return r;
}

int luks_token_find(struct crypt_device *cd, const struct luks_gate *gate,
		    const struct luks_token_query *query,
		    struct luks_token *ret, char **ret_text, struct why *why)
{
	const char *json;
	int id, r;

	for (id = query->from; id < LUKS_TOKENS_MAX; id++) {
		if (query->id != LUKS_TOKEN_ANY && query->id != id)
			continue;
		if (crypt_token_json_get(cd, id, &json) < 0)
			r = why_set(why, -ENOENT, "there is no token %d", id);
		else
			r = luks_token_judge(id, json, gate, query, ret,
					     ret_text, why);
		if (r != -ENOENT || query->id == id)
			return r;
	}
	return why_set(why, -ENOENT, "no token%s%s opens a key slot",
		       query->type ? " of type " : "",
		       query->type ? query->type : "");
}
