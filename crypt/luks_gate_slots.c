/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a LUKS2 header says of its key slots, before any of it is used: see
 * luks_gate.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "crypt/json_get.h"
#include "crypt/kdf_limits.h"
#include "crypt/luks_digest.h"
#include "crypt/luks_gate.h"
#include "crypt/luks_gate_int.h"
#include "lib/why.h"

static int check_area(struct json_object *slot, const char *id,
		      const struct luks_gate *gate, struct why *why)
{
	/* A null cipher here would let any passphrase in. */
	static const char *const known[] = {
		"aes-xts-plain64",
		"aes-xts-plain",
		"aes-cbc-essiv:sha256",
		NULL,
	};
	struct json_object *area = json_get_object(slot, "area");
	struct json_object *af = json_get_object(slot, "af");
	const char *cipher = json_get_string(area, "encryption");
	const char *type = json_get_string(area, "type");
	uint64_t offset, size, end = luks_gate_header_size(gate);
	uint32_t key_bytes, stripes;

	if (!type || strcmp(type, "raw") ||
	    !json_get_u64(area, "offset", &offset) ||
	    !json_get_u64(area, "size", &size) || offset < gate->slots_offset ||
	    offset > end || size > end - offset)
		return refuse(why, "key slot %s has no sane area", id);
	if (!one_of(cipher, known))
		return refuse(why,
			      "key slot %s is encrypted with %s, only"
			      " aes-xts-plain64, aes-xts-plain and"
			      " aes-cbc-essiv:sha256 are accepted",
			      id, or_none(cipher));
	if (!json_get_u32(area, "key_size", &key_bytes) ||
	    (key_bytes != 32 && key_bytes != 64))
		return refuse(why,
			      "key slot %s is not encrypted with a"
			      " 256-bit or 512-bit key",
			      id);
	type = json_get_string(af, "type");
	if (!type || strcmp(type, "luks1") ||
	    !json_get_u32(af, "stripes", &stripes) || stripes != 4000)
		return refuse(why,
			      "key slot %s is not split in the LUKS1 way"
			      " with 4000 stripes",
			      id);
	type = json_get_string(af, "hash");
	if (!luks_hash_known(type))
		return refuse(why,
			      "key slot %s is split with the hash %s, which is"
			      " not known",
			      id, or_none(type));
	if (size / stripes < gate->key_bytes)
		return refuse(why,
			      "key slot %s has an area too small for its"
			      " key",
			      id);
	return 0;
}

static int check_argon2(struct json_object *kdf, const char *id,
			struct luks_slot *slot, struct why *why)
{
	uint32_t time, kib, cpus;

	if (!json_get_u32(kdf, "time", &time) ||
	    !json_get_u32(kdf, "memory", &kib) ||
	    !json_get_u32(kdf, "cpus", &cpus) || !time || !kib || !cpus)
		return refuse(why, "key slot %s has no sane Argon2 costs", id);
	slot->memory = (uint64_t)kib * 1024;
	slot->threads = cpus;
	if (slot->memory > KDF_MEMORY_MAX)
		return refuse(why,
			      "key slot %s asks for %" PRIu64 " MiB of"
			      " memory, more than the %llu MiB that any tool"
			      " sets",
			      id, slot->memory >> 20, KDF_MEMORY_MAX >> 20);
	if (cpus > KDF_THREADS_MAX)
		return refuse(why,
			      "key slot %s asks for %u threads, more than"
			      " %u",
			      id, cpus, KDF_THREADS_MAX);
	if (time > KDF_ARGON2_TIME_MAX ||
	    time * slot->memory > KDF_ARGON2_WORK_MAX)
		return refuse(why,
			      "key slot %s asks for %u passes over %" PRIu64
			      " KiB of memory, which would take hours",
			      id, time, slot->memory >> 10);
	return 0;
}

static int check_pbkdf2(struct json_object *kdf, const char *id,
			struct luks_slot *slot, struct why *why)
{
	const char *hash = json_get_string(kdf, "hash");
	uint32_t iterations;

	if (!luks_hash_known(hash))
		return refuse(why,
			      "key slot %s derives its key with the hash %s,"
			      " which is not known",
			      id, or_none(hash));
	if (!json_get_u32(kdf, "iterations", &iterations) || !iterations)
		return refuse(why, "key slot %s has no sane PBKDF2 costs", id);
	if (iterations > KDF_PBKDF2_MAX)
		return refuse(why,
			      "key slot %s asks for %u iterations of"
			      " PBKDF2, which would take hours",
			      id, iterations);
	slot->threads = 1;
	return 0;
}

static int check_kdf(struct json_object *slot_obj, const char *id,
		     struct luks_slot *slot, struct why *why)
{
	struct json_object *kdf = json_get_object(slot_obj, "kdf");
	const char *type = json_get_string(kdf, "type");

	if (type && !strcmp(type, "pbkdf2"))
		return check_pbkdf2(kdf, id, slot, why);
	if (type && (!strcmp(type, "argon2i") || !strcmp(type, "argon2id")))
		return check_argon2(kdf, id, slot, why);
	return refuse(why,
		      "key slot %s derives its key with %s, only argon2id,"
		      " argon2i and pbkdf2 are known",
		      id, or_none(type));
}

static int check_slot(struct json_object *obj, const char *id,
		      struct luks_gate *gate, struct why *why)
{
	struct luks_slot *slot = &gate->slots[gate->nr_slots];
	uint32_t key_bytes, priority = 1;
	uint64_t n;
	int r;

	if (!json_text_u64(id, &n) || n >= LUKS_SLOTS_MAX ||
	    (id[0] == '0' && id[1]) || gate->nr_slots == LUKS_SLOTS_MAX)
		return refuse(why, "key slot %s has no sane number", id);
	if (!json_get_u32(obj, "key_size", &key_bytes) ||
	    (key_bytes != 32 && key_bytes != 64) ||
	    (gate->key_bytes && gate->key_bytes != key_bytes))
		return refuse(why,
			      "key slot %s holds a key that is not 256 or"
			      " 512 bits (AES-XTS)",
			      id);
	if (json_has(obj, "priority") &&
	    (!json_get_u32(obj, "priority", &priority) || priority > 2))
		return refuse(why, "key slot %s has no sane priority", id);
	gate->key_bytes = key_bytes;
	slot->id = (int)n;
	slot->priority = (int)priority;
	r = check_area(obj, id, gate, why);
	if (!r)
		r = check_kdf(obj, id, slot, why);
	if (!r)
		gate->nr_slots++;
	return r;
}

int luks_gate_check_slots(struct json_object *slots, struct json_object *digest,
			  struct luks_gate *gate, struct why *why)
{
	struct json_object *bound = json_get_array(digest, "keyslots");
	struct json_object_iter it;
	const char *type;
	int r;

	if (!slots)
		return refuse(why, "the header has no key slots");
	json_object_object_foreachC(slots, it)
	{
		type = json_get_string(it.val, "type");
		if (type && !strcmp(type, "reencrypt"))
			return refuse(why, REENCRYPT);
		if (!type || strcmp(type, "luks2"))
			return refuse(why,
				      "key slot %s is of type %s, only"
				      " luks2 is known",
				      it.key, or_none(type));
		/* A slot for another key is never tried. */
		if (!json_array_holds(bound, it.key))
			continue;
		r = check_slot(it.val, it.key, gate, why);
		if (r)
			return r;
	}
	return 0;
}
