/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The gate in front of key derivation: see luks_gate.h.  Key slots are in
 * luks_gate_slots.c.
 *
 * What is looked at and why: "LUKS2 On-Disk Format Specification" 1.1.1,
 * section 3 (metadata objects).
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "crypt/json_get.h"
#include "crypt/luks_digest.h"
#include "crypt/luks_gate.h"
#include "crypt/luks_gate_int.h"
#include "lib/why.h"

#define OPAL "its drive encrypts the data (OPAL)"

/*
 * The names are of cryptsetup's lib/luks2/luks2_json_metadata.c; "opal" is of
 * 2.7, "inline-hw-tags" of 2.8.
 */
static int check_requirements(const char *kind, struct json_object *names,
			      struct why *why)
{
	const char *text = json_object_to_json_string(names);
	bool array = json_object_is_type(names, json_type_array);

	if (array && !json_object_array_length(names))
		return 0;
	if (array && strstr(text, "reencrypt"))
		return refuse(why, REENCRYPT);
	if (array && strstr(text, "\"opal"))
		return refuse(why, OPAL ", which vcrypt cannot unlock"
					" (" ELSEWHERE " 2.7)");
	if (array && strstr(text, "\"inline-hw-tags"))
		return refuse(why, "the volume has integrity protection in the"
				   " sectors of its drive, which vcrypt cannot"
				   " serve (" ELSEWHERE " 2.8)");
	return refuse(why,
		      "the header has requirements (%s %.80s)"
		      " that vcrypt does not know (" ELSEWHERE ")",
		      kind, text);
}

static int check_config(struct json_object *config, struct luks_gate *gate,
			struct why *why)
{
	struct json_object_iter it;
	struct json_object *req;
	uint64_t json_size;
	int r;

	if (!json_get_u64(config, "json_size", &json_size) ||
	    !json_get_u64(config, "keyslots_size", &gate->slots_size) ||
	    json_size > (4 << 20) || gate->slots_size > (128 << 20))
		return refuse(why, "the header gives no sane sizes of itself");
	/* Two copies, each with a binary part of 4096 bytes. */
	gate->slots_offset = 2 * (json_size + 4096);
	gate->allow_discards = json_array_holds(json_get_array(config, "flags"),
						"allow-discards");
	if (!json_has(config, "requirements"))
		return 0;
	req = json_get_object(config, "requirements");
	if (!req)
		return refuse(why, "the header's requirements are unreadable");
	json_object_object_foreachC(req, it)
	{
		r = check_requirements(it.key, it.val, why);
		if (r)
			return r;
	}
	return 0;
}

static int check_segment_kind(struct json_object *seg, struct why *why)
{
	struct json_object *flags = json_get_array(seg, "flags");
	const char *type = json_get_string(seg, "type");

	if (type && !strncmp(type, "hw-opal", strlen("hw-opal")))
		return refuse(why,
			      "the data segment is of type %s: " OPAL
			      ", which vcrypt cannot unlock"
			      " (" ELSEWHERE " 2.7)",
			      type);
	if (!type || strcmp(type, "crypt"))
		return refuse(why,
			      "the data segment is of type %s, only crypt"
			      " can be served (" ELSEWHERE ")",
			      or_none(type));
	if (json_has(seg, "flags") &&
	    !(flags && !json_object_array_length(flags)))
		return refuse(why, "the data segment has flags: " REENCRYPT);
	if (json_has(seg, "integrity"))
		return refuse(why, "the volume has integrity protection, which"
				   " vcrypt cannot serve (" ELSEWHERE ")");
	return 0;
}

static int check_cipher(struct json_object *seg, struct luks_gate *gate,
			struct why *why)
{
	static const char *const known[] = {
		"aes-xts-plain64",
		"aes-xts-plain",
		NULL,
	};
	const char *cipher = json_get_string(seg, "encryption");

	if (!one_of(cipher, known))
		return refuse(why,
			      "the volume is encrypted with %s, only"
			      " aes-xts-plain64 can be served (" ELSEWHERE ")",
			      or_none(cipher));
	snprintf(gate->cipher, sizeof(gate->cipher), "%s", cipher);
	if (!json_get_u32(seg, "sector_size", &gate->sector_size) ||
	    (gate->sector_size != 512 && gate->sector_size != 1024 &&
	     gate->sector_size != 2048 && gate->sector_size != 4096))
		return refuse(why, "the sector size is not 512, 1024, 2048 or"
				   " 4096");
	return 0;
}

static int check_extent(struct json_object *seg, struct luks_gate *gate,
			struct why *why)
{
	const char *size = json_get_string(seg, "size");
	const char *tweak = json_get_string(seg, "iv_tweak");

	if (!tweak || strcmp(tweak, "0"))
		return refuse(why,
			      "the data segment's IV starts at %s, only"
			      " 0 can be served",
			      or_none(tweak));
	if (!size || strcmp(size, "dynamic"))
		return refuse(why,
			      "the data segment has a fixed size (%s),"
			      " which cryptsetup versions read differently",
			      or_none(size));
	if (!json_get_u64(seg, "offset", &gate->data_offset) ||
	    gate->data_offset % gate->sector_size)
		return refuse(why, "the data offset is no multiple of the"
				   " sector size");
	return 0;
}

static int check_segments(struct json_object *segs, struct luks_gate *gate,
			  struct why *why)
{
	struct json_object *seg = json_get_object(segs, "0");
	int r;

	if (!seg || json_object_object_length(segs) != 1)
		return refuse(why,
			      "the volume has %d data segments, only one"
			      " can be served (" ELSEWHERE ")",
			      segs ? json_object_object_length(segs) : 0);
	r = check_segment_kind(seg, why);
	if (!r)
		r = check_cipher(seg, gate, why);
	if (!r)
		r = check_extent(seg, gate, why);
	return r;
}

int luks_gate_check(const char *json, struct luks_gate *ret, struct why *why)
{
	struct json_object *root = json_get_root(json);
	struct json_object *digest = NULL;
	struct luks_gate gate = { 0 };
	int r;

	if (!root)
		return refuse(why, "the header's metadata is not sound JSON");
	r = check_config(json_get_object(root, "config"), &gate, why);
	if (!r)
		r = check_segments(json_get_object(root, "segments"), &gate,
				   why);
	if (!r)
		r = luks_digest_find(json_get_object(root, "digests"), &digest,
				     why);
	if (!r)
		r = luks_gate_check_slots(json_get_object(root, "keyslots"),
					  digest, &gate, why);
	if (!r)
		*ret = gate;
	json_object_put(root);
	return r;
}

int luks_gate_check_open(const struct luks_gate *gate, bool detached,
			 struct why *why)
{
	if (!gate->nr_slots)
		return refuse(why, "no key slot is left (was it erased?)");
	if (detached)
		return 0;
	if (!gate->data_offset)
		return refuse(why, "this is a detached header (its data are in"
				   " another file: --header HEADER IMAGE)");
	if (gate->data_offset < luks_gate_header_size(gate))
		return refuse(why, "the data overlaps the header");
	return 0;
}
