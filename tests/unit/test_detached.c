/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Headers whose data are in another file, and pairs that do not belong. */
#include <check.h>
#include <errno.h>
#include <libcryptsetup.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypt/unlock.h"
#include "lib/secmem.h"
#include "lib/why.h"
#include "tests/unit/luks_fixture.h"

#define DATA_SIZE (8u << 20)
#define OFFSET	  (4u << 20)

static struct why why;
static struct volume_info info;
static int data;

static void setup(void)
{
	data = memfd_create("data", MFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(data, DATA_SIZE), 0);
	memset(&info, 0, sizeof(info));
}

static void teardown(void)
{
	close(data);
}

static int probe(int header)
{
	struct volume_request request = VOLUME_REQUEST(header);

	request.data_fd = data;
	return volume_probe(&request, &info, &why);
}

static const struct {
	const char *type;
	uint32_t offset; /* bytes */
} shapes[] = {
	{ CRYPT_LUKS2, 0 },
	{ CRYPT_LUKS2, OFFSET },
	{ CRYPT_LUKS1, 0 },
	{ CRYPT_LUKS1, OFFSET },
};

#define LEN(a) ((int)(sizeof(a) / sizeof((a)[0])))

START_TEST(test_unlock)
{
	int header = fixture_detached(shapes[_i].type, shapes[_i].offset);
	struct volume_request request = VOLUME_REQUEST(header);
	uint8_t expected[64];
	void *key;

	ck_assert_int_eq(secmem_alloc(VOLUME_KEY_MAX, &key), 0);
	request.data_fd = data;
	request.passphrase = FIXTURE_PASS;
	request.passphrase_len = strlen(FIXTURE_PASS);
	ck_assert_msg(!volume_unlock(&request, key, &info, &why), "%s",
		      why.text);
	fixture_key(header, expected, sizeof(expected));
	ck_assert_mem_eq(key, expected, sizeof(expected));
	ck_assert(info.detached);
	ck_assert_str_eq(info.type, shapes[_i].type);
	ck_assert_uint_eq(info.data_offset, shapes[_i].offset);
	ck_assert_uint_eq(info.data_size, DATA_SIZE - shapes[_i].offset);
	secmem_free(key, VOLUME_KEY_MAX);
	close(header);
}
END_TEST

/* Data of any size will do, but none and a part of a sector. */
START_TEST(test_sizes)
{
	int header = fixture_detached(CRYPT_LUKS2, OFFSET);

	ck_assert_int_eq(ftruncate(data, OFFSET + 512), 0);
	ck_assert_int_eq(probe(header), 0);
	ck_assert_uint_eq(info.data_size, 512);
	ck_assert_int_eq(ftruncate(data, OFFSET), 0);
	ck_assert_int_eq(probe(header), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "image is truncated"));
	ck_assert_int_eq(ftruncate(data, 0), 0);
	ck_assert_int_eq(probe(header), -EINVAL);
	ck_assert_int_eq(ftruncate(header, 32768), 0);
	ck_assert_int_eq(probe(header), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "its key slots at"));
	close(header);
}
END_TEST

/* The start of a whole container, as a backup of its header is. */
static void copy_start(int from, int to, size_t len)
{
	void *p = mmap(NULL, len, PROT_READ, MAP_SHARED, from, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	ck_assert_int_eq(pwrite(to, p, len, 0), (ssize_t)len);
	munmap(p, len);
}

START_TEST(test_backup_as_header)
{
	int image = fixture_luks2(4096, 64, 64);
	int backup = memfd_create("backup", MFD_CLOEXEC);
	struct volume_request request = VOLUME_REQUEST(backup);

	copy_start(image, backup, 16u << 20);
	fixture_damage(image, 5000, 64);
	fixture_damage(image, 16384 + 5000, 64);
	request.data_fd = image;
	ck_assert_int_eq(volume_probe(&request, &info, &why), 0);
	ck_assert_uint_eq(info.data_offset, 16u << 20);
	ck_assert_uint_eq(info.data_size, FIXTURE_SIZE - (16u << 20));
	close(image);
	close(backup);
}
END_TEST

START_TEST(test_wrong_pair)
{
	int other = fixture_luks2(4096, 64, 64);
	int header = fixture_detached(CRYPT_LUKS2, 0);

	copy_start(other, data, 65536);
	ck_assert_int_eq(probe(header), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "a header of its own"));
	/* Even if it is the very same. */
	copy_start(header, data, 65536);
	ck_assert_int_eq(probe(header), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "where the detached header"));
	close(other);
	close(header);
}
END_TEST

START_TEST(test_header_alone)
{
	int header = fixture_detached(shapes[_i].type, shapes[_i].offset);
	struct volume_request alone = VOLUME_HEADER(header);

	ck_assert_int_eq(volume_probe(&alone, &info, &why), 0);
	ck_assert_uint_eq(info.data_offset, shapes[_i].offset);
	ck_assert_uint_eq(info.data_size, 0);
	ck_assert_uint_gt(info.header_size, 512 << 10);
	/* An image has data, and they do not start where the header does. */
	ck_assert_int_eq(volume_probe(&VOLUME_REQUEST(header), &info, &why),
			 shapes[_i].offset ? 0 : -EINVAL);
	if (!shapes[_i].offset)
		ck_assert_ptr_nonnull(strstr(why.text, "detached header"));
	close(header);
}
END_TEST

START_TEST(test_erased_header_alone)
{
	int image = fixture_luks2(4096, 64, 64);

	fixture_erase(image);
	ck_assert_int_eq(volume_probe(&VOLUME_REQUEST(image), &info, &why),
			 -EINVAL);
	ck_assert_int_eq(volume_probe(&VOLUME_HEADER(image), &info, &why), 0);
	ck_assert_uint_eq(info.key_bytes, 0);
	close(image);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("detached");
	TCase *tc = tcase_create("detached");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_unlock, 0, LEN(shapes));
	tcase_add_test(tc, test_sizes);
	tcase_add_test(tc, test_backup_as_header);
	tcase_add_test(tc, test_wrong_pair);
	tcase_add_loop_test(tc, test_header_alone, 0, LEN(shapes));
	tcase_add_test(tc, test_erased_header_alone);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
