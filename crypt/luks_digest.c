/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Digests in LUKS2 metadata: see luks_digest.h and "LUKS2 On-Disk Format
 * Specification" 1.1.1, section 3.5.
 */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "crypt/json_get.h"
#include "crypt/kdf_limits.h"
#include "crypt/luks_digest.h"
#include "lib/why.h"

#define SALT_BYTES   32
#define LUKS1_DIGEST 20 /* bytes; what a converted LUKS1 header has */

#define refuse(why, ...) why_set(why, -EINVAL, __VA_ARGS__)

static const struct {
	const char *name;
	size_t bytes;
} hashes[] = {
	{ "sha1", 20 },	     { "sha224", 28 },	    { "sha256", 32 },
	{ "sha384", 48 },    { "sha512", 64 },	    { "sha3-224", 28 },
	{ "sha3-256", 32 },  { "sha3-384", 48 },    { "sha3-512", 64 },
	{ "sm3", 32 },	     { "blake2b-512", 64 }, { "blake2s-256", 32 },
	{ "whirlpool", 64 }, { "ripemd160", 20 },
};

/* Bytes of its result, 0 when it is not known. */
static size_t hash_bytes(const char *name)
{
	size_t i;

	for (i = 0; name && i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (!strcmp(hashes[i].name, name))
			return hashes[i].bytes;
	return 0;
}

bool luks_hash_known(const char *name)
{
	return hash_bytes(name);
}

/* Bytes that the text stands for, 0 when it is no base64 (RFC 4648). */
static size_t base64_bytes(const char *s)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";
	size_t len, digits, padding;

	if (!s)
		return 0;
	len = strlen(s);
	digits = strspn(s, alphabet);
	padding = len - digits;
	if (len % 4 || padding > 2 || strspn(s + digits, "=") != padding)
		return 0;
	return len / 4 * 3 - padding;
}

static int check_digest(struct json_object *digest, struct why *why)
{
	const char *hash = json_get_string(digest, "hash");
	const char *type = json_get_string(digest, "type");
	uint32_t iterations;
	size_t bytes;

	if (!type || strcmp(type, "pbkdf2"))
		return refuse(why,
			      "the digest is of type %s, only pbkdf2 is known",
			      type ? type : "nothing readable");
	if (!luks_hash_known(hash))
		return refuse(why,
			      "the digest's hash is %s, which is not known",
			      hash ? hash : "nothing readable");
	bytes = base64_bytes(json_get_string(digest, "digest"));
	if (base64_bytes(json_get_string(digest, "salt")) != SALT_BYTES ||
	    (bytes != LUKS1_DIGEST && bytes != hash_bytes(hash)))
		return refuse(why, "the digest is spoiled: it could not tell a"
				   " right key from a wrong one");
	if (!json_get_u32(digest, "iterations", &iterations) || !iterations ||
	    iterations > KDF_DIGEST_MAX)
		return refuse(why,
			      "the digest does not ask for 1 to %u iterations",
			      KDF_DIGEST_MAX);
	return 0;
}

int luks_digest_find(struct json_object *digests, struct json_object **ret,
		     struct why *why)
{
	struct json_object *found = NULL;
	struct json_object_iter it;
	int r;

	if (!digests)
		return refuse(why, "the header has no digests");
	json_object_object_foreachC(digests, it)
	{
		if (!json_array_holds(json_get_array(it.val, "segments"), "0"))
			continue;
		if (found)
			return refuse(why, "two digests are bound to the data"
					   " segment");
		found = it.val;
	}
	if (!found)
		return refuse(why, "no digest is bound to the data segment");
	r = check_digest(found, why);
	if (!r)
		*ret = found;
	return r;
}
