/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A LUKS header in words and in JSON: see luks_describe.h.
 */
#include <errno.h>
#include <json-c/json.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypt/json_get.h"
#include "crypt/luks_describe.h"
#include "crypt/luks_log.h"
#include "lib/why.h"

int luks_describe_text(const struct luks_description *what, char **ret_text,
		       struct why *why)
{
	char *text = NULL;
	size_t len = 0;
	int r;

	what->log->text = open_memstream(&text, &len);
	if (!what->log->text)
		return why_set(why, -ENOMEM, "out of memory");
	r = crypt_dump(what->cd);
	if (what->refusal)
		fprintf(what->log->text, "Served by vcrypt: no, %s\n",
			what->refusal);
	else
		fprintf(what->log->text, "Served by vcrypt: yes\n");
	if (what->note[0])
		fprintf(what->log->text, "Note: %s\n", what->note);
	if (fclose(what->log->text))
		r = -ENOMEM;
	what->log->text = NULL;
	if (r) {
		free(text);
		return why_set(why, r, "the header cannot be described: %s",
			       luks_log_error(what->log, r));
	}
	*ret_text = text;
	return 0;
}

static void add(struct json_object *obj, const char *name, const char *s)
{
	json_object_object_add(obj, name, json_object_new_string(s ? s : ""));
}

static void add_number(struct json_object *obj, const char *name, uint64_t n)
{
	json_object_object_add(obj, name, json_object_new_int64((int64_t)n));
}

/* LUKS1 has no JSON: the same facts under names of our own. */
static struct json_object *luks1_metadata(struct crypt_device *cd)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *slots = json_object_new_object();
	struct json_object *slot;
	struct crypt_pbkdf_type pbkdf;
	char name[16];
	int id;

	add(obj, "cipher", crypt_get_cipher(cd));
	add(obj, "cipher_mode", crypt_get_cipher_mode(cd));
	add_number(obj, "key_size", (uint64_t)crypt_get_volume_key_size(cd));
	add_number(obj, "offset", crypt_get_data_offset(cd) * 512);
	for (id = 0; id < 8; id++) {
		if (crypt_keyslot_status(cd, id) < CRYPT_SLOT_ACTIVE ||
		    crypt_keyslot_get_pbkdf(cd, id, &pbkdf))
			continue;
		slot = json_object_new_object();
		add(slot, "type", pbkdf.type);
		add(slot, "hash", pbkdf.hash);
		add_number(slot, "iterations", pbkdf.iterations);
		snprintf(name, sizeof(name), "%d", id);
		json_object_object_add(slots, name, slot);
	}
	json_object_object_add(obj, "keyslots", slots);
	return obj;
}

static struct json_object *metadata(struct crypt_device *cd)
{
	const char *json;

	if (!strcmp(crypt_get_type(cd), CRYPT_LUKS1))
		return luks1_metadata(cd);
	if (crypt_dump_json(cd, &json, 0) || !json)
		return NULL;
	return json_tokener_parse(json);
}

int luks_describe_json(const struct luks_description *what, char **ret_text,
		       struct why *why)
{
	struct json_object *root = json_object_new_object();
	struct json_object *meta = metadata(what->cd);
	const char *text;
	char *copy = NULL;

	add(root, "type", crypt_get_type(what->cd));
	add(root, "uuid", crypt_get_uuid(what->cd));
	add(root, "label", crypt_get_label(what->cd));
	add_number(root, "image_size", what->image_size);
	json_object_object_add(root, "servable",
			       json_object_new_boolean(!what->refusal));
	add(root, "refusal", what->refusal);
	add(root, "note", what->note);
	json_object_object_add(root, "metadata", meta);
	text = json_object_to_json_string_ext(
		root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (meta && text && asprintf(&copy, "%s\n", text) < 0)
		copy = NULL;
	json_object_put(root);
	if (!copy)
		return why_set(why, -EINVAL,
			       "the header's metadata cannot be"
			       " read");
	*ret_text = copy;
	return 0;
}
