/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Headers that are copied, kept, put back, repaired, converted, destroyed. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt/header_copy.h"
#include "crypt/header_restore.h"
#include "crypt/luks_erase.h"
#include "crypt/luks_image.h"
#include "lib/why.h"
#include "tests/unit/luks_fixture.h"

#define LEN(a) ((int)(sizeof(a) / sizeof((a)[0])))

static struct why why;
static struct header_copy copy;
static unsigned int parts;

static void setup(void)
{
	memset(&why, 0, sizeof(why));
	copy.fd = -1;
	parts = 0;
}

static void teardown(void)
{
	header_copy_drop(&copy);
}

static void take(int image)
{
	int r = header_copy_take(&VOLUME_HEADER(image), &copy, &why);

	ck_assert_msg(!r, "%d %s", r, why.text);
}

static void write_back(int image, unsigned int expected)
{
	int r = header_copy_write(&copy, image, &parts, &why);

	ck_assert_msg(!r, "%d %s", r, why.text);
	ck_assert_uint_eq(parts, expected);
}

static const struct {
	uint64_t offset; /* bytes; of what is damaged */
	unsigned int part;
} damages[] = {
	{ 0, HEADER_FIRST },
	{ 5000, HEADER_FIRST },
	{ 16384 + 100, HEADER_SECOND },
	{ 16384 + 5000, HEADER_SECOND },
};

/* Only the header that is damaged is written. */
START_TEST(test_repair)
{
	int image = fixture_luks2(4096, 64, 64);
	struct volume_info info;

	fixture_damage(image, damages[_i].offset, 64);
	take(image);
	write_back(image, damages[_i].part);
	ck_assert_int_eq(volume_probe(&VOLUME_REQUEST(image), &info, &why), 0);
	ck_assert_str_eq(info.note, "");
	write_back(image, 0);
	close(image);
}
END_TEST

START_TEST(test_restore)
{
	int image = _i ? fixture_luks1("xts-plain64", 64)
		       : fixture_luks2(4096, 64, 64);
	uint64_t sum = fixture_sum(image);

	take(image);
	fixture_damage(image, 0, 592);
	fixture_damage(image, _i ? 4096 : 16384, 100);
	fixture_damage(image, copy.info.header_size - 512, 512);
	write_back(image,
		   HEADER_FIRST | HEADER_SLOTS | (_i ? 0 : HEADER_SECOND));
	ck_assert_uint_eq(fixture_sum(image), sum);
	close(image);
}
END_TEST

/* Where the disk ends in the middle, it can be done again. */
START_TEST(test_write_fails)
{
	struct rlimit lim = { 1 << 20, RLIM_INFINITY };
	int image = fixture_luks2(4096, 64, 64);
	uint64_t sum = fixture_sum(image);
	struct volume_info info;

	signal(SIGXFSZ, SIG_IGN);
	take(image);
	fixture_damage(image, copy.info.header_size - 512, 512);
	fixture_damage(image, 0, 64);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &lim), 0);
	ck_assert_int_eq(header_copy_write(&copy, image, &parts, &why), -EFBIG);
	ck_assert_ptr_nonnull(strstr(why.text, "cannot be written"));
	lim.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &lim), 0);
	ck_assert_int_eq(volume_probe(&VOLUME_REQUEST(image), &info, &why), 0);
	write_back(image, HEADER_FIRST | HEADER_SLOTS);
	ck_assert_uint_eq(fixture_sum(image), sum);
	close(image);
}
END_TEST

/* Whoever holds the lock of cryptsetup is not waited for without end. */
START_TEST(test_flock)
{
	char path[] = "/tmp/vcrypt-header-XXXXXX";
	int image = fixture_luks2(4096, 64, 64), fd, other;

	take(image);
	fd = mkstemp(path);
	other = open(path, O_RDWR | O_CLOEXEC);
	unlink(path);
	ck_assert_int_eq(flock(other, LOCK_EX), 0);
	ck_assert_int_eq(header_copy_write(&copy, fd, &parts, &why), -EBUSY);
	ck_assert_int_eq(luks_image_flock(fd, true, &why), -EBUSY);
	ck_assert_ptr_nonnull(strstr(why.text, "has the header locked"));
	close(other);
	ck_assert_int_eq(header_copy_write(&copy, fd, &parts, &why), 0);
	close(fd);
	close(image);
}
END_TEST

START_TEST(test_save)
{
	char folder[] = "/tmp/vcrypt-header-XXXXXX", path[64];
	int image = fixture_luks2(4096, 64, 64);
	struct rlimit lim = { 1 << 20, RLIM_INFINITY };
	struct stat st;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/backup", folder);
	take(image);
	ck_assert_int_eq(header_copy_save(&copy, path, &why), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_uint_eq((uint64_t)st.st_size, copy.info.header_size);
	ck_assert_int_eq(header_copy_save(&copy, path, &why), -EEXIST);
	ck_assert_int_eq(stat(path, &st), 0);
	unlink(path);
	/* Nothing is left of a backup that could not be finished. */
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &lim), 0);
	ck_assert_int_eq(header_copy_save(&copy, path, &why), -EFBIG);
	ck_assert_int_lt(stat(path, &st), 0);
	rmdir(folder);
	ck_assert_int_eq(header_copy_save(&copy, path, &why), -ENOENT);
	close(image);
}
END_TEST

/* A damaged header is saved whole. */
START_TEST(test_settled)
{
	int image = fixture_luks2(4096, 64, 64);
	struct volume_info info;

	fixture_damage(image, 5000, 64);
	take(image);
	ck_assert_int_eq(volume_probe(&VOLUME_HEADER(copy.fd), &info, &why), 0);
	ck_assert_str_eq(info.note, "");
	close(image);
}
END_TEST

START_TEST(test_convert)
{
	int image = fixture_luks1("xts-plain64", 64);
	uint8_t before[64], after[64];

	fixture_key(image, before, sizeof(before));
	take(image);
	ck_assert_int_eq(header_copy_convert(&copy, "LUKS2", &why), 0);
	ck_assert_str_eq(copy.info.type, "LUKS2");
	write_back(image, HEADER_FIRST | HEADER_SECOND | HEADER_SLOTS);
	fixture_key(image, after, sizeof(after));
	ck_assert_mem_eq(before, after, sizeof(after));
	close(image);
}
END_TEST

/* LUKS1 ends sooner, and nothing of what was behind that is left. */
START_TEST(test_convert_back)
{
	static const struct crypt_pbkdf_type cheap = {
		.type = CRYPT_KDF_PBKDF2,
		.hash = "sha256",
		.iterations = 1000,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_params_luks2 params = { .pbkdf = &cheap,
					     .sector_size = 512 };
	int image = fixture_format(CRYPT_LUKS2, "xts-plain64", 64, &params);
	uint8_t before[64], after[64];
	uint64_t span;
	void *is, *wanted;

	fixture_key(image, before, sizeof(before));
	take(image);
	span = copy.info.header_size;
	ck_assert_int_eq(header_copy_convert(&copy, "LUKS1", &why), 0);
	ck_assert_uint_lt(copy.info.header_size, span);
	ck_assert_uint_eq(copy.span, span);
	ck_assert_int_eq(header_copy_write(&copy, image, &parts, &why), 0);
	fixture_key(image, after, sizeof(after));
	ck_assert_mem_eq(before, after, sizeof(after));
	is = mmap(NULL, span, PROT_READ, MAP_SHARED, image, 0);
	wanted = mmap(NULL, span, PROT_READ, MAP_SHARED, copy.fd, 0);
	ck_assert_int_eq(memcmp(is, wanted, span), 0);
	munmap(is, span);
	munmap(wanted, span);
	close(image);
}
END_TEST

START_TEST(test_convert_refused)
{
	int image = fixture_luks2(4096, 64, 64);
	uint64_t sum = fixture_sum(image);

	take(image);
	ck_assert_int_eq(header_copy_convert(&copy, "LUKS1", &why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "cannot be converted"));
	ck_assert_uint_eq(fixture_sum(image), sum);
	close(image);
}
END_TEST

/* Not a byte of the key slots is where it was. */
START_TEST(test_erase)
{
	int image = _i ? fixture_luks1("xts-plain64", 64)
		       : fixture_luks2(4096, 64, 64);
	struct volume_info info;
	unsigned int slots = 9, same = 0, i;
	uint8_t *before, *after;
	size_t len;

	take(image);
	len = copy.info.header_size;
	before = mmap(NULL, len, PROT_READ, MAP_SHARED, copy.fd, 0);
	after = mmap(NULL, len, PROT_READ, MAP_SHARED, image, 0);
	ck_assert_int_eq(luks_erase(image, NULL, &slots, &why), 0);
	ck_assert_uint_eq(slots, 1);
	for (i = copy.info.slots_offset; i < len; i += 16)
		same += !memcmp(before + i, after + i, 16) &&
			memcmp(before + i, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
			       16) != 0;
	ck_assert_uint_eq(same, 0);
	ck_assert_int_eq(volume_probe(&VOLUME_REQUEST(image), &info, &why),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "no key slot is left"));
	ck_assert_int_eq(luks_erase(image, NULL, &slots, &why), 0);
	ck_assert_uint_eq(slots, 0);
	munmap(before, len);
	munmap(after, len);
	close(image);
}
END_TEST

START_TEST(test_erase_readonly)
{
	int image = fixture_luks2(4096, 64, 64), fd;
	unsigned int slots;
	char path[32];

	take(image);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", image);
	ck_assert_int_eq(fchmod(image, 0400), 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	fixture_erase(image);
	ck_assert_int_lt(luks_erase(fd, NULL, &slots, &why), 0);
	ck_assert_str_ne(why.text, "");
	close(fd);
	close(image);
}
END_TEST

#define MIB (1ULL << 20)

static const struct volume_info one = {
	.cipher = "aes-xts-plain64",
	.type = "LUKS2",
	.uuid = "one",
	.key_bytes = 64,
	.sector_size = 4096,
	.header_size = 16 * MIB,
	.data_offset = 16 * MIB,
};

START_TEST(test_differences)
{
	struct volume_info other = one;
	char text[400];

	header_restore_differences(&one, &one, text, sizeof(text));
	ck_assert_str_eq(text, "");
	other.key_bytes = 0;
	header_restore_differences(&other, &one, text, sizeof(text));
	ck_assert_str_eq(text, "");
	other = (struct volume_info){
		.cipher = "aes-xts-plain",
		.type = "LUKS2",
		.uuid = "two",
		.digest = { 1 },
		.key_bytes = 32,
		.sector_size = 512,
		.data_offset = 4 * MIB,
	};
	header_restore_differences(&other, &one, text, sizeof(text));
	ck_assert_str_eq(text, "UUID one, not two; another volume key; data"
			       " offset 16777216, not 4194304; sectors of 4096"
			       " bytes, not 512; cipher aes-xts-plain64, not"
			       " aes-xts-plain; a key of 512 bits, not 256");
	strcpy(other.type, "LUKS1");
	header_restore_differences(&other, &one, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "; LUKS2, not LUKS1; data"));
	/* However long, it ends. */
	header_restore_differences(&other, &one, text, 20);
	ck_assert_uint_lt(strlen(text), 20);
}
END_TEST

static const struct {
	uint64_t header_size, data_offset, image; /* MiB */
	bool detached;
	const char *reason; /* NULL: good */
} fits[] = {
	{ 16, 16, 20, false, NULL },
	{ 16, 16, 20, true, NULL },
	{ 16, 0, 20, true, NULL },
	{ 16, 0, 20, false, "detached" },
	{ 16, 8, 20, false, "where its key slots are" },
	{ 16, 16, 16, false, "not for an image of 16777216" },
	{ 16, 16, 0, true, "not for an image of 0" },
};

START_TEST(test_fits)
{
	struct volume_info info = one;
	int r;

	info.header_size = fits[_i].header_size * MIB;
	info.data_offset = fits[_i].data_offset * MIB;
	r = header_restore_check(&info, fits[_i].detached, fits[_i].image * MIB,
				 &why);
	ck_assert_int_eq(r, fits[_i].reason ? -EINVAL : 0);
	if (fits[_i].reason)
		ck_assert_msg(strstr(why.text, fits[_i].reason), "%s",
			      why.text);
	else
		ck_assert_int_eq(
			header_restore_check(&info, fits[_i].detached,
					     fits[_i].image * MIB + 512, &why),
			-EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("header_copy");
	TCase *tc = tcase_create("header_copy");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_repair, 0, LEN(damages));
	tcase_add_loop_test(tc, test_restore, 0, 2);
	tcase_add_test(tc, test_write_fails);
	tcase_add_test(tc, test_flock);
	tcase_add_test(tc, test_save);
	tcase_add_test(tc, test_settled);
	tcase_add_test(tc, test_convert);
	tcase_add_test(tc, test_convert_back);
	tcase_add_test(tc, test_convert_refused);
	tcase_add_loop_test(tc, test_erase, 0, 2);
	tcase_add_test(tc, test_erase_readonly);
	tcase_add_test(tc, test_differences);
	tcase_add_loop_test(tc, test_fits, 0, LEN(fits));
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
