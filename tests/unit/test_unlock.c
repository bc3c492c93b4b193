/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Unlocking and probing containers that libcryptsetup made, whole and not. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypt/unlock.h"
#include "lib/secmem.h"
#include "lib/why.h"
#include "tests/unit/luks_fixture.h"

static struct why why;
static struct volume_info info;
static uint8_t *key;

static void setup(void)
{
	void *p;

	ck_assert_int_eq(secmem_alloc(VOLUME_KEY_MAX, &p), 0);
	key = p;
	memset(&why, 0, sizeof(why));
	memset(&info, 0, sizeof(info));
}

static void teardown(void)
{
	secmem_free(key, VOLUME_KEY_MAX);
}

static int unlock_slot(int fd, const char *passphrase, int slot)
{
	struct volume_request request = VOLUME_REQUEST(fd);

	request.passphrase = passphrase;
	request.passphrase_len = strlen(passphrase);
	request.key_slot = slot;
	return volume_unlock(&request, key, &info, &why);
}

static int unlock(int fd, const char *passphrase)
{
	return unlock_slot(fd, passphrase, VOLUME_ANY_SLOT);
}

static void assert_unlocks(int fd)
{
	uint8_t expected[VOLUME_KEY_MAX];
	int r = unlock(fd, FIXTURE_PASS);

	ck_assert_msg(!r, "%d %s", r, why.text);
	fixture_key(fd, expected, info.key_bytes);
	ck_assert_mem_eq(key, expected, info.key_bytes);
}

static void assert_refused(int fd, const char *reason)
{
	struct volume_info before = info;

	ck_assert_int_eq(volume_probe(&VOLUME_REQUEST(fd), &info, &why),
			 -EINVAL);
	ck_assert_msg(strstr(why.text, reason), "%s", why.text);
	why.text[0] = '\0';
	ck_assert_int_eq(unlock(fd, FIXTURE_PASS), -EINVAL);
	ck_assert_msg(strstr(why.text, reason), "%s", why.text);
	ck_assert_mem_eq(&info, &before, sizeof(info));
}

static const struct {
	uint32_t sector_size;
	uint32_t key_bytes;
} shapes[] = {
	{ 512, 32 },  { 512, 64 },  { 1024, 32 }, { 1024, 64 },
	{ 2048, 32 }, { 2048, 64 }, { 4096, 32 }, { 4096, 64 },
};

START_TEST(test_luks2)
{
	uint32_t sector_size = shapes[_i].sector_size;
	uint32_t key_bytes = shapes[_i].key_bytes;
	int fd = fixture_luks2(sector_size, key_bytes, 64);

	assert_unlocks(fd);
	ck_assert_str_eq(info.cipher, "aes-xts-plain64");
	ck_assert_str_eq(info.type, "LUKS2");
	ck_assert_str_eq(info.label, "fixture");
	ck_assert_uint_eq(strlen(info.uuid), 36);
	ck_assert_str_eq(info.note, "");
	ck_assert_uint_eq(info.key_bytes, key_bytes);
	ck_assert_uint_eq(info.sector_size, sector_size);
	ck_assert_uint_eq(info.data_offset, 16u << 20);
	ck_assert_uint_eq(info.data_size, FIXTURE_SIZE - (16u << 20));
	ck_assert_int_eq(info.key_slot, 0);
	ck_assert(!info.allow_discards);
	close(fd);
}
END_TEST

START_TEST(test_luks1)
{
	int fd = fixture_luks1(_i ? "xts-plain" : "xts-plain64", _i ? 32 : 64);

	assert_unlocks(fd);
	ck_assert_str_eq(info.cipher, _i ? "aes-xts-plain" : "aes-xts-plain64");
	ck_assert_str_eq(info.type, "LUKS1");
	ck_assert_uint_eq(info.key_bytes, _i ? 32 : 64);
	ck_assert_uint_eq(info.sector_size, 512);
	ck_assert_uint_eq(info.data_offset + info.data_size, FIXTURE_SIZE);
	close(fd);
}
END_TEST

START_TEST(test_luks1_other_cipher)
{
	int fd = fixture_luks1("cbc-essiv:sha256", 32);

	assert_refused(fd, "aes-cbc-essiv:sha256");
	close(fd);
}
END_TEST

START_TEST(test_probe)
{
	int fd = fixture_luks2(4096, 64, 64);

	ck_assert_int_eq(volume_probe(&VOLUME_REQUEST(fd), &info, &why), 0);
	ck_assert_uint_eq(info.sector_size, 4096);
	ck_assert_int_eq(info.key_slot, -1);
	close(fd);
}
END_TEST

START_TEST(test_wrong_passphrase)
{
	int fd = fixture_luks2(4096, 64, 64);

	key[0] = 0x5a;
	ck_assert_int_eq(unlock(fd, "wrong"), -EPERM);
	ck_assert_str_ne(why.text, "");
	ck_assert_int_eq(unlock(fd, ""), -EPERM);
	ck_assert_uint_eq(key[0], 0x5a);
	ck_assert_uint_eq(info.key_bytes, 0);
	close(fd);
}
END_TEST

static void add_slot(int fd, int slot, const char *passphrase)
{
	static const struct crypt_pbkdf_type cheap = {
		.type = CRYPT_KDF_PBKDF2,
		.hash = "sha256",
		.iterations = 1000,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_device *cd;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_int_eq(crypt_init(&cd, path), 0);
	ck_assert_int_eq(crypt_load(cd, CRYPT_LUKS2, NULL), 0);
	ck_assert_int_eq(crypt_set_pbkdf_type(cd, &cheap), 0);
	ck_assert_int_eq(crypt_keyslot_add_by_passphrase(
				 cd, slot, FIXTURE_PASS, strlen(FIXTURE_PASS),
				 passphrase, strlen(passphrase)),
			 slot);
	crypt_free(cd);
}

START_TEST(test_second_slot)
{
	int fd = fixture_luks2(4096, 64, 64);

	add_slot(fd, 7, "other");
	ck_assert_int_eq(unlock(fd, "other"), 0);
	ck_assert_int_eq(info.key_slot, 7);
	ck_assert_int_eq(unlock(fd, FIXTURE_PASS), 0);
	ck_assert_int_eq(info.key_slot, 0);
	close(fd);
}
END_TEST

START_TEST(test_wanted_slot)
{
	int fd = fixture_luks2(4096, 64, 64);

	add_slot(fd, 7, "other");
	ck_assert_int_eq(unlock_slot(fd, "other", 7), 0);
	ck_assert_int_eq(info.key_slot, 7);
	ck_assert_int_eq(unlock_slot(fd, FIXTURE_PASS, 7), -EPERM);
	ck_assert_ptr_nonnull(strstr(why.text, "key slot 7 does not open"));
	ck_assert_int_eq(unlock_slot(fd, FIXTURE_PASS, 3), -ENOENT);
	ck_assert_ptr_nonnull(strstr(why.text, "key slot 3"));
	fixture_edit(fd, "\"key_size\":64", "\"priority\":0,\"key_size\":64");
	ck_assert_int_eq(unlock(fd, FIXTURE_PASS), -EPERM);
	ck_assert_int_eq(unlock_slot(fd, FIXTURE_PASS, 0), 0);
	close(fd);
}
END_TEST

/* The image is the same afterwards, whatever is wrong with it. */
START_TEST(test_first_header_damaged)
{
	int fd = fixture_luks2(4096, 64, 64);
	uint8_t expected[64];
	uint64_t sum;

	fixture_key(fd, expected, sizeof(expected));
	fixture_damage(fd, _i ? 0 : 5000, 64);
	sum = fixture_sum(fd);
	ck_assert_int_eq(unlock(fd, FIXTURE_PASS), 0);
	ck_assert_ptr_nonnull(strstr(info.note, "first header is damaged"));
	ck_assert_ptr_nonnull(strstr(info.note, "vcrypt header repair"));
	ck_assert_mem_eq(key, expected, sizeof(expected));
	ck_assert_uint_eq(fixture_sum(fd), sum);
	close(fd);
}
END_TEST

START_TEST(test_second_header_damaged)
{
	int fd = fixture_luks2(4096, 64, 64);
	uint64_t sum;

	fixture_damage(fd, 16384 + 100, 64);
	sum = fixture_sum(fd);
	ck_assert_int_eq(unlock(fd, FIXTURE_PASS), 0);
	ck_assert_ptr_nonnull(strstr(info.note, "second header is damaged"));
	ck_assert_uint_eq(fixture_sum(fd), sum);
	close(fd);
}
END_TEST

START_TEST(test_both_headers_damaged)
{
	int fd = fixture_luks2(4096, 64, 64);

	fixture_damage(fd, 5000, 64);
	fixture_damage(fd, 16384 + 5000, 64);
	assert_refused(fd, "both LUKS2 headers are damaged");
	close(fd);
}
END_TEST

START_TEST(test_read_only)
{
	int fd = fixture_luks2(4096, 64, 64), ro;
	uint64_t sum = fixture_sum(fd);
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(unlock(ro, FIXTURE_PASS), 0);
	ck_assert_int_eq(lseek(ro, 0, SEEK_CUR), 0);
	ck_assert_uint_eq(fixture_sum(fd), sum);
	close(ro);
	close(fd);
}
END_TEST

static const struct {
	uint32_t size; /* bytes */
	const char *reason;
} cuts[] = {
	{ 0, "empty" },
	{ 100, "header is truncated" },
	{ 5000, "damaged, or the image is truncated" },
	{ 20000, "image is truncated" },
	{ 40000, "image is truncated" },
	{ 9u << 20, "image is truncated" },
	{ 16u << 20, "image is truncated" },
	{ (16u << 20) + 100, "image truncated?" },
	{ (18u << 20) + 512, "image truncated?" },
};

START_TEST(test_truncated)
{
	int fd = fixture_luks2(4096, 64, 64);

	ck_assert_int_eq(ftruncate(fd, cuts[_i].size), 0);
	assert_refused(fd, cuts[_i].reason);
	close(fd);
}
END_TEST

/* As a disk would: what is left of the last 512 bytes does not count. */
START_TEST(test_odd_size)
{
	int fd = fixture_luks2(512, 64, 64);

	ck_assert_int_eq(ftruncate(fd, (18u << 20) + 100), 0);
	ck_assert_int_eq(unlock(fd, FIXTURE_PASS), 0);
	ck_assert_uint_eq(info.data_size, 2u << 20);
	close(fd);
}
END_TEST

static const struct {
	uint32_t offset;
	const char *bytes;
	const char *reason;
} strangers[] = {
	{ 3, "-FVE-FS-", "a BitLocker volume" },
	{ 1080, "\x53\xef", "an ext2/3/4 file system" },
	{ 0, "XFSB", "an XFS file system" },
	{ 512, "EFI PART", "a GPT partition table" },
	{ 0, "nothing known", "not a LUKS container" },
	{ 0, "LUKS\xba\xbe", "of a version after 2" },
	{ 0, "LUKS\xde\xad", "re-encryption is under way" },
};

START_TEST(test_not_luks)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	const char *bytes = strangers[_i].bytes;

	ck_assert_int_eq(ftruncate(fd, FIXTURE_SIZE), 0);
	ck_assert_int_eq(pwrite(fd, bytes, strlen(bytes), strangers[_i].offset),
			 (int)strlen(bytes));
	assert_refused(fd, strangers[_i].reason);
	close(fd);
}
END_TEST

START_TEST(test_not_a_file)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_refused(fd, "special file");
	close(fd);
	fd = open("/", O_RDONLY | O_CLOEXEC);
	assert_refused(fd, "directory");
	close(fd);
}
END_TEST

/* Headers that libcryptsetup itself would hand out a key for. */
static const struct {
	const char *find;
	const char *replace;
	const char *reason;
} edits[] = {
	{ "\"area\":{\"type\":\"raw\",\"offset\":\"32768\",\"size\":\"258048\","
	  "\"encryption\":\"aes-xts-plain64\"",
	  "\"area\":{\"type\":\"raw\",\"offset\":\"32768\",\"size\":\"258048\","
	  "\"encryption\":\"cipher_null-ecb\"",
	  "cipher_null-ecb" },
	{ "\"config\":{",
	  "\"config\":{\"requirements\":{\"mandatory\":"
	  "[\"offline-reencrypt\"]},",
	  "re-encryption is under way" },
	{ "\"config\":{",
	  "\"config\":{\"requirements\":{\"mandatory\":"
	  "[\"opal\"]},",
	  "OPAL" },
	{ "\"iv_tweak\":\"0\"", "\"iv_tweak\":\"8\"", "IV starts at 8" },
	{ "\"size\":\"dynamic\"", "\"size\":\"1048576\"", "fixed size" },
	{ "\"encryption\":\"aes-xts-plain64\",\"sector_size\"",
	  "\"encryption\":\"serpent-xts-plain64\",\"sector_size\"",
	  "serpent-xts-plain64" },
	{ "\"type\":\"crypt\"", "\"type\":\"hw-opal-crypt\"", "hw-opal-crypt" },
	{ "\"sector_size\":4096",
	  "\"sector_size\":4096,\"integrity\":{"
	  "\"type\":\"hmac(sha256)\",\"journal_encryption\":\"none\","
	  "\"journal_integrity\":\"none\"}",
	  "integrity" },
	{ "\"time\":4", "\"time\":2000000000", "take hours" },
	{ "\"memory\":64", "\"memory\":2000000000", "MiB of memory" },
};

START_TEST(test_unservable)
{
	int fd = fixture_luks2(4096, 64, 64);

	fixture_edit(fd, edits[_i].find, edits[_i].replace);
	assert_refused(fd, edits[_i].reason);
	close(fd);
}
END_TEST

START_TEST(test_discards)
{
	int fd = fixture_luks2(4096, 64, 64);

	fixture_edit(fd, "\"config\":{",
		     "\"config\":{\"flags\":[\"allow-discards\"],");
	ck_assert_int_eq(unlock(fd, FIXTURE_PASS), 0);
	ck_assert(info.allow_discards);
	close(fd);
}
END_TEST

START_TEST(test_dump)
{
	int fd = fixture_luks2(4096, 64, 64);
	char *text;

	ck_assert_int_eq(volume_dump(&VOLUME_REQUEST(fd), VOLUME_DUMP_TEXT,
				     &text, &why),
			 0);
	ck_assert_ptr_nonnull(strstr(text, "argon2id"));
	ck_assert_ptr_nonnull(strstr(text, "Served by vcrypt: yes\n"));
	free(text);
	ck_assert_int_eq(volume_dump(&VOLUME_REQUEST(fd), VOLUME_DUMP_JSON,
				     &text, &why),
			 0);
	ck_assert_ptr_nonnull(strstr(text, "\"servable\":true"));
	ck_assert_ptr_nonnull(strstr(text, "\"keyslots\""));
	free(text);
	close(fd);
}
END_TEST

/* What cannot be served can still be looked at. */
START_TEST(test_dump_unservable)
{
	int fd = fixture_luks2(4096, 64, 64);
	char *text;

	fixture_edit(fd, "\"iv_tweak\":\"0\"", "\"iv_tweak\":\"8\"");
	ck_assert_int_eq(volume_dump(&VOLUME_REQUEST(fd), VOLUME_DUMP_TEXT,
				     &text, &why),
			 0);
	ck_assert_ptr_nonnull(strstr(text, "Served by vcrypt: no, the data"));
	free(text);
	ck_assert_int_eq(volume_dump(&VOLUME_REQUEST(fd), VOLUME_DUMP_JSON,
				     &text, &why),
			 0);
	ck_assert_ptr_nonnull(strstr(text, "\"servable\":false"));
	free(text);
	close(fd);
}
END_TEST

/* Nothing in a header speaks to the terminal. */
START_TEST(test_dump_control_characters)
{
	int fd = fixture_luks2(4096, 64, 64);
	char *text, *p;

	fixture_edit(fd, "\"tokens\":{}",
		     "\"tokens\":{\"0\":{\"type\":"
		     "\"x\\u001b[31m\",\"keyslots\":[]}}");
	ck_assert_int_eq(volume_dump(&VOLUME_REQUEST(fd), VOLUME_DUMP_TEXT,
				     &text, &why),
			 0);
	for (p = text; *p; p++)
		ck_assert(*p >= 0x20 || *p == '\n' || *p == '\t');
	free(text);
	close(fd);
}
END_TEST

START_TEST(test_dump_luks1)
{
	int fd = fixture_luks1("xts-plain64", 64);
	char *text;

	ck_assert_int_eq(volume_dump(&VOLUME_REQUEST(fd), VOLUME_DUMP_TEXT,
				     &text, &why),
			 0);
	ck_assert_ptr_nonnull(strstr(text, "xts-plain64"));
	ck_assert_ptr_null(strstr(text, "/proc/self"));
	free(text);
	ck_assert_int_eq(volume_dump(&VOLUME_REQUEST(fd), VOLUME_DUMP_JSON,
				     &text, &why),
			 0);
	ck_assert_ptr_nonnull(strstr(text, "\"type\":\"LUKS1\""));
	free(text);
	close(fd);
}
END_TEST

START_TEST(test_dump_refused)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	char *text = NULL;

	ck_assert_int_eq(ftruncate(fd, FIXTURE_SIZE), 0);
	ck_assert_int_eq(volume_dump(&VOLUME_REQUEST(fd), VOLUME_DUMP_TEXT,
				     &text, &why),
			 -EINVAL);
	ck_assert_ptr_null(text);
	close(fd);
}
END_TEST

#define LEN(a) ((int)(sizeof(a) / sizeof((a)[0])))

int main(void)
{
	Suite *s = suite_create("unlock");
	TCase *tc = tcase_create("unlock");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_luks2, 0, LEN(shapes));
	tcase_add_loop_test(tc, test_luks1, 0, 2);
	tcase_add_test(tc, test_luks1_other_cipher);
	tcase_add_test(tc, test_probe);
	tcase_add_test(tc, test_wrong_passphrase);
	tcase_add_test(tc, test_second_slot);
	tcase_add_test(tc, test_wanted_slot);
	tcase_add_loop_test(tc, test_first_header_damaged, 0, 2);
	tcase_add_test(tc, test_second_header_damaged);
	tcase_add_test(tc, test_both_headers_damaged);
	tcase_add_test(tc, test_read_only);
	tcase_add_loop_test(tc, test_truncated, 0, LEN(cuts));
	tcase_add_test(tc, test_odd_size);
	tcase_add_loop_test(tc, test_not_luks, 0, LEN(strangers));
	tcase_add_test(tc, test_not_a_file);
	tcase_add_loop_test(tc, test_unservable, 0, LEN(edits));
	tcase_add_test(tc, test_discards);
	tcase_add_test(tc, test_dump);
	tcase_add_test(tc, test_dump_unservable);
	tcase_add_test(tc, test_dump_control_characters);
	tcase_add_test(tc, test_dump_luks1);
	tcase_add_test(tc, test_dump_refused);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
