/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Writing headers, and every value that is refused before. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/lock.h"
#include "crypt/luks_format.h"
#include "crypt/unlock.h"
#include "lib/secmem.h"
#include "lib/why.h"
#include "tests/unit/luks_fixture.h"

static struct why why;

static struct luks_format cheap(void)
{
	return (struct luks_format){ .kdf = { .memory_kib = 64,
					      .iterations = 4 } };
}

static int new_image(void)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, FIXTURE_SIZE), 0);
	return fd;
}

static void format(int fd, struct luks_format *what)
{
	int r = luks_format_check(what, FIXTURE_SIZE, &why);

	ck_assert_msg(!r, "%d %s", r, why.text);
	r = luks_format_write(fd, what, FIXTURE_PASS, strlen(FIXTURE_PASS),
			      &why);
	ck_assert_msg(!r, "%d %s", r, why.text);
}

static void unlock(int fd, struct volume_info *info)
{
	struct volume_request request = VOLUME_REQUEST(fd);
	uint8_t expected[VOLUME_KEY_MAX];
	void *key;
	int r;

	ck_assert_int_eq(secmem_alloc(VOLUME_KEY_MAX, &key), 0);
	request.passphrase = FIXTURE_PASS;
	request.passphrase_len = strlen(FIXTURE_PASS);
	r = volume_unlock(&request, key, info, &why);
	ck_assert_msg(!r, "%d %s", r, why.text);
	fixture_key(fd, expected, info->key_bytes);
	ck_assert_mem_eq(key, expected, info->key_bytes);
	secmem_free(key, VOLUME_KEY_MAX);
}

static const struct {
	uint32_t sector_size;
	uint32_t key_bytes;
	const char *pbkdf;
	const char *cipher;
} shapes[] = {
	{ 512, 32, "argon2id", "aes-xts-plain64" },
	{ 1024, 64, "argon2i", "aes-xts-plain64" },
	{ 2048, 64, "pbkdf2", "aes-xts-plain64" },
	{ 4096, 32, NULL, "aes-xts-plain" },
	{ 4096, 64, NULL, NULL },
};

START_TEST(test_shapes)
{
	struct luks_format what = {
		.sector_size = shapes[_i].sector_size,
		.key_bytes = shapes[_i].key_bytes,
		.cipher = shapes[_i].cipher,
		.kdf = { .type = shapes[_i].pbkdf, .iterations = 1000 },
		.label = "tag",
		.uuid = "12345678-1234-5678-9abc-def012345678",
	};
	struct volume_info info;
	int fd = new_image();

	/* Argon2 starts threads four times in each iteration. */
	if (!what.kdf.type || strcmp(what.kdf.type, "pbkdf2"))
		what.kdf = cheap().kdf;
	what.kdf.type = shapes[_i].pbkdf;
	format(fd, &what);
	unlock(fd, &info);
	ck_assert_uint_eq(info.sector_size, shapes[_i].sector_size);
	ck_assert_uint_eq(info.key_bytes, shapes[_i].key_bytes);
	ck_assert_str_eq(info.cipher, what.cipher);
	ck_assert_str_eq(info.label, "tag");
	ck_assert_str_eq(info.uuid, what.uuid);
	ck_assert_uint_eq(info.data_offset, what.place.data_offset);
	close(fd);
}
END_TEST

/* An OFD lock on the image does not stand in libcryptsetup's way. */
START_TEST(test_under_lock)
{
	struct luks_format what = cheap();
	struct volume_info info;
	int fd = new_image();

	ck_assert_int_eq(image_lock(fd, false), 0);
	format(fd, &what);
	unlock(fd, &info);
	close(fd);
}
END_TEST

static const struct {
	struct luks_place place;
	uint64_t size; /* bytes */
} places[] = {
	{ { 0 }, 64 << 20 },
	{ { 0 }, 10 << 20 },
	{ { 0 }, (1 << 20) + 512 },
	{ { .metadata_size = 64 << 10, .keyslots_size = 512 << 10 }, 10 << 20 },
	{ { .metadata_size = 4 << 20 }, 20 << 20 },
	{ { .data_offset = 2 << 20 }, 10 << 20 },
	{ { .keyslots_size = 128 << 20 }, 200 << 20 },
};

/* libcryptsetup puts everything where it was meant to be. */
START_TEST(test_places)
{
	struct luks_format what = cheap();
	struct volume_info info;
	int fd = new_image();

	what.place = places[_i].place;
	ck_assert_int_eq(ftruncate(fd, (off_t)places[_i].size), 0);
	ck_assert_int_eq(luks_format_check(&what, places[_i].size, &why), 0);
	ck_assert_msg(!luks_format_write(fd, &what, FIXTURE_PASS,
					 strlen(FIXTURE_PASS), &why),
		      "%s", why.text);
	unlock(fd, &info);
	ck_assert_uint_eq(info.slots_offset, 2 * what.place.metadata_size);
	ck_assert_uint_eq(info.header_size, luks_place_header(&what.place));
	ck_assert_uint_eq(info.data_offset, what.place.data_offset);
	ck_assert_uint_eq(info.data_offset + info.data_size, places[_i].size);
	close(fd);
}
END_TEST

START_TEST(test_detached)
{
	struct luks_format what = cheap();
	struct volume_info info;
	int fd = new_image(), data_fd = new_image();
	struct volume_request request = VOLUME_REQUEST(fd);
	uint64_t sum = fixture_sum(data_fd);

	what.place.detached = true;
	what.place.data_offset = _i ? 4 << 20 : 0;
	ck_assert_int_eq(luks_format_check(&what, FIXTURE_SIZE, &why), 0);
	ck_assert_int_eq(luks_format_write_detached(fd, data_fd, &what,
						    FIXTURE_PASS,
						    strlen(FIXTURE_PASS), &why),
			 0);
	request.data_fd = data_fd;
	ck_assert_msg(!volume_probe(&request, &info, &why), "%s", why.text);
	ck_assert_uint_eq(info.header_size, luks_place_header(&what.place));
	ck_assert_uint_eq(info.data_offset, what.place.data_offset);
	ck_assert_uint_eq(fixture_sum(data_fd), sum);
	close(data_fd);
	close(fd);
}
END_TEST

static const struct {
	uint64_t size;
	uint32_t sector_size;
} defaults[] = {
	{ 20u << 20, 4096 },
	{ (20u << 20) + 2048, 2048 },
	{ (20u << 20) + 1024, 1024 },
	{ (20u << 20) + 512, 512 },
};

START_TEST(test_sector_default)
{
	struct luks_format what = cheap();

	ck_assert_int_eq(luks_format_check(&what, defaults[_i].size, &why), 0);
	ck_assert_uint_eq(what.sector_size, defaults[_i].sector_size);
	ck_assert_uint_eq(what.key_bytes, 64);
	ck_assert_str_eq(what.cipher, "aes-xts-plain64");
	ck_assert_str_eq(what.kdf.type, "argon2id");
}
END_TEST

/* Without a wish, memory stays within half of what there is. */
START_TEST(test_memory_default)
{
	struct luks_format what = { 0 };

	ck_assert_int_eq(luks_format_check(&what, FIXTURE_SIZE, &why), 0);
	ck_assert_uint_ge(what.kdf.memory_kib, 32);
	ck_assert_uint_le(what.kdf.memory_kib, 1u << 20);
}
END_TEST

#define LONG_LABEL "0123456789012345678901234567890123456789012345678"

static const struct {
	struct luks_format what;
	uint64_t size;
	const char *reason;
} bad[] = {
	{ { .cipher = "serpent-xts-plain64" }, FIXTURE_SIZE, "serpent" },
	{ { .cipher = "aes" }, FIXTURE_SIZE, "cipher aes" },
	{ { .key_bytes = 16 }, FIXTURE_SIZE, "128 bits" },
	{ { .key_bytes = 65 }, FIXTURE_SIZE, "520 bits" },
	{ { .sector_size = 513 }, FIXTURE_SIZE, "513" },
	{ { .sector_size = 8192 }, FIXTURE_SIZE, "8192" },
	{ { .sector_size = 4096 }, FIXTURE_SIZE + 512, "multiple" },
	{ { .label = LONG_LABEL }, FIXTURE_SIZE, "label" },
	{ { .uuid = "1234" }, FIXTURE_SIZE, "UUID" },
	{ { .uuid = "" }, FIXTURE_SIZE, "UUID" },
	{ { .uuid = "12345678-1234-5678-9abc-def01234567g" },
	  FIXTURE_SIZE,
	  "UUID" },
	{ { .uuid = "12345678-1234-5678-9abc-def0123456789" },
	  FIXTURE_SIZE,
	  "UUID" },
	{ { .kdf = { .type = "scrypt" } }, FIXTURE_SIZE, "scrypt" },
	{ { .kdf = { .type = "pbkdf2", .memory_kib = 64 } },
	  FIXTURE_SIZE,
	  "neither" },
	{ { .kdf = { .type = "pbkdf2", .threads = 1 } },
	  FIXTURE_SIZE,
	  "neither" },
	{ { .kdf = { .type = "pbkdf2", .iterations = 999 } },
	  FIXTURE_SIZE,
	  "999" },
	{ { .kdf = { .iterations = 3 } }, FIXTURE_SIZE, "3 iterations" },
	{ { .kdf = { .iterations = 2000000 } },
	  FIXTURE_SIZE,
	  "2000000 iterations" },
	{ { .kdf = { .threads = 5 } }, FIXTURE_SIZE, "5 threads" },
	{ { .kdf = { .time_ms = 600001 } }, FIXTURE_SIZE, "600001 ms" },
	{ { .kdf = { .iterations = 1000000, .memory_kib = 65536 } },
	  FIXTURE_SIZE,
	  "1000000 passes" },
	{ { .kdf = { .memory_kib = 31 } }, FIXTURE_SIZE, "31 KiB" },
	{ { .kdf = { .memory_kib = 4194305 } }, FIXTURE_SIZE, "4194305 KiB" },
	{ { .kdf = { .iterations = 4 } }, 1u << 20, "too few" },
	{ { .kdf = { .iterations = 4 } }, 0, "too few" },
	{ { .kdf = { .iterations = 4 } }, (1u << 20) + 511, "multiple" },
	{ { .cipher = "aes-xts-plain" }, 3ULL << 40, "2 TiB" },
};

START_TEST(test_bad)
{
	struct luks_format what = bad[_i].what;
	int r = luks_format_check(&what, bad[_i].size, &why);

	ck_assert_msg(r == -EDOM, "%d, wanted %s", r, bad[_i].reason);
	ck_assert_msg(strstr(why.text, bad[_i].reason), "%s", why.text);
}
END_TEST

START_TEST(test_not_writable)
{
	struct luks_format what = cheap();
	int fd, ro;
	char path[32];

	fd = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ck_assert_int_eq(ftruncate(fd, FIXTURE_SIZE), 0);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(luks_format_check(&what, FIXTURE_SIZE, &why), 0);
	ck_assert_int_lt(luks_format_write(ro, &what, "x", 1, &why), 0);
	ck_assert_ptr_nonnull(strstr(why.text, "cannot be written"));
	close(ro);
	close(fd);
}
END_TEST

#define LEN(a) ((int)(sizeof(a) / sizeof((a)[0])))

int main(void)
{
	Suite *s = suite_create("luks_format");
	TCase *tc = tcase_create("luks_format");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_shapes, 0, LEN(shapes));
	tcase_add_test(tc, test_under_lock);
	tcase_add_loop_test(tc, test_places, 0, LEN(places));
	tcase_add_loop_test(tc, test_detached, 0, 2);
	tcase_add_loop_test(tc, test_sector_default, 0, LEN(defaults));
	tcase_add_test(tc, test_memory_default);
	tcase_add_loop_test(tc, test_bad, 0, LEN(bad));
	tcase_add_test(tc, test_not_writable);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
