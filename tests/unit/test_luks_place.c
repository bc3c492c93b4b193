/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Where headers, key slots and data lie in containers of all sizes. */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crypt/luks_place.h"
#include "lib/why.h"

#define KIB (1ULL << 10)
#define MIB (1ULL << 20)

static struct why why;

static const struct {
	struct luks_place wish;
	uint64_t size;
	uint64_t metadata, keyslots, offset; /* KiB */
} good[] = {
	/* Room enough: as cryptsetup does it. */
	{ { 0 }, 1ULL << 40, 16, 16 * 1024 - 32, 16 * 1024 },
	{ { 0 }, 64 * MIB, 16, 16 * 1024 - 32, 16 * 1024 },
	/* A quarter of a small image. */
	{ { 0 }, 64 * MIB - 1, 16, 8 * 1024 - 32, 8 * 1024 },
	{ { 0 }, 10 * MIB, 16, 2 * 1024 - 32, 2 * 1024 },
	{ { 0 }, 2 * MIB, 16, 1024 - 32, 1024 },
	{ { 0 }, MIB + 512, 16, 1024 - 32, 1024 },
	/* What is said. */
	{ { .metadata_size = 4 * MIB }, 64 * MIB, 4096, 8192, 16 * 1024 },
	{ { .metadata_size = 4 * MIB }, 20 * MIB, 4096, 8192, 16 * 1024 },
	{ { .keyslots_size = 512 * KIB }, 10 * MIB, 16, 512, 1024 },
	{ { .keyslots_size = 1024 * KIB }, 10 * MIB, 16, 1024, 2048 },
	{ { .keyslots_size = 128 * MIB }, 200 * MIB, 16, 131072, 129 * 1024 },
	{ { .data_offset = 2 * MIB }, 64 * MIB, 16, 2048 - 32, 2048 },
	{ { .data_offset = 200 * MIB }, 300 * MIB, 16, 131072, 200 * 1024 },
	{ { .keyslots_size = 512 * KIB, .data_offset = 4 * MIB },
	  64 * MIB,
	  16,
	  512,
	  4096 },
	/* A header of its own. */
	{ { .detached = true }, 512, 16, 16 * 1024 - 32, 0 },
	{ { .detached = true, .keyslots_size = 512 * KIB }, MIB, 16, 512, 0 },
	{ { .detached = true, .data_offset = 4 * MIB },
	  8 * MIB,
	  16,
	  4096 - 32,
	  4096 },
};

#define LEN(a) ((int)(sizeof(a) / sizeof((a)[0])))

START_TEST(test_good)
{
	struct luks_place place = good[_i].wish;
	int r = luks_place_choose(&place, good[_i].size, 64, &why);

	ck_assert_msg(!r, "%s", why.text);
	ck_assert_uint_eq(place.metadata_size, good[_i].metadata * KIB);
	ck_assert_uint_eq(place.keyslots_size, good[_i].keyslots * KIB);
	ck_assert_uint_eq(place.data_offset, good[_i].offset * KIB);
	if (!place.detached)
		ck_assert_uint_le(luks_place_header(&place), place.data_offset);
}
END_TEST

static const struct {
	struct luks_place wish;
	uint64_t size;
	const char *reason;
} bad[] = {
	{ { 0 }, 0, "too few" },
	{ { 0 }, MIB, "too few" },
	{ { .metadata_size = 8 * KIB }, 64 * MIB, "header of 8192 bytes" },
	{ { .metadata_size = 17 * KIB }, 64 * MIB, "header of 17408" },
	{ { .metadata_size = 8 * MIB }, 64 * MIB, "header of 8388608" },
	{ { .keyslots_size = 4097 }, 64 * MIB, "4097 bytes for key slots" },
	{ { .keyslots_size = 4096 }, 64 * MIB, "one slot takes 258048" },
	{ { .keyslots_size = 129 * MIB }, 640 * MIB, "for key slots are not" },
	{ { .data_offset = 512 }, 64 * MIB, "multiple of 4096" },
	{ { .data_offset = 64 * KIB }, 64 * MIB, "take 290816" },
	{ { .data_offset = MIB, .keyslots_size = MIB },
	  64 * MIB,
	  "is too small" },
	{ { .data_offset = 64 * MIB }, 64 * MIB, "start at byte 67108864" },
	{ { .detached = true }, 0, "too few" },
	{ { .detached = true, .data_offset = 64 * KIB }, MIB, "is too small" },
};

START_TEST(test_bad)
{
	struct luks_place place = bad[_i].wish;

	ck_assert_int_eq(luks_place_choose(&place, bad[_i].size, 64, &why),
			 -EDOM);
	ck_assert_msg(strstr(why.text, bad[_i].reason), "%s", why.text);
	ck_assert_mem_eq(&place, &bad[_i].wish, sizeof(place));
}
END_TEST

/* A key of half the size needs half the room. */
START_TEST(test_short_key)
{
	struct luks_place place = { .keyslots_size = 128 * KIB };

	ck_assert_int_eq(luks_place_choose(&place, 10 * MIB, 32, &why), 0);
	ck_assert_int_eq(luks_place_choose(&place, 10 * MIB, 64, &why), -EDOM);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("luks_place");
	TCase *tc = tcase_create("luks_place");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, test_good, 0, LEN(good));
	tcase_add_loop_test(tc, test_bad, 0, LEN(bad));
	tcase_add_test(tc, test_short_key);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
