/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a header that could be read is worth: its metadata held against the
 * gate, and its sizes against the image.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <libcryptsetup.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypt/json_get.h"
#include "crypt/luks1_gate.h"
#include "crypt/luks1_phdr.h"
#include "crypt/luks_reader_int.h"
#include "crypt/xts.h"
#include "lib/transfer.h"
#include "lib/why.h"

/* Key slots that lie beyond what was copied at first. */
static int copy_slots(struct luks_reader *reader, struct why *why)
{
	uint64_t end = luks_gate_header_size(&reader->gate);

	if (end > reader->source.header_size)
		return why_set(why, -EINVAL,
			       "the image is truncated: it ends"
			       " at byte %" PRIu64
			       ", its key slots at %" PRIu64,
			       reader->source.header_size, end);
	if (end <= LUKS_HEADERS_MAX)
		return 0;
	return luks_reader_copy(reader, LUKS_HEADERS_MAX,
				end - LUKS_HEADERS_MAX, why);
}

static int judge_luks2(struct luks_reader *reader, struct why *why)
{
	const char *json;

	if (crypt_dump_json(reader->cd, &json, 0) || !json)
		return why_set(why, -EINVAL,
			       "the header's metadata cannot be"
			       " read");
	return luks_gate_check(json, &reader->gate, why);
}

/* Where the data lies, and that there is any. */
static int judge_extent(struct luks_reader *reader, struct volume_info *info,
			struct why *why)
{
	const struct luks_gate *gate = &reader->gate;
	uint64_t size;

	info->slots_offset = gate->slots_offset;
	info->header_size = luks_gate_header_size(gate);
	info->data_offset = gate->data_offset;
	if (reader->source.layout == LUKS_NO_DATA)
		return 0;
	if (gate->data_offset >= reader->source.data_size)
		return why_set(why, -EINVAL,
			       "the image is truncated: it ends"
			       " at byte %" PRIu64
			       ", its data starts at %" PRIu64,
			       reader->source.data_size, gate->data_offset);
	size = reader->source.data_size - gate->data_offset;
	/* A disk has whole 512-byte sectors, a file's odd tail is left out. */
	size -= size % 512;
	if (!size || size % gate->sector_size)
		return why_set(why, -EINVAL,
			       "the data area of %" PRIu64
			       " bytes is not a multiple of the sector size %u"
			       " (was the image truncated?)",
			       size, gate->sector_size);
	if (!strcmp(gate->cipher, "aes-xts-plain") && size > XTS_PLAIN_MAX)
		return why_set(why, -EINVAL,
			       "aes-xts-plain repeats its IV"
			       " after 2 TiB, the volume is larger (open it"
			       " with cryptsetup)");
	info->data_size = size;
	return 0;
}

static void copy_name(char *dst, size_t size, const char *src)
{
	snprintf(dst, size, "%s", src ? src : "");
}

static int digest_luks1(struct luks_reader *reader, uint8_t *ret)
{
	struct luks1_phdr h;
	int r = transfer_read(reader->source.copy_fd, &h, sizeof(h), 0);

	if (r)
		return r;
	/* The salt stands behind the digest. */
	return EVP_Digest((const uint8_t *)&h +
				  offsetof(struct luks1_phdr, digest),
			  sizeof(h.digest) + sizeof(h.digest_salt), ret, NULL,
			  EVP_sha256(), NULL)
		       ? 0
		       : -EIO;
}

/* The gate has found exactly one digest that is bound to the data. */
static int digest_luks2(const char *json, uint8_t *ret)
{
	struct json_object *root = json_get_root(json), *digests;
	struct json_object_iter it;
	const char *value, *salt;
	char text[1024];
	int r = -EINVAL, n;

	digests = json_get_object(root, "digests");
	if (!digests)
		goto out;
	json_object_object_foreachC(digests, it)
	{
		value = json_get_string(it.val, "digest");
		salt = json_get_string(it.val, "salt");
		if (!value || !salt ||
		    !json_array_holds(json_get_array(it.val, "segments"), "0"))
			continue;
		n = snprintf(text, sizeof(text), "%s %s", value, salt);
		if (n < (int)sizeof(text) &&
		    EVP_Digest(text, (size_t)n, ret, NULL, EVP_sha256(), NULL))
			r = 0;
	}
out:
	json_object_put(root);
	return r;
}

static int find_digest(struct luks_reader *reader, struct volume_info *info,
		       struct why *why)
{
	const char *json;
	int r;

	if (reader->headers.version == 1)
		r = digest_luks1(reader, info->digest);
	else if (crypt_dump_json(reader->cd, &json, 0))
		r = -EINVAL;
	else
		r = digest_luks2(json, info->digest);
	return r ? why_set(why, r, "the volume key's digest cannot be read")
		 : 0;
}

int luks_reader_judge(struct luks_reader *reader, struct volume_info *ret,
		      struct why *why)
{
	const struct luks_source *source = &reader->source;
	struct volume_info info = { .key_slot = -1 };
	struct luks_gate *gate = &reader->gate;
	unsigned int i;
	int r;

	memset(gate, 0, sizeof(*gate));
	r = reader->headers.version == 1
		    ? luks1_gate_check(reader->cd,
				       reader->headers.digest_iterations, gate,
				       why)
		    : judge_luks2(reader, why);
	if (!r)
		r = copy_slots(reader, why);
	if (!r && source->layout != LUKS_NO_DATA)
		r = luks_gate_check_open(gate, source->layout == LUKS_DETACHED,
					 why);
	if (!r)
		r = judge_extent(reader, &info, why);
	if (!r)
		r = find_digest(reader, &info, why);
	if (r)
		return r;
	info.detached = source->layout == LUKS_DETACHED;
	info.sector_size = gate->sector_size;
	info.key_bytes = gate->key_bytes;
	for (i = 0; i < gate->nr_slots; i++)
		info.key_slots |= 1u << gate->slots[i].id;
	info.allow_discards = gate->allow_discards;
	copy_name(info.cipher, sizeof(info.cipher), gate->cipher);
	copy_name(info.type, sizeof(info.type), crypt_get_type(reader->cd));
	copy_name(info.uuid, sizeof(info.uuid), crypt_get_uuid(reader->cd));
	copy_name(info.label, sizeof(info.label), crypt_get_label(reader->cd));
	copy_name(info.note, sizeof(info.note),
		  luks_headers_note(&reader->headers));
	*ret = info;
	return 0;
}
