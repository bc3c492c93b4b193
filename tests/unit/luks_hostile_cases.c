/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The cases of luks_hostile.h.  Members and places are those of the "LUKS2
 * On-Disk Format Specification" 1.1.1, sections 2 and 3, and of the "LUKS
 * On-Disk Format Specification" 1.2.3, figures 1 and 2.
 */
#include "tests/unit/luks_hostile.h"

#define TEN(x) x x x x x x x x x x
#define DEEP   TEN(TEN("[")) "1" TEN(TEN("]"))
/* More metadata than the area holds would be no metadata: nearly all of it. */
#define LONG TEN(TEN(TEN("0123456789")))

#define SET(NAME, MEMBER, VALUE, OUTCOME, SAYS)                  \
	{                                                        \
		.name = NAME, .version = 2, .copies = COPY_BOTH, \
		.member = MEMBER, .value = VALUE,                \
		.outcome = HOSTILE_##OUTCOME, .says = SAYS       \
	}
#define TEXT(NAME, TEXT_, SAYS)                                         \
	{                                                               \
		.name = NAME, .version = 2, .copies = COPY_BOTH,        \
		.text = TEXT_, .outcome = HOSTILE_REFUSED, .says = SAYS \
	}
#define FIELD(NAME, COPIES, OFFSET, LEN, BYTES, STALE, OUTCOME, SAYS)         \
	{                                                                     \
		.name = NAME, .version = 2, .copies = COPY_##COPIES,          \
		.offset = OFFSET, .len = LEN, .bytes = BYTES, .stale = STALE, \
		.outcome = HOSTILE_##OUTCOME, .says = SAYS                    \
	}
#define ONE(NAME, OFFSET, LEN, BYTES, OUTCOME, SAYS)                       \
	{                                                                  \
		.name = NAME, .version = 1, .offset = OFFSET, .len = LEN,  \
		.bytes = BYTES, .outcome = HOSTILE_##OUTCOME, .says = SAYS \
	}
/* A field of the binary header: in either copy, in both, with a right sum. */
#define FIELD_ALL(NAME, OFFSET, LEN, BOTH_SAYS)                             \
	FIELD("first " NAME, FIRST, OFFSET, LEN, NULL, true, REPAIRED,      \
	      "first header is damaged"),                                   \
		FIELD("second " NAME, SECOND, OFFSET, LEN, NULL, true,      \
		      REPAIRED, "second header is damaged"),                \
		FIELD("both " NAME, BOTH, OFFSET, LEN, NULL, true, REFUSED, \
		      BOTH_SAYS)

#define BOTH_DAMAGED "both LUKS2 headers are damaged"
#define NO_LUKS	     "header is truncated, or of a version after 2"

const struct hostile hostile_cases[] = {
	/* The binary header, with the checksum that was right before. */
	FIELD_ALL("magic", 0, 6, "not a LUKS container"),
	FIELD_ALL("version", 6, 2, NO_LUKS),
	FIELD_ALL("header size", 8, 8, BOTH_DAMAGED),
	FIELD_ALL("sequence", 16, 8, BOTH_DAMAGED),
	FIELD_ALL("label", 24, 48, BOTH_DAMAGED),
	FIELD_ALL("checksum algorithm", 72, 32, BOTH_DAMAGED),
	FIELD_ALL("salt", 104, 64, BOTH_DAMAGED),
	FIELD_ALL("UUID", 168, 40, BOTH_DAMAGED),
	FIELD_ALL("subsystem", 208, 48, BOTH_DAMAGED),
	FIELD_ALL("header offset", 256, 8, BOTH_DAMAGED),
	FIELD_ALL("padding", 264, 184, BOTH_DAMAGED),
	FIELD_ALL("checksum", 448, 64, BOTH_DAMAGED),
	FIELD_ALL("metadata", 5000, 64, BOTH_DAMAGED),
	/* With a right one: somebody wants it so. */
	FIELD("sealed header size 0", BOTH, 8, 8, "\0\0\0\0\0\0\0\0", false,
	      REFUSED, BOTH_DAMAGED),
	FIELD("sealed header size 1", BOTH, 8, 8, "\0\0\0\0\0\0\0\1", false,
	      REFUSED, BOTH_DAMAGED),
	FIELD("sealed header size 8 MiB", BOTH, 8, 8, "\0\0\0\0\0\x80\0\0",
	      false, REFUSED, BOTH_DAMAGED),
	FIELD("sealed header size max", BOTH, 8, 8, NULL, false, REFUSED,
	      BOTH_DAMAGED),
	FIELD("sealed header offset", BOTH, 256, 8, NULL, false, REFUSED,
	      BOTH_DAMAGED),
	FIELD("sealed magic", BOTH, 0, 6, NULL, false, REFUSED,
	      "not a LUKS container"),
	FIELD("sealed version 3", BOTH, 6, 2, "\0\3", false, REFUSED, NO_LUKS),
	FIELD("sealed no checksum", BOTH, 72, 5, "none", false, REFUSED,
	      BOTH_DAMAGED),
	FIELD("sealed short checksum", BOTH, 72, 6, "crc32", false, REFUSED,
	      BOTH_DAMAGED),
	FIELD("sealed binary metadata", BOTH, 4096, 12288, NULL, false, REFUSED,
	      "header cannot be read"),
	FIELD("sealed metadata without end", BOTH, 16383, 1, "x", false,
	      REFUSED, "header cannot be read"),
	FIELD("sequence gone back", FIRST, 16, 8, "\0\0\0\0\0\0\0\1", false,
	      REPAIRED, "the two headers differ"),
	/* The text of the metadata. */
	TEXT("no metadata", "", "header cannot be read"),
	TEXT("empty object", "{}", "header cannot be read"),
	TEXT("an array", "[]", "header cannot be read"),
	TEXT("a number", "1", "header cannot be read"),
	TEXT("a string", "\"keyslots\"", "header cannot be read"),
	TEXT("null", "null", "header cannot be read"),
	TEXT("unfinished", "{\"keyslots\":{", "header cannot be read"),
	TEXT("deep arrays", DEEP, "header cannot be read"),
	TEXT("deep objects", TEN(TEN("{\"a\":")), "header cannot be read"),
	TEXT("only sections",
	     "{\"keyslots\":{},\"tokens\":{},\"segments\":{},\"digests\":{},"
	     "\"config\":{}}",
	     "header cannot be read"),
	SET("deep member", "/deep", DEEP, REFUSED, "header cannot be read"),
	SET("long member", "/long", "\"" LONG "\"", SERVED, ""),
	SET("section missing", "/tokens", NULL, REFUSED,
	    "header cannot be read"),
	SET("section of another type", "/digests", "[]", REFUSED,
	    "header cannot be read"),
	SET("unknown section", "/shadow", "{\"keyslots\":{}}", SERVED, ""),
	/* Sizes and areas. */
	SET("JSON size 0", "/config/json_size", "\"0\"", REFUSED, ""),
	SET("JSON size other", "/config/json_size", "\"28672\"", REFUSED, ""),
	SET("JSON size a number", "/config/json_size", "12288", REFUSED, ""),
	SET("key-slot size max", "/config/keyslots_size",
	    "\"18446744073709551615\"", REFUSED, ""),
	SET("key-slot size beyond the file", "/config/keyslots_size",
	    "\"134217728\"", REFUSED, ""),
	SET("key-slot size 0", "/config/keyslots_size", "\"0\"", REFUSED, ""),
	SET("slot in the header", "/keyslots/0/area/offset", "\"4096\"",
	    REFUSED, ""),
	SET("slot in the data", "/keyslots/0/area/offset", "\"1048576\"",
	    REFUSED, ""),
	SET("slot reaches into the data", "/keyslots/0/area/offset",
	    "\"1044480\"", REFUSED, ""),
	SET("slot beyond the file", "/keyslots/0/area/offset",
	    "\"1099511627776\"", REFUSED, ""),
	SET("slot offset wraps", "/keyslots/0/area/offset",
	    "\"18446744073709547520\"", REFUSED, ""),
	SET("slot offset negative", "/keyslots/0/area/offset", "\"-32768\"",
	    REFUSED, ""),
	SET("slot size wraps", "/keyslots/0/area/size",
	    "\"18446744073709551615\"", REFUSED, ""),
	SET("slot size small", "/keyslots/0/area/size", "\"4096\"", REFUSED,
	    ""),
	SET("overlapping slots", "/keyslots/1",
	    "{\"type\":\"luks2\",\"key_size\":64,"
	    "\"af\":{\"type\":\"luks1\",\"stripes\":4000,"
	    "\"hash\":\"sha256\"},"
	    "\"area\":{\"type\":\"raw\",\"offset\":\"36864\","
	    "\"size\":\"258048\",\"encryption\":\"aes-xts-plain64\","
	    "\"key_size\":64},\"kdf\":{\"type\":\"pbkdf2\","
	    "\"hash\":\"sha256\",\"iterations\":1000,\"salt\":\"eA==\"}}",
	    REFUSED, ""),
	SET("slot number 32", "/keyslots/32", "{}", REFUSED, ""),
	SET("slot number negative", "/keyslots/-1", "{}", REFUSED, ""),
	SET("slot number a word", "/keyslots/first", "{}", REFUSED, ""),
	/* Key slots: what would let anybody in, or never end. */
	SET("slot without a cipher", "/keyslots/0/area/encryption",
	    "\"cipher_null-ecb\"", REFUSED, "cipher_null-ecb"),
	SET("slot cipher ECB", "/keyslots/0/area/encryption", "\"aes-ecb\"",
	    REFUSED, "aes-ecb"),
	SET("slot cipher of the kernel", "/keyslots/0/area/encryption",
	    "\"capi:ecb(cipher_null)-plain\"", REFUSED, ""),
	SET("slot key size 0", "/keyslots/0/area/key_size", "0", REFUSED, ""),
	SET("slot key size huge", "/keyslots/0/area/key_size", "2147483647",
	    REFUSED, ""),
	SET("volume key size 0", "/keyslots/0/key_size", "0", REFUSED, ""),
	SET("volume key size 1", "/keyslots/0/key_size", "1", REFUSED, ""),
	SET("volume key size negative", "/keyslots/0/key_size", "-64", REFUSED,
	    ""),
	SET("volume key size huge", "/keyslots/0/key_size", "2147483647",
	    REFUSED, ""),
	SET("one stripe", "/keyslots/0/af/stripes", "1", REFUSED, ""),
	SET("stripes huge", "/keyslots/0/af/stripes", "2147483647", REFUSED,
	    ""),
	SET("split hash missing", "/keyslots/0/af/hash", NULL, REFUSED, ""),
	SET("slot type", "/keyslots/0/type", "\"luks3\"", REFUSED, ""),
	SET("PBKDF unknown", "/keyslots/0/kdf/type", "\"scrypt\"", REFUSED, ""),
	SET("Argon2 4 TiB", "/keyslots/0/kdf",
	    "{\"type\":\"argon2id\",\"time\":4,\"memory\":4294967295,"
	    "\"cpus\":1,\"salt\":\"eA==\"}",
	    REFUSED, "MiB of memory"),
	SET("Argon2 for ever", "/keyslots/0/kdf",
	    "{\"type\":\"argon2id\",\"time\":2000000000,\"memory\":64,"
	    "\"cpus\":1,\"salt\":\"eA==\"}",
	    REFUSED, "take hours"),
	SET("Argon2 threads", "/keyslots/0/kdf",
	    "{\"type\":\"argon2id\",\"time\":4,\"memory\":65536,"
	    "\"cpus\":65535,\"salt\":\"eA==\"}",
	    REFUSED, "threads"),
	SET("PBKDF2 for ever", "/keyslots/0/kdf/iterations", "2147483647",
	    REFUSED, "take hours"),
	SET("PBKDF2 once, nothing", "/keyslots/0/kdf/iterations", "0", REFUSED,
	    ""),
	SET("priority", "/keyslots/0/priority", "7", REFUSED, ""),
	/* Segments. */
	SET("segment in the header", "/segments/0/offset", "\"4096\"", REFUSED,
	    ""),
	SET("segment in the slots", "/segments/0/offset", "\"524288\"", REFUSED,
	    ""),
	SET("segment at 0", "/segments/0/offset", "\"0\"", REFUSED, ""),
	SET("segment beyond the file", "/segments/0/offset",
	    "\"1099511627776\"", REFUSED, "image is truncated"),
	SET("segment offset wraps", "/segments/0/offset",
	    "\"18446744073709547520\"", REFUSED, ""),
	SET("segment offset odd", "/segments/0/offset", "\"1048577\"", REFUSED,
	    ""),
	SET("fixed size", "/segments/0/size", "\"1048576\"", REFUSED,
	    "fixed size"),
	SET("fixed size beyond the file", "/segments/0/size",
	    "\"18446744073709547520\"", REFUSED, ""),
	SET("tweak", "/segments/0/iv_tweak", "\"8\"", REFUSED, "IV starts"),
	SET("tweak max", "/segments/0/iv_tweak", "\"18446744073709551615\"",
	    REFUSED, "IV starts"),
	SET("sector size 0", "/segments/0/sector_size", "0", REFUSED, ""),
	SET("sector size 513", "/segments/0/sector_size", "513", REFUSED, ""),
	SET("sector size 8192", "/segments/0/sector_size", "8192", REFUSED, ""),
	SET("no cipher", "/segments/0/encryption", "\"cipher_null-ecb\"",
	    REFUSED, "cipher_null-ecb"),
	SET("another cipher", "/segments/0/encryption",
	    "\"serpent-xts-plain64\"", REFUSED, "serpent-xts-plain64"),
	SET("cipher with a random IV", "/segments/0/encryption",
	    "\"aes-xts-random\"", REFUSED, "aes-xts-random"),
	SET("cipher long", "/segments/0/encryption", "\"" TEN(TEN("aes-")) "\"",
	    REFUSED, ""),
	SET("another segment type", "/segments/0/type", "\"linear\"", REFUSED,
	    ""),
	SET("OPAL", "/segments/0/type", "\"hw-opal-crypt\"", REFUSED,
	    "hw-opal-crypt"),
	SET("segment flags", "/segments/0/flags", "[\"in-reencryption\"]",
	    REFUSED, "re-encryption is under way"),
	SET("integrity", "/segments/0/integrity",
	    "{\"type\":\"hmac(sha256)\",\"journal_encryption\":\"none\","
	    "\"journal_integrity\":\"none\"}",
	    REFUSED, "integrity protection"),
	SET("two segments", "/segments/1",
	    "{\"type\":\"crypt\",\"offset\":\"1114112\","
	    "\"size\":\"dynamic\",\"iv_tweak\":\"0\","
	    "\"encryption\":\"aes-xts-plain64\",\"sector_size\":512}",
	    REFUSED, ""),
	SET("no segment", "/segments", "{}", REFUSED, ""),
	SET("segment number a word", "/segments/data", "{}", REFUSED, ""),
	/* Requirements and flags. */
	SET("re-encryption offline", "/config/requirements",
	    "{\"mandatory\":[\"offline-reencrypt\"]}", REFUSED,
	    "re-encryption is under way"),
	SET("re-encryption online", "/config/requirements",
	    "{\"mandatory\":[\"online-reencrypt\"]}", REFUSED, ""),
	SET("unknown requirement", "/config/requirements",
	    "{\"mandatory\":[\"warp-drive\"]}", REFUSED, "warp-drive"),
	SET("unknown kind of requirement", "/config/requirements",
	    "{\"optional\":[\"x\"]}", REFUSED, ""),
	SET("requirements of another type", "/config/requirements", "[1]",
	    REFUSED, ""),
	SET("flags of another type", "/config/flags", "\"allow-discards\"",
	    REFUSED, ""),
	SET("unknown flag", "/config/flags", "[\"from-the-future\"]", SERVED,
	    ""),
	/* Digests. */
	/* libcryptsetup 2.6.1 finds any key right then. */
	SET("digest without a hash", "/digests/0/hash", "\"\"", REFUSED,
	    "hash"),
	SET("digest without a salt", "/digests/0/salt", "\"\"", REFUSED,
	    "digest is spoiled"),
	SET("digest with a short salt", "/digests/0/salt", "\"eA==\"", REFUSED,
	    "digest is spoiled"),
	SET("digest of no length", "/digests/0/digest", "\"\"", REFUSED,
	    "digest is spoiled"),
	SET("digest of one byte", "/digests/0/digest", "\"eA==\"", REFUSED,
	    "digest is spoiled"),
	SET("digest with an unknown hash", "/digests/0/hash", "\"md17\"",
	    REFUSED, "md17"),
	SET("digest with a short hash", "/digests/0/hash", "\"crc32\"", REFUSED,
	    "crc32"),
	SET("split with an unknown hash", "/keyslots/0/af/hash", "\"md17\"",
	    REFUSED, "md17"),
	SET("PBKDF2 with an unknown hash", "/keyslots/0/kdf/hash", "\"md17\"",
	    REFUSED, "md17"),
	SET("digest type", "/digests/0/type", "\"md5\"", REFUSED, ""),
	SET("digest for ever", "/digests/0/iterations", "2147483647", REFUSED,
	    "iterations"),
	SET("digest once, nothing", "/digests/0/iterations", "0", REFUSED, ""),
	SET("digest of no segment", "/digests/0/segments", "[]", REFUSED, ""),
	SET("digest of a missing segment", "/digests/0/segments",
	    "[\"0\",\"5\"]", REFUSED, ""),
	SET("digest of no slot", "/digests/0/keyslots", "[]", REFUSED, ""),
	SET("digest of a missing slot", "/digests/0/keyslots", "[\"0\",\"9\"]",
	    REFUSED, ""),
	SET("no digest", "/digests", "{}", REFUSED, ""),
	SET("digest twice", "/digests/1",
	    "{\"type\":\"pbkdf2\",\"keyslots\":[],\"segments\":[\"0\"],"
	    "\"hash\":\"sha256\",\"iterations\":1000,\"salt\":\"eA==\","
	    "\"digest\":\"eA==\"}",
	    REFUSED, "two digests"),
	/* Tokens. */
	SET("unknown token", "/tokens/0",
	    "{\"type\":\"from-the-future\",\"keyslots\":[\"0\"]}", SERVED, ""),
	SET("token without a type", "/tokens/0", "{\"keyslots\":[]}", REFUSED,
	    ""),
	SET("token of a missing slot", "/tokens/0",
	    "{\"type\":\"x\",\"keyslots\":[\"9\"]}", REFUSED, ""),
	SET("token number 32", "/tokens/32", "{\"type\":\"x\",\"keyslots\":[]}",
	    SERVED, ""),
	SET("token a number", "/tokens/0", "1", REFUSED, ""),
	/* LUKS1. */
	ONE("LUKS1 magic", 0, 6, NULL, REFUSED, "not a LUKS container"),
	ONE("LUKS1 version", 6, 2, NULL, REFUSED, NO_LUKS),
	ONE("LUKS1 cipher", 8, 8, "serpent", REFUSED, "serpent-xts-plain64"),
	ONE("LUKS1 cipher without end", 8, 32, NULL, REFUSED, ""),
	ONE("LUKS1 no cipher", 8, 36,
	    "cipher_null\0\0\0\0\0\0\0\0\0\0"
	    "\0\0\0\0\0\0\0\0\0\0\0ecb",
	    REFUSED, "cipher_null-ecb"),
	ONE("LUKS1 mode", 40, 17, "cbc-essiv:sha256", REFUSED, "cbc-essiv"),
	ONE("LUKS1 mode without end", 40, 32, NULL, REFUSED, ""),
	ONE("LUKS1 hash", 72, 5, "md17", REFUSED, ""),
	ONE("LUKS1 hash without end", 72, 32, NULL, REFUSED, ""),
	ONE("LUKS1 payload at 0", 104, 4, "\0\0\0\0", REFUSED, ""),
	ONE("LUKS1 payload in the slots", 104, 4, "\0\0\0\x10", REFUSED, ""),
	ONE("LUKS1 payload beyond the file", 104, 4, NULL, REFUSED, ""),
	ONE("LUKS1 key size 0", 108, 4, "\0\0\0\0", REFUSED, ""),
	ONE("LUKS1 key size huge", 108, 4, NULL, REFUSED, ""),
	ONE("LUKS1 key size 16", 108, 4, "\0\0\0\x10", REFUSED, ""),
	ONE("LUKS1 digest for ever", 164, 4, NULL, REFUSED, "iterations"),
	ONE("LUKS1 digest once, nothing", 164, 4, "\0\0\0\0", REFUSED,
	    "iterations"),
	ONE("LUKS1 UUID without end", 168, 40, NULL, SERVED, ""),
	ONE("LUKS1 no slot", 208, 4, "\0\0\xde\xad", REFUSED, "no key slot"),
	ONE("LUKS1 slot neither", 208, 4, NULL, REFUSED, ""),
	ONE("LUKS1 slot for ever", 212, 4, NULL, REFUSED, "take hours"),
	ONE("LUKS1 slot in the header", 248, 4, "\0\0\0\0", REFUSED, ""),
	ONE("LUKS1 slot in the data", 248, 4, "\0\0\x20\0", REFUSED, ""),
	ONE("LUKS1 slot beyond the file", 248, 4, NULL, REFUSED, ""),
	ONE("LUKS1 stripes 1", 252, 4, "\0\0\0\1", REFUSED, ""),
	ONE("LUKS1 stripes huge", 252, 4, NULL, REFUSED, ""),
	ONE("LUKS1 overlapping slots", 256, 48,
	    "\0\xac\x71\xf3\0\0\3\xe8salt salt salt salt salt salt salt "
	    "\0\0\0\x8\0\0\x0f\xa0",
	    REFUSED, ""),
};

const size_t hostile_nr = sizeof(hostile_cases) / sizeof(hostile_cases[0]);
