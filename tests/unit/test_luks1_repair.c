/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* LUKS1 headers that are put in order, and what a repair must not have done. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypt/header_copy.h"
#include "crypt/luks1_repair.h"
#include "lib/transfer.h"
#include "lib/why.h"
#include "tests/unit/luks_fixture.h"

#define LEN(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* "LUKS On-Disk Format Specification" 1.2.3, figure 2. */
#define SLOT(n)	   (208 + 48 * (n))
#define STATE(n)   SLOT(n)
#define COUNT(n)   (SLOT(n) + 4)
#define SALT(n)	   (SLOT(n) + 8)
#define OFFSET(n)  (SLOT(n) + 40)
#define STRIPES(n) (SLOT(n) + 44)

static struct luks1_repairs repairs;
static struct header_copy copy;
static struct why why;
static int image;

static void setup(void)
{
	memset(&repairs, 0, sizeof(repairs));
	copy.fd = -1;
	why.text[0] = '\0';
	image = fixture_luks1("xts-plain64", 64);
}

static void teardown(void)
{
	header_copy_drop(&copy);
	close(image);
}

static int repair(void)
{
	return header_copy_repair(&VOLUME_HEADER(image), &copy, &repairs, &why);
}

static void poke(uint64_t at, const char *bytes, size_t len)
{
	ck_assert_int_eq(transfer_write(image, bytes, len, at), 0);
}

/* Of an image whose slot 0 is in use: damage, and what becomes of it. */
static const struct {
	struct {
		uint16_t at, len;
		const char *bytes;
	} damage[2];
	struct luks1_repairs repairs;
} sound[] = {
	{ { { OFFSET(1), 4, "\0\0\0\7" } }, { .slots = 1 << 1 } },
	{ { { STRIPES(7), 4, "\xff\xff\xff\xff" } }, { .slots = 1 << 7 } },
	{ { { OFFSET(2), 4, "abcd" }, { SALT(3), 1, "x" } }, { .slots = 4 } },
	{ { { 72, 6, "SHA256" } }, { .hash = true } },
	{ { { 72, 6, "sHa256" }, { OFFSET(5), 2, "ab" } },
	  { .slots = 1 << 5, .hash = true } },
	{ { { 510, 2, "\x55\xaa" }, { STRIPES(6), 1, "x" } },
	  { .slots = 1 << 6 } },
	{ { { 207, 1, "x" }, { OFFSET(1), 1, "x" } }, { .slots = 1 << 1 } },
	{ { { 39, 1, "x" }, { OFFSET(1), 1, "x" } }, { .slots = 1 << 1 } },
	{ { { STATE(2), 1, "x" }, { OFFSET(1), 1, "x" } },
	  { .slots = 1 << 1, .odd = 1 << 2 } },
	{ { { STATE(4), 4, "\0\xac\x71\xf2" }, { STRIPES(4), 1, "x" } },
	  { .slots = 1 << 4, .lost = 1 << 4 } },
};

START_TEST(test_repair)
{
	const struct luks1_repairs *expected = &sound[_i].repairs;
	uint8_t before[64], after[64];
	struct volume_info info;
	unsigned int parts;
	int i, r;

	fixture_key(image, before, sizeof(before));
	for (i = 0; i < 2 && sound[_i].damage[i].len; i++)
		poke(sound[_i].damage[i].at, sound[_i].damage[i].bytes,
		     sound[_i].damage[i].len);
	r = repair();
	ck_assert_msg(!r, "%s", why.text);
	ck_assert_uint_eq(repairs.slots, expected->slots);
	ck_assert_uint_eq(repairs.lost, expected->lost);
	ck_assert_uint_eq(repairs.odd, expected->odd);
	ck_assert(repairs.hash == expected->hash);
	ck_assert_uint_le(copy.span, LUKS1_HEADER_SIZE);
	ck_assert_int_eq(header_copy_write(&copy, image, &parts, &why), 0);
	ck_assert_uint_eq(parts, HEADER_FIRST);
	header_copy_drop(&copy);
	ck_assert_int_eq(volume_probe(&VOLUME_REQUEST(image), &info, &why), 0);
	fixture_key(image, after, sizeof(after));
	ck_assert_mem_eq(before, after, sizeof(before));
	ck_assert_int_eq(repair(), 0);
	ck_assert(!repairs.slots && !repairs.lost && !repairs.hash);
	ck_assert_int_eq(header_copy_write(&copy, image, &parts, &why), 0);
	ck_assert_uint_eq(parts, 0);
}
END_TEST

static const struct {
	uint16_t at, len;
	const char *bytes, *says;
} beyond[] = {
	{ STRIPES(0), 4, "\0\0\0\1", "repaired: LUKS keyslot 0 is invalid" },
	{ OFFSET(0), 4, "\xff\xff\xff\xff", "keyslot 0 is invalid" },
	{ 104, 4, "\0\0\0\x10", "cannot be repaired: Data offset" },
	{ 72, 6, "md17\0", "md17 is not supported" },
	{ 40, 4, "ecb-", "cannot be repaired" },
	{ 164, 4, "\0\0\0\0", "the digest does not ask" },
	{ 108, 4, "\0\0\0\x18", "192 bits" },
	{ 6, 2, "\0\3", "of a version after 2" },
};

START_TEST(test_beyond_repair)
{
	uint64_t sum;

	poke(beyond[_i].at, beyond[_i].bytes, beyond[_i].len);
	sum = fixture_sum(image);
	ck_assert_int_eq(repair(), -EINVAL);
	ck_assert_msg(strstr(why.text, beyond[_i].says), "%s", why.text);
	ck_assert_uint_eq(fixture_sum(image), sum);
}
END_TEST

/* The other version is repaired as ever, and has no repairs of this kind. */
START_TEST(test_luks2)
{
	unsigned int parts;

	close(image);
	image = fixture_luks2(4096, 64, 32);
	fixture_damage(image, 5000, 64);
	memset(&repairs, 0xff, sizeof(repairs));
	ck_assert_int_eq(repair(), 0);
	ck_assert(!repairs.slots && !repairs.lost && !repairs.hash);
	ck_assert_int_eq(header_copy_write(&copy, image, &parts, &why), 0);
	ck_assert_uint_eq(parts, HEADER_FIRST);
}
END_TEST

/* Changes that no repair makes, where slot 0 is in use. */
static const struct {
	uint16_t at, len;
	const char *bytes;
} foreign[] = {
	{ 0, 1, "X" },
	{ 8, 3, "AES" },
	{ 72, 6, "sha512" },
	{ 104, 4, "\0\0\0\0" },
	{ 108, 4, "\0\0\0\x20" },
	{ 112, 1, NULL }, /* random: another */
	{ 132, 1, NULL },
	{ 164, 4, "\0\0\0\1" },
	{ 168, 1, "x" },
	{ STATE(0), 4, "\0\0\xde\xad" },
	{ SALT(0), 1, NULL },
	{ COUNT(0), 4, "\0\0\0\0" },
	{ OFFSET(0), 1, "\1" },
	{ STATE(3), 4, "\0\xac\x71\xf3" },
	{ COUNT(3), 4, "\0\0\0\1" },
	{ SALT(3) + 31, 1, "x" },
	{ 592, 1, "x" },
	{ 1023, 1, "x" },
	{ 1024, 1, "" },
	{ LUKS1_HEADER_SIZE - 1, 1, "" },
};

START_TEST(test_foreign)
{
	uint8_t before[LUKS1_HEADER_SIZE], after[LUKS1_HEADER_SIZE];

	ck_assert_int_eq(transfer_read(image, before, sizeof(before), 0), 0);
	before[1024] = before[LUKS1_HEADER_SIZE - 1] = 'y';
	memcpy(after, before, sizeof(after));
	ck_assert_int_eq(luks1_repair_compare(before, after, &repairs), 0);
	before[600] = 'y'; /* padding, which is written as zeroes */
	ck_assert_int_eq(luks1_repair_compare(before, after, &repairs), 0);
	if (foreign[_i].bytes)
		memcpy(after + foreign[_i].at, foreign[_i].bytes,
		       foreign[_i].len);
	else
		after[foreign[_i].at] ^= 0xff;
	ck_assert_mem_ne(after + foreign[_i].at, before + foreign[_i].at,
			 foreign[_i].len);
	ck_assert_int_eq(luks1_repair_compare(before, after, &repairs),
			 -EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("luks1_repair");
	TCase *tc = tcase_create("luks1_repair");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_repair, 0, LEN(sound));
	tcase_add_loop_test(tc, test_beyond_repair, 0, LEN(beyond));
	tcase_add_test(tc, test_luks2);
	tcase_add_loop_test(tc, test_foreign, 0, LEN(foreign));
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
