/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What is made of a sound header: where its volume lies, in images of all
 * sizes, and which volume key it is.  The reader runs without its cell.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt/luks_reader.h"
#include "lib/why.h"
#include "tests/unit/luks_fixture.h"

#define LEN(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define MIB    (1ULL << 20)

/* Of the fixtures: where the data start. */
#define DATA2 (16 * MIB)
#define DATA1 (2 * MIB)

static struct volume_info info;
static struct why why;

static int judge(int image, enum luks_layout layout, uint64_t header_size,
		 uint64_t data_size)
{
	const struct luks_source source = {
		.header_fd = image,
		.copy_fd = memfd_create("copy", MFD_CLOEXEC),
		.layout = layout,
		.header_size = header_size,
		.data_size = data_size,
	};
	struct luks_reader *reader;
	int r;

	ck_assert_int_eq(ftruncate(source.copy_fd, 256 * MIB), 0);
	memset(&info, 0, sizeof(info));
	why.text[0] = '\0';
	r = luks_reader_open(&source, &reader, &why);
	ck_assert_msg(!r, "%s", why.text);
	r = luks_reader_judge(reader, &info, &why);
	luks_reader_close(reader);
	close(source.copy_fd);
	return r;
}

enum kind {
	TWO,
	ONE,
	ONE_PLAIN,
	DETACHED,
	ERASED
};

static int make(enum kind kind)
{
	int fd;

	switch (kind) {
	case ONE:
		return fixture_luks1("xts-plain64", 64);
	case ONE_PLAIN:
		return fixture_luks1("xts-plain", 32);
	case DETACHED:
		return fixture_detached("LUKS2", 0);
	default:
		fd = fixture_luks2(4096, 64, 32);
		if (kind == ERASED)
			fixture_erase(fd);
		return fd;
	}
}

static const struct {
	enum kind kind;
	enum luks_layout layout;
	uint64_t header_size, data_size;
	const char *says;    /* NULL: it can be served */
	uint64_t data_bytes; /* that can be */
} cases[] = {
	{ TWO, LUKS_ATTACHED, 20 * MIB, 20 * MIB, NULL, 4 * MIB },
	/* An odd tail is left out. */
	{ TWO, LUKS_ATTACHED, 20 * MIB, DATA2 + 4096 + 511, NULL, 4096 },
	{ TWO, LUKS_ATTACHED, 20 * MIB, DATA2 + 4096 + 512, "a multiple", 0 },
	{ TWO, LUKS_ATTACHED, 20 * MIB, DATA2 + 511, "a multiple", 0 },
	{ TWO, LUKS_ATTACHED, 20 * MIB, DATA2, "data starts at 16777216", 0 },
	{ TWO, LUKS_ATTACHED, 12 * MIB, 12 * MIB, "key slots at 16777216", 0 },
	{ TWO, LUKS_NO_DATA, 20 * MIB, 0, NULL, 0 },
	/* No 2 TiB is too large for this IV. */
	{ TWO, LUKS_ATTACHED, 20 * MIB, 1ULL << 50, NULL,
	  (1ULL << 50) - DATA2 },
	{ ONE, LUKS_ATTACHED, 20 * MIB, DATA1 + 1024, NULL, 1024 },
	{ ONE, LUKS_ATTACHED, 20 * MIB, 1ULL << 42, NULL,
	  (1ULL << 42) - DATA1 },
	{ ONE, LUKS_ATTACHED, 20 * MIB, MIB, "data starts at 2097152", 0 },
	{ ONE, LUKS_ATTACHED, MIB, 20 * MIB, "key slots at", 0 },
	{ ONE_PLAIN, LUKS_ATTACHED, 20 * MIB, 20 * MIB, NULL, 18 * MIB },
	{ ONE_PLAIN, LUKS_ATTACHED, 20 * MIB, 1ULL << 42, "after 2 TiB", 0 },
	{ DETACHED, LUKS_DETACHED, 20 * MIB, 8 * MIB, NULL, 8 * MIB },
	{ DETACHED, LUKS_ATTACHED, 20 * MIB, 20 * MIB, "detached", 0 },
	{ DETACHED, LUKS_NO_DATA, 20 * MIB, 0, NULL, 0 },
	{ ERASED, LUKS_ATTACHED, 20 * MIB, 20 * MIB, "no key slot", 0 },
	{ ERASED, LUKS_NO_DATA, 20 * MIB, 0, NULL, 0 },
};

START_TEST(test_extent)
{
	int image = make(cases[_i].kind), r;

	r = judge(image, cases[_i].layout, cases[_i].header_size,
		  cases[_i].data_size);
	if (cases[_i].says) {
		ck_assert_int_eq(r, -EINVAL);
		ck_assert_msg(strstr(why.text, cases[_i].says), "%s", why.text);
		ck_assert_str_eq(info.type, "");
	} else {
		ck_assert_msg(!r, "%s", why.text);
		ck_assert_uint_eq(info.data_size, cases[_i].data_bytes);
		ck_assert(info.detached == (cases[_i].layout == LUKS_DETACHED));
	}
	close(image);
}
END_TEST

/* The image ends within its key slots, after it was looked at. */
START_TEST(test_read_fails)
{
	int image = make(TWO);

	ck_assert_int_eq(ftruncate(image, 12 * MIB), 0);
	ck_assert_int_eq(judge(image, LUKS_ATTACHED, 20 * MIB, 20 * MIB), -EIO);
	ck_assert_ptr_nonnull(strstr(why.text, "at byte 12582912 failed"));
	close(image);
}
END_TEST

/* Memory for what the image has, and not for its zeroes. */
START_TEST(test_zeroes)
{
	int image = make(ERASED), copy = memfd_create("copy", MFD_CLOEXEC);
	const struct luks_source source = {
		.header_fd = image,
		.copy_fd = copy,
		.layout = LUKS_ATTACHED,
		.header_size = 20 * MIB,
		.data_size = 20 * MIB,
	};
	struct luks_reader *reader;
	struct stat of_image, of_copy;
	char byte;

	ck_assert_int_eq(ftruncate(copy, 256 * MIB), 0);
	ck_assert_int_eq(fallocate(image,
				   FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				   64 * 1024, 15 * MIB),
			 0);
	ck_assert_int_eq(pwrite(image, "x", 1, 5 * MIB), 1);
	ck_assert_int_eq(luks_reader_open(&source, &reader, &why), 0);
	luks_reader_judge(reader, &info, &why);
	luks_reader_close(reader);
	ck_assert_int_eq(pread(copy, &byte, 1, 5 * MIB), 1);
	ck_assert_int_eq(byte, 'x');
	ck_assert_int_eq(fstat(image, &of_image), 0);
	ck_assert_int_eq(fstat(copy, &of_copy), 0);
	ck_assert_int_le(of_copy.st_blocks, of_image.st_blocks);
	close(copy);
	close(image);
}
END_TEST

static void expect_info(enum kind kind, const char *type, const char *cipher,
			uint64_t slots_offset, uint32_t sector_size)
{
	int image = make(kind);

	ck_assert_int_eq(judge(image, LUKS_NO_DATA, 20 * MIB, 0), 0);
	ck_assert_str_eq(info.type, type);
	ck_assert_str_eq(info.cipher, cipher);
	ck_assert_uint_eq(info.slots_offset, slots_offset);
	ck_assert_uint_eq(info.sector_size, sector_size);
	ck_assert_uint_eq(info.key_slots, kind == ERASED ? 0 : 1);
	ck_assert_uint_eq(strlen(info.uuid), 36);
	ck_assert_int_eq(info.key_slot, -1);
	close(image);
}

START_TEST(test_info)
{
	expect_info(TWO, "LUKS2", "aes-xts-plain64", 32768, 4096);
	ck_assert_str_eq(info.label, "fixture");
	ck_assert_uint_eq(info.key_bytes, 64);
	expect_info(ERASED, "LUKS2", "aes-xts-plain64", 32768, 4096);
	expect_info(ONE, "LUKS1", "aes-xts-plain64", 4096, 512);
	ck_assert_str_eq(info.label, "");
	expect_info(ONE_PLAIN, "LUKS1", "aes-xts-plain", 4096, 512);
	ck_assert_uint_eq(info.key_bytes, 32);
}
END_TEST

/* Another volume key is another digest, the same one is the same. */
START_TEST(test_digest)
{
	enum kind kind = _i ? ONE : TWO;
	int image = make(kind), other = make(kind);
	uint8_t digest[sizeof(info.digest)];

	ck_assert_int_eq(judge(image, LUKS_NO_DATA, 20 * MIB, 0), 0);
	memcpy(digest, info.digest, sizeof(digest));
	fixture_erase(image);
	ck_assert_int_eq(judge(image, LUKS_NO_DATA, 20 * MIB, 0), 0);
	ck_assert_mem_eq(info.digest, digest, sizeof(digest));
	ck_assert_int_eq(judge(other, LUKS_NO_DATA, 20 * MIB, 0), 0);
	ck_assert_mem_ne(info.digest, digest, sizeof(digest));
	close(image);
	close(other);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("luks_judge");
	TCase *tc = tcase_create("luks_judge");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_extent, 0, LEN(cases));
	tcase_add_test(tc, test_read_fails);
	tcase_add_test(tc, test_zeroes);
	tcase_add_test(tc, test_info);
	tcase_add_loop_test(tc, test_digest, 0, 2);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
