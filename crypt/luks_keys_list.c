/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The key slots of a header in words and in JSON: see luks_keys_list.h.
 */
#include <errno.h>
#include <json-c/json.h>
#include <libcryptsetup.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypt/luks_keys_list.h"
#include "lib/why.h"

/* One key slot. */
struct slot {
	int id;
	const char *use;      /* "data" or "unbound" */
	const char *priority; /* "prefer", "normal" or "ignore" */
	struct crypt_pbkdf_type kdf;
	const char *cipher; /* of the key slot itself */
	size_t cipher_bits;
	int key_bits; /* of the key in it; negative when that is not known */
};

static const char *priority_name(int priority)
{
	switch (priority) {
	case CRYPT_SLOT_PRIORITY_PREFER:
		return "prefer";
	case CRYPT_SLOT_PRIORITY_IGNORE:
		return "ignore";
	default:
		return "normal";
	}
}

static bool look(struct crypt_device *cd, int id, struct slot *ret)
{
	crypt_keyslot_info status = crypt_keyslot_status(cd, id);
	struct slot slot = { .id = id };

	if (status < CRYPT_SLOT_ACTIVE ||
	    crypt_keyslot_get_pbkdf(cd, id, &slot.kdf))
		return false;
	slot.use = status == CRYPT_SLOT_UNBOUND ? "unbound" : "data";
	slot.priority = priority_name(crypt_keyslot_get_priority(cd, id));
	slot.cipher = crypt_keyslot_get_encryption(cd, id, &slot.cipher_bits);
	slot.cipher_bits *= 8;
	slot.key_bits = crypt_keyslot_get_key_size(cd, id) * 8;
	*ret = slot;
	return true;
}

static int slots_max(struct crypt_device *cd)
{
	return crypt_keyslot_max(crypt_get_type(cd));
}

static bool has_token(struct crypt_device *cd, int token, int slot)
{
	return crypt_token_status(cd, token, NULL) > CRYPT_TOKEN_INACTIVE &&
	       !crypt_token_is_assigned(cd, token, slot);
}

/* LUKS1 has none. */
static int tokens_max(struct crypt_device *cd)
{
	int max = crypt_token_max(crypt_get_type(cd));

	return max < 0 ? 0 : max;
}

static void print_slot(struct crypt_device *cd, const struct slot *slot,
		       FILE *f)
{
	int token;

	fprintf(f, "%4d  %-7s  %-8s  %s, %u iterations", slot->id, slot->use,
		slot->priority, slot->kdf.type, slot->kdf.iterations);
	if (slot->kdf.max_memory_kb)
		fprintf(f, ", %u KiB, %u threads", slot->kdf.max_memory_kb,
			slot->kdf.parallel_threads);
	for (token = 0; token < tokens_max(cd); token++)
		if (has_token(cd, token, slot->id))
			fprintf(f, ", token %d", token);
	fprintf(f, "\n");
}

int luks_keys_text(struct crypt_device *cd, char **ret_text, struct why *why)
{
	struct slot slot;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int id, n = 0;

	if (!f)
		return why_set(why, -ENOMEM, "out of memory");
	fprintf(f, "SLOT  USE      PRIORITY  KEY DERIVATION\n");
	for (id = 0; id < slots_max(cd); id++) {
		if (!look(cd, id, &slot))
			continue;
		print_slot(cd, &slot, f);
		n++;
	}
	if (!n)
		fprintf(f, "No key slot is left.\n");
	if (fclose(f)) {
		free(text);
		return why_set(why, -ENOMEM, "out of memory");
	}
	*ret_text = text;
	return 0;
}

static void add(struct json_object *obj, const char *name, const char *s)
{
	json_object_object_add(obj, name, json_object_new_string(s ? s : ""));
}

static void add_number(struct json_object *obj, const char *name, int64_t n)
{
	json_object_object_add(obj, name, json_object_new_int64(n));
}

static struct json_object *kdf_object(const struct crypt_pbkdf_type *kdf)
{
	struct json_object *obj = json_object_new_object();

	add(obj, "type", kdf->type);
	if (kdf->hash)
		add(obj, "hash", kdf->hash);
	add_number(obj, "iterations", kdf->iterations);
	if (kdf->max_memory_kb) {
		add_number(obj, "memory_kib", kdf->max_memory_kb);
		add_number(obj, "threads", kdf->parallel_threads);
	}
	return obj;
}

static struct json_object *slot_object(struct crypt_device *cd,
				       const struct slot *slot)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *tokens = json_object_new_array();
	int token;

	add_number(obj, "slot", slot->id);
	add(obj, "use", slot->use);
	add(obj, "priority", slot->priority);
	if (slot->key_bits > 0)
		add_number(obj, "key_bits", slot->key_bits);
	json_object_object_add(obj, "kdf", kdf_object(&slot->kdf));
	add(obj, "encryption", slot->cipher);
	add_number(obj, "encryption_key_bits", (int64_t)slot->cipher_bits);
	for (token = 0; token < tokens_max(cd); token++)
		if (has_token(cd, token, slot->id))
			json_object_array_add(tokens,
					      json_object_new_int(token));
	json_object_object_add(obj, "tokens", tokens);
	return obj;
}

int luks_keys_json(struct crypt_device *cd, char **ret_text, struct why *why)
{
	struct json_object *root = json_object_new_object();
	struct json_object *slots = json_object_new_array();
	struct slot slot;
	const char *text;
	char *copy = NULL;
	int id;

	for (id = 0; id < slots_max(cd); id++)
		if (look(cd, id, &slot))
			json_object_array_add(slots, slot_object(cd, &slot));
	add(root, "type", crypt_get_type(cd));
	add(root, "uuid", crypt_get_uuid(cd));
	add_number(root, "slots_max", slots_max(cd));
	json_object_object_add(root, "keyslots", slots);
	text = json_object_to_json_string_ext(
		root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text && asprintf(&copy, "%s\n", text) < 0)
		copy = NULL;
	json_object_put(root);
	if (!copy)
		return why_set(why, -ENOMEM, "out of memory");
	*ret_text = copy;
	return 0;
}
