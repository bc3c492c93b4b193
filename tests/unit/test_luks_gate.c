/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The gate over LUKS2 metadata: one edit each of a header that passes. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypt/luks_gate.h"
#include "lib/why.h"

/* 32 bytes each. */
#define SALT	    "bm8gc2FsdCBhdCBhbGwsIGJ1dCAzMiBvZiB0aGVtLi4="
#define SUM	    "bm8gc3VtIGF0IGFsbCwgYnV0IGl0IGhhcyAzMiB0b28="
#define DIGEST_TAIL "\"salt\":\"" SALT "\",\"digest\":\"" SUM "\""

static const char good[] =
	"{\"keyslots\":{\"0\":{\"type\":\"luks2\",\"key_size\":64,"
	"\"af\":{\"type\":\"luks1\",\"stripes\":4000,\"hash\":\"sha256\"},"
	"\"area\":{\"type\":\"raw\",\"offset\":\"32768\",\"size\":\"258048\","
	"\"encryption\":\"aes-xts-plain64\",\"key_size\":64},"
	"\"kdf\":{\"type\":\"argon2id\",\"time\":4,\"memory\":1048576,"
	"\"cpus\":4,\"salt\":\"eA==\"}}},"
	"\"tokens\":{},"
	"\"segments\":{\"0\":{\"type\":\"crypt\",\"offset\":\"16777216\","
	"\"size\":\"dynamic\",\"iv_tweak\":\"0\","
	"\"encryption\":\"aes-xts-plain64\",\"sector_size\":4096}},"
	"\"digests\":{\"0\":{\"type\":\"pbkdf2\",\"keyslots\":[\"0\"],"
	"\"segments\":[\"0\"],\"hash\":\"sha256\",\"iterations\":1000,"
	"\"salt\":\"" SALT "\",\"digest\":\"" SUM "\"}},"
	"\"config\":{\"json_size\":\"12288\",\"keyslots_size\":\"16744448\"}}";

#define SEG_TAIL "\"sector_size\":4096}"
#define KDF                                                             \
	"\"kdf\":{\"type\":\"argon2id\",\"time\":4,\"memory\":1048576," \
	"\"cpus\":4,"
#define AREA_TAIL "\"encryption\":\"aes-xts-plain64\",\"key_size\":64}"
#define SLOT1	  "\"1\":{\"type\":\"luks2\",\"key_size\":64,"

/* @reason NULL: still passes. */
struct edit {
	const char *find;
	const char *replace;
	const char *reason;
};

static const struct edit edits[] = {
	/* What may differ. */
	{ "\"memory\":1048576", "\"memory\":4194304", NULL },
	{ "argon2id", "argon2i", NULL },
	{ SEG_TAIL, "\"sector_size\":512}", NULL },
	{ SEG_TAIL, "\"sector_size\":1024}", NULL },
	{ SEG_TAIL, "\"sector_size\":2048}", NULL },
	{ "\"key_size\":64,\"af\"", "\"key_size\":32,\"af\"", NULL },
	{ AREA_TAIL,
	  "\"encryption\":\"aes-cbc-essiv:sha256\","
	  "\"key_size\":32}",
	  NULL },
	{ AREA_TAIL, "\"encryption\":\"aes-xts-plain\",\"key_size\":64}",
	  NULL },
	{ KDF,
	  "\"kdf\":{\"type\":\"pbkdf2\",\"hash\":\"sha512\","
	  "\"iterations\":2000000,",
	  NULL },
	{ "\"keyslots_size\":\"16744448\"",
	  "\"keyslots_size\":\"16744448\","
	  "\"requirements\":{}",
	  NULL },
	{ "\"keyslots_size\":\"16744448\"",
	  "\"keyslots_size\":\"16744448\","
	  "\"requirements\":{\"mandatory\":[]}",
	  NULL },
	{ "\"keyslots_size\":\"16744448\"",
	  "\"keyslots_size\":\"16744448\","
	  "\"flags\":[\"allow-discards\",\"from-the-future\"]",
	  NULL },
	{ SEG_TAIL, "\"flags\":[]," SEG_TAIL, NULL },
	{ "\"tokens\":{}",
	  "\"tokens\":{\"0\":{\"type\":\"x\","
	  "\"keyslots\":[]}}",
	  NULL },
	{ "\"key_size\":64,\"af\"", "\"key_size\":64,\"priority\":2,\"af\"",
	  NULL },
	/* A slot for another key is of no interest, whatever it is. */
	{ "\"keyslots\":{\"0\"", "\"keyslots\":{" SLOT1 "\"kdf\":{}},\"0\"",
	  NULL },
	/* The text. */
	{ "{\"keyslots\":{", "{\"keyslots\":", "sound JSON" },
	{ "\"tokens\":{}", "\"tokens\":{}}", "sound JSON" },
	{ "\"tokens\":{}",
	  "\"tokens\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]",
	  "sound JSON" },
	{ "\"iv_tweak\":\"0\"", "\"iv_tweak\":\"8\",\"iv_tweak\":\"0\"",
	  "sound JSON" },
	{ "\"config\"", "\"config\":{},\"config\"", "sound JSON" },
	/* Sizes and requirements. */
	{ "\"config\"", "\"confog\"", "sizes of itself" },
	{ "\"12288\"", "12288", "sizes of itself" },
	{ "\"12288\"", "\"-12288\"", "sizes of itself" },
	{ "\"12288\"", "\" 12288\"", "sizes of itself" },
	{ "\"12288\"", "\"99999999999999999999\"", "sizes of itself" },
	{ "\"12288\"", "\"12288k\"", "sizes of itself" },
	{ "\"16744448\"", "\"18446744073709551615\"", "sizes of itself" },
	{ "\"keyslots_size\":\"16744448\"",
	  "\"keyslots_size\":\"16744448\","
	  "\"requirements\":{\"mandatory\":[\"online-reencrypt\"]}",
	  "re-encryption is under way" },
	{ "\"keyslots_size\":\"16744448\"",
	  "\"keyslots_size\":\"16744448\","
	  "\"requirements\":{\"mandatory\":[\"opal\"]}",
	  "OPAL" },
	{ "\"keyslots_size\":\"16744448\"",
	  "\"keyslots_size\":\"16744448\","
	  "\"requirements\":{\"mandatory\":[\"inline-hw-tags\"]}",
	  "integrity protection in the sectors" },
	{ "\"keyslots_size\":\"16744448\"",
	  "\"keyslots_size\":\"16744448\","
	  "\"requirements\":{\"mandatory\":[\"not-opal\"]}",
	  "not-opal" },
	{ "\"keyslots_size\":\"16744448\"",
	  "\"keyslots_size\":\"16744448\","
	  "\"requirements\":{\"mandatory\":\"opal\"}",
	  "requirements" },
	{ "\"keyslots_size\":\"16744448\"",
	  "\"keyslots_size\":\"16744448\","
	  "\"requirements\":[\"opal\"]",
	  "requirements" },
	/* The segment. */
	{ "\"segments\":{\"0\"", "\"segmentz\":{\"0\"", "0 data segments" },
	{ "\"segments\":{\"0\"", "\"segments\":{\"1\"", "data segments" },
	{ "\"segments\":{\"0\"", "\"segments\":{\"1\":{},\"0\"",
	  "2 data segments" },
	{ "\"type\":\"crypt\"", "\"type\":\"linear\"", "type linear" },
	{ "\"type\":\"crypt\"", "\"type\":\"hw-opal-crypt\"",
	  "type hw-opal-crypt" },
	{ "\"type\":\"crypt\"", "\"type\":1", "nothing readable" },
	{ SEG_TAIL, "\"flags\":[\"in-reencryption\"]," SEG_TAIL, "has flags" },
	{ SEG_TAIL, "\"flags\":\"x\"," SEG_TAIL, "has flags" },
	{ SEG_TAIL, "\"integrity\":{\"type\":\"hmac(sha256)\"}," SEG_TAIL,
	  "integrity protection" },
	{ SEG_TAIL, "\"integrity\":null," SEG_TAIL, "integrity protection" },
	{ "\"iv_tweak\":\"0\"", "\"iv_tweak\":\"8\"", "IV starts at 8" },
	{ "\"iv_tweak\":\"0\"", "\"iv_tweak\":0", "IV starts at nothing" },
	{ "plain64\",\"sector", "plain64be\",\"sector", "aes-xts-plain64be" },
	{ "aes-xts-plain64\",\"sector", "serpent-xts-plain64\",\"sector",
	  "serpent-xts-plain64" },
	{ "aes-xts-plain64\",\"sector", "cipher_null-ecb\",\"sector",
	  "cipher_null-ecb" },
	{ "aes-xts-plain64\",\"sector", "aes-xts-plain64\\u0000x\",\"sector",
	  "nothing readable" },
	{ SEG_TAIL, "\"sector_size\":8192}", "sector size" },
	{ SEG_TAIL, "\"sector_size\":1536}", "sector size" },
	{ SEG_TAIL, "\"sector_size\":-512}", "sector size" },
	{ SEG_TAIL, "\"sector_size\":\"512\"}", "sector size" },
	{ SEG_TAIL, "\"sector_size\":512.0}", "sector size" },
	{ SEG_TAIL, "\"sector_size\":4294967808}", "sector size" },
	{ "\"dynamic\"", "\"1048576\"", "fixed size" },
	{ "\"dynamic\"", "null", "fixed size" },
	{ "\"offset\":\"16777216\"", "\"offset\":\"16777728\"",
	  "multiple of the sector size" },
	/* The digest. */
	{ "\"digests\"", "\"digestz\"", "no digests" },
	{ "\"segments\":[\"0\"]", "\"segments\":[]", "no digest is bound" },
	{ "\"segments\":[\"0\"]", "\"segments\":[0]", "no digest is bound" },
	{ "\"digests\":{", "\"digests\":{\"1\":{\"segments\":[\"0\"]},",
	  "two digests" },
	{ "{\"type\":\"pbkdf2\"", "{\"type\":\"md5\"", "type md5" },
	{ "\"iterations\":1000", "\"iterations\":0", "iterations" },
	{ "\"iterations\":1000", "\"iterations\":4000000000", "iterations" },
	{ "\"iterations\":1000", "\"iterations\":true", "iterations" },
	{ "\"hash\":\"sha256\",\"iter", "\"hash\":\"\",\"iter",
	  "digest's hash" },
	{ "\"hash\":\"sha256\",\"iter", "\"hash\":\"md17\",\"iter", "md17" },
	{ "\"hash\":\"sha256\",\"iter", "\"hash\":\"sha512\",\"iter",
	  "digest is spoiled" },
	{ DIGEST_TAIL, "\"salt\":\"eA==\",\"digest\":\"" SUM "\"",
	  "digest is spoiled" },
	{ DIGEST_TAIL, "\"salt\":\"\",\"digest\":\"" SUM "\"",
	  "digest is spoiled" },
	{ DIGEST_TAIL, "\"salt\":\"" SALT "\",\"digest\":\"eA==\"",
	  "digest is spoiled" },
	{ DIGEST_TAIL, "\"salt\":\"" SALT "\",\"digest\":null",
	  "digest is spoiled" },
	{ DIGEST_TAIL, "\"salt\":\"" SALT "\",\"digest\":\"" SUM "====\"",
	  "digest is spoiled" },
	{ DIGEST_TAIL, "\"salt\":\"" SALT "\",\"digest\":\"*" SUM "\"",
	  "digest is spoiled" },
	/* 20 bytes: a converted LUKS1 header. */
	{ DIGEST_TAIL,
	  "\"salt\":\"" SALT "\",\"digest\":\"dHdlbnR5IGJ5dGVzIG9mIGl0ISE=\"",
	  NULL },
	/* Key slots. */
	{ "{\"keyslots\":{", "{\"keyslotz\":{", "no key slots" },
	{ "\"type\":\"luks2\"", "\"type\":\"luks9\"", "type luks9" },
	{ "\"type\":\"luks2\"", "\"type\":\"reencrypt\"",
	  "re-encryption is under way" },
	{ "\"key_size\":64,\"af\"", "\"key_size\":16,\"af\"", "512 bits" },
	{ "\"key_size\":64,\"af\"", "\"key_size\":-64,\"af\"", "512 bits" },
	{ "\"key_size\":64,\"af\"", "\"key_size\":64,\"priority\":3,\"af\"",
	  "priority" },
	{ AREA_TAIL, "\"encryption\":\"cipher_null-ecb\",\"key_size\":64}",
	  "cipher_null-ecb" },
	{ AREA_TAIL, "\"encryption\":\"aes-ecb\",\"key_size\":64}", "aes-ecb" },
	{ AREA_TAIL, "\"encryption\":\"aes-xts-plain64\",\"key_size\":0}",
	  "256-bit or 512-bit" },
	{ "\"type\":\"raw\"", "\"type\":\"none\"", "sane area" },
	{ "\"offset\":\"32768\"", "\"offset\":\"0\"", "sane area" },
	{ "\"offset\":\"32768\"", "\"offset\":\"18446744073709551615\"",
	  "sane area" },
	{ "\"258048\"", "\"16744449\"", "sane area" },
	{ "\"258048\"", "\"18446744073709551615\"", "sane area" },
	{ "\"stripes\":4000", "\"stripes\":1", "4000 stripes" },
	{ "\"type\":\"luks1\"", "\"type\":\"none\"", "4000 stripes" },
	/* Costs. */
	{ "argon2id", "scrypt", "scrypt" },
	{ "\"time\":4", "\"time\":0", "Argon2 costs" },
	{ "\"time\":4", "\"time\":\"4\"", "Argon2 costs" },
	{ "\"time\":4", "\"time\":2000000000", "take hours" },
	{ "\"time\":4", "\"time\":4000", "take hours" },
	{ "\"memory\":1048576", "\"memory\":4194305", "4096 MiB" },
	{ "\"memory\":1048576", "\"memory\":-1", "Argon2 costs" },
	{ "\"cpus\":4", "\"cpus\":4000", "4000 threads" },
	{ KDF,
	  "\"kdf\":{\"type\":\"pbkdf2\",\"hash\":\"sha512\","
	  "\"iterations\":4000000000,",
	  "take hours" },
	{ KDF, "\"kdf\":{\"type\":\"pbkdf2\",", "derives its key with" },
	{ KDF, "\"kdf\":{\"type\":\"pbkdf2\",\"hash\":\"sha256\",",
	  "PBKDF2 costs" },
	{ "\"hash\":\"sha256\"},\"area", "\"hash\":\"none\"},\"area",
	  "split with" },
	{ "\"258048\"", "\"4096\"", "too small" },
};

static char *apply(const struct edit *e)
{
	const char *p = strstr(good, e->find);
	char *text;

	ck_assert_msg(p, "%s is not in the text", e->find);
	ck_assert_int_gt(asprintf(&text, "%.*s%s%s", (int)(p - good), good,
				  e->replace, p + strlen(e->find)),
			 0);
	return text;
}

START_TEST(test_edit)
{
	const struct edit *e = &edits[_i];
	struct luks_gate gate = { .sector_size = 77 };
	struct why why = { "" };
	char *text = apply(e);
	int r = luks_gate_check(text, &gate, &why);

	if (!e->reason) {
		ck_assert_msg(!r, "%s: %s", e->replace, why.text);
	} else {
		ck_assert_msg(r == -EINVAL, "%s passed", e->replace);
		ck_assert_msg(strstr(why.text, e->reason), "%s: %s", e->replace,
			      why.text);
		ck_assert_uint_eq(gate.sector_size, 77);
	}
	free(text);
}
END_TEST

/* Headers that are sound, of volumes that cannot be opened. */
static const struct edit closed[] = {
	{ "\"offset\":\"16777216\"", "\"offset\":\"0\"", "detached" },
	{ "\"offset\":\"16777216\"", "\"offset\":\"8388608\"", "overlaps" },
	{ "\"keyslots\":[\"0\"]", "\"keyslots\":[]", "no key slot is left" },
	{ "\"keyslots\":{\"0\"", "\"keyslots\":{\"00\"",
	  "no key slot is left" },
};

START_TEST(test_closed)
{
	const struct edit *e = &closed[_i];
	bool no_slot = !strncmp(e->reason, "no key", 6);
	struct luks_gate gate;
	struct why why = { "" };
	char *text = apply(e);

	ck_assert_int_eq(luks_gate_check(text, &gate, &why), 0);
	ck_assert_int_eq(luks_gate_check_open(&gate, false, &why), -EINVAL);
	ck_assert_msg(strstr(why.text, e->reason), "%s", why.text);
	/* Where the data are elsewhere, they may start anywhere. */
	ck_assert_int_eq(luks_gate_check_open(&gate, true, &why),
			 no_slot ? -EINVAL : 0);
	free(text);
}
END_TEST

START_TEST(test_result)
{
	struct luks_gate gate;
	struct why why;

	ck_assert_int_eq(luks_gate_check(good, &gate, &why), 0);
	ck_assert_int_eq(luks_gate_check_open(&gate, false, &why), 0);
	ck_assert_str_eq(gate.cipher, "aes-xts-plain64");
	ck_assert_uint_eq(gate.key_bytes, 64);
	ck_assert_uint_eq(gate.sector_size, 4096);
	ck_assert_uint_eq(gate.data_offset, 16777216);
	ck_assert_uint_eq(gate.slots_offset, 32768);
	ck_assert_uint_eq(gate.slots_size, 16744448);
	ck_assert(!gate.allow_discards);
	ck_assert_uint_eq(gate.nr_slots, 1);
	ck_assert_int_eq(gate.slots[0].id, 0);
	ck_assert_int_eq(gate.slots[0].priority, 1);
	ck_assert_uint_eq(gate.slots[0].memory, 1u << 30);
	ck_assert_uint_eq(gate.slots[0].threads, 4);
}
END_TEST

START_TEST(test_discards)
{
	static const struct edit e = {
		"\"keyslots_size\":\"16744448\"",
		"\"keyslots_size\":\"16744448\",\"flags\":[\"allow-discards\"]",
	};
	struct luks_gate gate;
	struct why why;
	char *text = apply(&e);

	ck_assert_int_eq(luks_gate_check(text, &gate, &why), 0);
	ck_assert(gate.allow_discards);
	free(text);
}
END_TEST

/* Random damage never brings the gate down, and what passes is in bounds. */
START_TEST(test_random_damage)
{
	struct luks_gate gate;
	struct why why;
	char text[sizeof(good)];
	unsigned int seed = 1;
	int i, j;

	for (i = 0; i < 20000; i++) {
		memcpy(text, good, sizeof(good));
		for (j = 0; j < 1 + i % 4; j++)
			text[rand_r(&seed) % (sizeof(good) - 1)] =
				(char)(1 + rand_r(&seed) % 126);
		if (luks_gate_check(text, &gate, &why) ||
		    luks_gate_check_open(&gate, false, &why))
			continue;
		ck_assert_uint_eq(gate.data_offset % gate.sector_size, 0);
		ck_assert_uint_ge(gate.data_offset, gate.slots_offset);
		ck_assert_uint_le(gate.nr_slots, LUKS_SLOTS_MAX);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("luks_gate");
	TCase *tc = tcase_create("luks_gate");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_edit, 0,
			    (int)(sizeof(edits) / sizeof(edits[0])));
	tcase_add_loop_test(tc, test_closed, 0,
			    (int)(sizeof(closed) / sizeof(closed[0])));
	tcase_add_test(tc, test_result);
	tcase_add_test(tc, test_discards);
	tcase_add_test(tc, test_random_damage);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
