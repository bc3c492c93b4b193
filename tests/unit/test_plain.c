/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Plain volumes: their geometry, and keys as cryptsetup makes them. */
#include <check.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypt/plain.h"
#include "lib/secmem.h"
#include "lib/why.h"

#define IMAGE_SIZE (1u << 20) /* bytes */
#define LEN(a)	   ((int)(sizeof(a) / sizeof((a)[0])))

static struct volume_info info;
static struct why why;
static uint8_t *key;
static int fd;

static void setup(void)
{
	void *p;

	ck_assert_int_eq(secmem_alloc(VOLUME_KEY_MAX, &p), 0);
	key = p;
	fd = memfd_create("image", MFD_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, IMAGE_SIZE), 0);
}

static void teardown(void)
{
	secmem_free(key, VOLUME_KEY_MAX);
	close(fd);
}

static struct plain_params usual(void)
{
	return (struct plain_params){
		.cipher = "aes-xts-plain64",
		.key_bytes = 64,
		.sector_size = 512,
		.hash = "sha256",
	};
}

START_TEST(test_geometry)
{
	struct plain_params p = usual();

	ck_assert_int_eq(plain_probe(fd, &p, false, &info, &why), 0);
	ck_assert_str_eq(info.type, "PLAIN");
	ck_assert_str_eq(info.cipher, "aes-xts-plain64");
	ck_assert_uint_eq(info.key_bytes, 64);
	ck_assert_uint_eq(info.data_offset, 0);
	ck_assert_uint_eq(info.data_size, IMAGE_SIZE);
	ck_assert_uint_eq(info.iv_offset, 0);
	p.offset = 16;
	p.skip = 8;
	p.size = 80;
	p.sector_size = 4096;
	p.key_bytes = 32;
	ck_assert_int_eq(plain_probe(fd, &p, false, &info, &why), 0);
	ck_assert_uint_eq(info.data_offset, 8192);
	ck_assert_uint_eq(info.data_size, 40960);
	ck_assert_uint_eq(info.iv_offset, 8);
	ck_assert_uint_eq(info.sector_size, 4096);
	ck_assert_uint_eq(info.key_bytes, 32);
}
END_TEST

static const struct {
	struct plain_params p;
	int err;
	const char *says;
} wrong[] = {
	{ { "serpent-xts-plain64", 64, 512 }, -EDOM, "serpent" },
	{ { "aes-cbc-essiv:sha256", 32, 512 }, -EDOM, "aes-cbc" },
	{ { "aes-xts-plain64", 16, 512 }, -EDOM, "256 or 512" },
	{ { "aes-xts-plain64", 64, 520 }, -EDOM, "--sector-size" },
	{ { "aes-xts-plain64", 64, 4096, 1 }, -EDOM, "multiples of 8" },
	{ { "aes-xts-plain64", 64, 4096, 0, 4 }, -EDOM, "multiples of 8" },
	{ { "aes-xts-plain64", 64, 1024, 0, 0, 3 }, -EDOM, "multiples of 2" },
	{ { "aes-xts-plain64", 64, 512, UINT64_MAX }, -EDOM, "too large" },
	{ { "aes-xts-plain64", 64, 512, 0, UINT64_MAX }, -EDOM, "too large" },
	{ { "aes-xts-plain64", 64, 512, 0, 0, 1ULL << 56 }, -EDOM, "large" },
	{ { "aes-xts-plain64", 64, 512, 2048 }, -EINVAL, "ends at byte" },
	{ { "aes-xts-plain64", 64, 512, 2000, 0, 49 }, -EINVAL, "ends at" },
};

START_TEST(test_wrong)
{
	struct volume_info before = info;

	ck_assert_int_eq(plain_probe(fd, &wrong[_i].p, true, &info, &why),
			 wrong[_i].err);
	ck_assert_msg(strstr(why.text, wrong[_i].says), "%s", why.text);
	ck_assert_mem_eq(&info, &before, sizeof(info));
}
END_TEST

START_TEST(test_odd_size)
{
	struct plain_params p = usual();

	ck_assert_int_eq(ftruncate(fd, IMAGE_SIZE + 700), 0);
	ck_assert_int_eq(plain_probe(fd, &p, false, &info, &why), 0);
	ck_assert_uint_eq(info.data_size, IMAGE_SIZE + 512);
	p.sector_size = 4096;
	ck_assert_int_eq(plain_probe(fd, &p, false, &info, &why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "multiple of the sector size"));
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(plain_probe(fd, &p, false, &info, &why), -EINVAL);
	ck_assert_int_eq(ftruncate(fd, 3LL << 40), 0);
	p = usual();
	p.cipher = "aes-xts-plain";
	ck_assert_int_eq(plain_probe(fd, &p, false, &info, &why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "2 TiB"));
}
END_TEST

static const struct {
	uint32_t at;
	const char *bytes;
	const char *says;
} known[] = {
	{ 0, "LUKS\xba\xbe", "a LUKS container" },
	{ 16384, "SKUL\xba\xbe", "a LUKS2 container with a damaged header" },
	{ 1080, "\x53\xef", "an ext2/3/4 file system" },
	{ 512, "EFI PART", "a GPT partition table" },
	/* At the start of the data. */
	{ 65536, "XFSB", "an XFS file system" },
};

/* Nothing is overwritten that looks like something. */
START_TEST(test_known)
{
	struct plain_params p = usual();
	size_t len = strlen(known[_i].bytes);

	p.offset = 128;
	ck_assert_int_eq(pwrite(fd, known[_i].bytes, len, known[_i].at),
			 (int)len);
	ck_assert_int_eq(plain_probe(fd, &p, false, &info, &why), -EINVAL);
	ck_assert_msg(strstr(why.text, known[_i].says), "%s", why.text);
	ck_assert_ptr_nonnull(strstr(why.text, "--force-plain"));
	ck_assert_int_eq(plain_probe(fd, &p, true, &info, &why), 0);
}
END_TEST

/*
 * A round is the hash of so many 'A's, one more each time, and the passphrase:
 * cryptsetup's lib/crypt_plain.c.
 */
static void expected_key(const EVP_MD *md, const char *pass, size_t len,
			 uint8_t ret[64])
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	size_t at, n, round = 0;
	unsigned int size;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t i;

	for (at = 0; at < len; at += n) {
		EVP_DigestInit_ex(ctx, md, NULL);
		for (i = 0; i < round; i++)
			EVP_DigestUpdate(ctx, "A", 1);
		EVP_DigestUpdate(ctx, pass, strlen(pass));
		EVP_DigestFinal_ex(ctx, sum, &size);
		n = size < len - at ? size : len - at;
		memcpy(ret + at, sum, n);
		round++;
	}
	EVP_MD_CTX_free(ctx);
}

static const struct {
	const char *name;
	uint32_t key_bytes;
} hashes[] = {
	{ "sha1", 32 },	  { "sha1", 64 },   { "sha256", 32 },
	{ "sha256", 64 }, { "sha512", 32 }, { "sha512", 64 },
};

START_TEST(test_hash)
{
	struct plain_params p = usual();
	uint8_t expected[64];

	p.hash = hashes[_i].name;
	p.key_bytes = hashes[_i].key_bytes;
	expected_key(EVP_get_digestbyname(p.hash), "pass", p.key_bytes,
		     expected);
	ck_assert_msg(!plain_hash(fd, &p, "pass", 4, key, &why), "%s",
		      why.text);
	ck_assert_mem_eq(key, expected, p.key_bytes);
}
END_TEST

START_TEST(test_hash_plain)
{
	static const char long_one[] = "0123456789012345678901234567890123456"
				       "789012345678901234567890123456789";
	static const uint8_t zeroes[64];
	struct plain_params p = usual();

	p.hash = "plain";
	ck_assert_int_eq(plain_hash(fd, &p, "pass", 4, key, &why), 0);
	ck_assert_mem_eq(key, "pass", 4);
	ck_assert_mem_eq(key + 4, zeroes, 60);
	ck_assert_int_eq(
		plain_hash(fd, &p, long_one, strlen(long_one), key, &why), 0);
	ck_assert_mem_eq(key, long_one, 64);
}
END_TEST

START_TEST(test_hash_unknown)
{
	struct plain_params p = usual();

	key[0] = 0x5a;
	p.hash = "md17";
	ck_assert_int_eq(plain_hash(fd, &p, "pass", 4, key, &why), -EDOM);
	ck_assert_msg(strstr(why.text, "--hash md17"), "%s", why.text);
	ck_assert_uint_eq(key[0], 0x5a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plain");
	TCase *tc = tcase_create("plain");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_geometry);
	tcase_add_loop_test(tc, test_wrong, 0, LEN(wrong));
	tcase_add_test(tc, test_odd_size);
	tcase_add_loop_test(tc, test_known, 0, LEN(known));
	tcase_add_loop_test(tc, test_hash, 0, LEN(hashes));
	tcase_add_test(tc, test_hash_plain);
	tcase_add_test(tc, test_hash_unknown);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
