/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* LUKS containers in memory: see luks_fixture.h. */
#include <check.h>
#include <libcryptsetup.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/luks_fixture.h"

#define HEADER_SIZE 16384u /* bytes of one copy, as libcryptsetup makes it */
#define JSON_OFFSET 4096u
#define SUM_OFFSET  448u

static const struct crypt_pbkdf_type cheap_pbkdf2 = {
	.type = CRYPT_KDF_PBKDF2,
	.hash = "sha256",
	.iterations = 1000,
	.flags = CRYPT_PBKDF_NO_BENCHMARK,
};

static struct crypt_device *init(int fd)
{
	struct crypt_device *cd;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_int_eq(crypt_init(&cd, path), 0);
	return cd;
}

static void format(struct crypt_device *cd, const char *type, const char *mode,
		   size_t key_bytes, void *params)
{
	if (!strcmp(type, CRYPT_LUKS1))
		ck_assert_int_eq(crypt_set_pbkdf_type(cd, &cheap_pbkdf2), 0);
	ck_assert_int_eq(crypt_format(cd, type, "aes", mode, NULL, NULL,
				      key_bytes, params),
			 0);
	ck_assert_int_eq(crypt_keyslot_add_by_volume_key(cd, 0, NULL, 0,
							 FIXTURE_PASS,
							 strlen(FIXTURE_PASS)),
			 0);
	crypt_free(cd);
}

int fixture_format(const char *type, const char *mode, size_t key_bytes,
		   void *params)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, FIXTURE_SIZE), 0);
	format(init(fd), type, mode, key_bytes, params);
	return fd;
}

int fixture_detached(const char *type, uint64_t data_offset)
{
	bool two = !strcmp(type, CRYPT_LUKS2);
	struct crypt_params_luks1 one_params = { .hash = "sha256" };
	struct crypt_params_luks2 params = { .pbkdf = &cheap_pbkdf2,
					     .sector_size = 512 };
	int fd = memfd_create("header", MFD_CLOEXEC);
	int data_fd = memfd_create("data", MFD_CLOEXEC);
	struct crypt_device *cd;
	char path[32], data_path[32];

	ck_assert_int_eq(ftruncate(fd, FIXTURE_SIZE), 0);
	ck_assert_int_eq(ftruncate(data_fd, FIXTURE_SIZE), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	snprintf(data_path, sizeof(data_path), "/proc/self/fd/%d", data_fd);
	ck_assert_int_eq(crypt_init_data_device(&cd, path, data_path), 0);
	ck_assert_int_eq(crypt_set_data_offset(cd, data_offset / 512), 0);
	format(cd, type, "xts-plain64", 64,
	       two ? (void *)&params : (void *)&one_params);
	close(data_fd);
	return fd;
}

int fixture_luks2(uint32_t sector_size, size_t key_bytes, uint32_t memory_kib)
{
	const struct crypt_pbkdf_type pbkdf = {
		.type = CRYPT_KDF_ARGON2ID,
		.iterations = 4,
		.max_memory_kb = memory_kib,
		.parallel_threads = 2,
		.hash = "sha256",
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_params_luks2 params = {
		.pbkdf = &pbkdf,
		.sector_size = sector_size,
		.label = "fixture",
	};

	return fixture_format(CRYPT_LUKS2, "xts-plain64", key_bytes, &params);
}

int fixture_luks1(const char *cipher_mode, size_t key_bytes)
{
	struct crypt_params_luks1 params = { .hash = "sha256" };

	return fixture_format(CRYPT_LUKS1, cipher_mode, key_bytes, &params);
}

static void edit_copy(char *copy, const char *find, const char *replace)
{
	char *json = copy + JSON_OFFSET, *p = strstr(json, find);
	char *rest;
	unsigned int len;

	ck_assert_msg(p, "%s is not in the header", find);
	rest = strdup(p + strlen(find));
	ck_assert_uint_lt((size_t)(p - json) + strlen(replace) + strlen(rest),
			  HEADER_SIZE - JSON_OFFSET);
	memset(p, 0, HEADER_SIZE - JSON_OFFSET - (size_t)(p - json));
	memcpy(p, replace, strlen(replace));
	memcpy(p + strlen(replace), rest, strlen(rest));
	free(rest);
	memset(copy + SUM_OFFSET, 0, 64);
	ck_assert_int_eq(EVP_Digest(copy, HEADER_SIZE,
				    (uint8_t *)copy + SUM_OFFSET, &len,
				    EVP_sha256(), NULL),
			 1);
}

void fixture_edit(int fd, const char *find, const char *replace)
{
	char *p = mmap(NULL, 2 * HEADER_SIZE, PROT_READ | PROT_WRITE,
		       MAP_SHARED, fd, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	edit_copy(p, find, replace);
	edit_copy(p + HEADER_SIZE, find, replace);
	munmap(p, 2 * HEADER_SIZE);
}

void fixture_erase(int fd)
{
	struct crypt_device *cd = init(fd);

	ck_assert_int_eq(crypt_load(cd, NULL, NULL), 0);
	ck_assert_int_eq(crypt_keyslot_destroy(cd, 0), 0);
	crypt_free(cd);
}

void fixture_damage(int fd, uint64_t offset, size_t len)
{
	static const char pattern[] = "damaged!";
	size_t i;

	for (i = 0; i < len; i++)
		ck_assert_int_eq(
			pwrite(fd, &pattern[i % 8], 1, (off_t)(offset + i)), 1);
}

void fixture_key(int fd, uint8_t *ret, size_t len)
{
	struct crypt_device *cd = init(fd);
	size_t got = len;

	ck_assert_int_eq(crypt_load(cd, NULL, NULL), 0);
	ck_assert_int_eq(crypt_volume_key_get(cd, CRYPT_ANY_SLOT, (char *)ret,
					      &got, FIXTURE_PASS,
					      strlen(FIXTURE_PASS)),
			 0);
	ck_assert_uint_eq(got, len);
	crypt_free(cd);
}

uint64_t fixture_sum(int fd)
{
	size_t len = (size_t)lseek(fd, 0, SEEK_END);
	uint8_t *p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	uint8_t md[EVP_MAX_MD_SIZE];
	uint64_t sum;

	ck_assert_ptr_ne(p, MAP_FAILED);
	ck_assert_int_eq(EVP_Digest(p, len, md, NULL, EVP_sha256(), NULL), 1);
	memcpy(&sum, md, sizeof(sum));
	munmap(p, len);
	return sum;
}
