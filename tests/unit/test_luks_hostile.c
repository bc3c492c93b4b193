/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Hostile headers: every case of luks_hostile_cases.c against the jailed
 * reader, and, without the jail (so that nothing hides what goes wrong),
 * every member of the metadata and every field of the binary headers with
 * values that it should not have.
 */
#include <check.h>
#include <errno.h>
#include <json-c/json.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypt/luks_reader.h"
#include "crypt/unlock.h"
#include "lib/secmem.h"
#include "lib/why.h"
#include "tests/unit/luks_fixture.h"
#include "tests/unit/luks_hostile.h"

#define HEADERS	   32768u     /* both copies, in bytes */
#define IMAGE_SIZE (3u << 20) /* bytes */

static int fds[3]; /* sound containers, by their version */
static uint8_t headers[3][HEADERS];
static struct volume_info sound[3];
static struct why why;

static const struct crypt_pbkdf_type cheap = {
	.type = CRYPT_KDF_PBKDF2,
	.hash = "sha256",
	.iterations = 1000,
	.flags = CRYPT_PBKDF_NO_BENCHMARK,
};

static void be_quiet(int level, const char *msg, void *arg)
{
}

/* As small as can be: every case reads the whole header. */
static int make(int version)
{
	struct crypt_params_luks2 two = {
		.pbkdf = &cheap,
		.sector_size = 4096,
	};
	struct crypt_params_luks1 one = { .hash = "sha256" };
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct crypt_device *cd;
	char path[32];

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, IMAGE_SIZE), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_int_eq(crypt_init(&cd, path), 0);
	ck_assert_int_eq(crypt_set_pbkdf_type(cd, &cheap), 0);
	if (version == 2) {
		ck_assert_int_eq(crypt_set_metadata_size(cd, HEADERS / 2,
							 (1 << 20) - HEADERS),
				 0);
		ck_assert_int_eq(crypt_set_data_offset(cd, 2048), 0);
	}
	ck_assert_int_eq(crypt_format(cd,
				      version == 1 ? CRYPT_LUKS1 : CRYPT_LUKS2,
				      "aes", "xts-plain64", NULL, NULL, 64,
				      version == 1 ? (void *)&one : &two),
			 0);
	ck_assert_int_eq(crypt_keyslot_add_by_volume_key(cd, 0, NULL, 0,
							 FIXTURE_PASS,
							 strlen(FIXTURE_PASS)),
			 0);
	crypt_free(cd);
	return fd;
}

static void make_all(void)
{
	int version;

	crypt_set_log_callback(NULL, be_quiet, NULL);
	for (version = 1; version <= 2; version++) {
		fds[version] = make(version);
		ck_assert_int_eq(pread(fds[version], headers[version], HEADERS,
				       0),
				 HEADERS);
		ck_assert_int_eq(volume_probe(&VOLUME_REQUEST(fds[version]),
					      &sound[version], &why),
				 0);
	}
}

/* The image is shared with the case before. */
static void setup(void)
{
	int version;

	for (version = 1; version <= 2; version++)
		ck_assert_int_eq(pwrite(fds[version], headers[version], HEADERS,
					0),
				 HEADERS);
}

static void assert_one_line(const char *what)
{
	ck_assert_msg(why.text[0] && !strchr(why.text, '\n'), "%s: '%s'", what,
		      why.text);
}

START_TEST(test_case)
{
	const struct hostile *h = &hostile_cases[_i];
	struct volume_info info;
	int r;

	hostile_apply(h, fds[h->version]);
	r = volume_probe(&VOLUME_REQUEST(fds[h->version]), &info, &why);
	if (h->outcome == HOSTILE_REFUSED) {
		ck_assert_msg(r == -EINVAL || r == -EIO, "%s: %d", h->name, r);
		assert_one_line(h->name);
		ck_assert_msg(strstr(why.text, h->says), "%s: %s", h->name,
			      why.text);
		return;
	}
	ck_assert_msg(!r, "%s: %s", h->name, why.text);
	ck_assert_msg(strstr(info.note, h->says), "%s: %s", h->name, info.note);
	ck_assert_msg(!info.note[0] == (h->outcome == HOSTILE_SERVED), "%s: %s",
		      h->name, info.note);
	ck_assert_uint_eq(info.data_offset, sound[h->version].data_offset);
	ck_assert_uint_eq(info.data_size, sound[h->version].data_size);
}
END_TEST

/* What the jailed child does, in this process. */
static int judge(int fd, struct volume_info *ret_info,
		 struct luks_reader **ret_reader)
{
	int copy = memfd_create("copy", MFD_CLOEXEC);
	const struct luks_source source = {
		.header_fd = fd,
		.copy_fd = copy,
		.header_size = IMAGE_SIZE,
		.data_size = IMAGE_SIZE,
	};
	struct luks_reader *reader;
	int r;

	ck_assert_int_ge(copy, 0);
	ck_assert_int_eq(ftruncate(copy, 256 << 20), 0);
	why.text[0] = '\0';
	*ret_reader = NULL;
	r = luks_reader_open(&source, &reader, &why);
	if (!r) {
		r = luks_reader_judge(reader, ret_info, &why);
		if (r)
			luks_reader_close(reader);
		else
			*ret_reader = reader;
	}
	close(copy);
	return r;
}

/*
 * Refused in one line, or served from where the data is; and nobody gets in
 * with another passphrase.
 */
static bool assert_safe(int fd, int version, const char *what)
{
	const struct volume_info *good = &sound[version];
	const struct kdf_memory memory = { 1 << 20, "this test" };
	const struct volume_request wrong = {
		.passphrase = "wrong",
		.passphrase_len = 5,
		.key_slot = VOLUME_ANY_SLOT,
	};
	struct luks_reader *reader;
	uint8_t key[VOLUME_KEY_MAX];
	struct volume_info info;
	int slot, r = judge(fd, &info, &reader);

	if (r) {
		ck_assert_msg(r == -EINVAL || r == -EIO, "%s: %d", what, r);
		assert_one_line(what);
		return false;
	}
	ck_assert_msg(info.data_offset % info.sector_size == 0 &&
			      info.data_offset >= HEADERS &&
			      info.data_offset + info.data_size <= IMAGE_SIZE,
		      "%s: %ju", what, (uintmax_t)info.data_offset);
	ck_assert_msg(info.data_offset == good->data_offset, "%s", what);
	r = luks_reader_unlock(reader, &memory, &wrong, key, &slot, &why);
	luks_reader_close(reader);
	ck_assert_msg(r < 0, "%s: anybody gets in", what);
	return true;
}

static const char *const values[] = {
	NULL, /* the member is removed */
	"null",
	"true",
	"-1",
	"0",
	"1",
	"2147483647",
	"2147483648",
	"9223372036854775808",
	"1.5",
	"\"\"",
	"\"0\"",
	"\"4096\"",
	"\"18446744073709551615\"",
	"\"99999999999999999999\"",
	"\"%s%n\"",
	"[]",
	"[\"0\",\"0\"]",
	"{}",
	"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
	"]]]]]]]]]]]",
};

struct walk {
	struct json_object *root; /* whole */
	unsigned int tried, served;
};

static void try_text(struct walk *walk, const char *what)
{
	const char *text = json_object_to_json_string_ext(
		walk->root,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	hostile_write(fds[2], COPY_BOTH, text);
	walk->tried++;
	walk->served += assert_safe(fds[2], 2, what);
}

static void try_values(struct walk *walk, struct json_object *obj,
		       const char *name)
{
	char what[200];
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(what, sizeof(what), "%s := %s", name,
			 values[i] ? values[i] : "(gone)");
		json_object_object_del(obj, name);
		if (values[i])
			json_object_object_add(obj, name,
					       hostile_parse(values[i]));
		try_text(walk, what);
	}
}

/* Every member of @obj and below, each with every value. */
static void walk_members(struct walk *walk, struct json_object *obj)
{
	struct json_object *copy = NULL;
	struct json_object_iter it;

	json_object_object_foreachC(
		obj, it) if (json_object_is_type(it.val, json_type_object))
		walk_members(walk, it.val);
	/* Members cannot be exchanged in what is gone through. */
	ck_assert_int_eq(json_object_deep_copy(obj, &copy, NULL), 0);
	json_object_object_foreachC(copy, it)
	{
		try_values(walk, obj, it.key);
		json_object_object_add(obj, it.key, json_object_get(it.val));
	}
	json_object_put(copy);
}

START_TEST(test_members)
{
	struct walk walk = { .root = hostile_metadata(fds[2]) };

	walk_members(&walk, walk.root);
	json_object_put(walk.root);
	ck_assert_uint_gt(walk.tried, 500);
	/* Names and salts may be anything. */
	ck_assert_uint_gt(walk.served, 10);
	ck_assert_uint_lt(walk.served, walk.tried / 4);
}
END_TEST

/* Every two bytes of the binary headers, with and without a right checksum. */
START_TEST(test_fields)
{
	static const char *const patterns[] = { "\0\0", "\xff\xff", "\x7f\xff",
						"\0\1" };
	uint8_t good[HEADERS];
	char what[40];
	unsigned int at, i;

	ck_assert_int_eq(pread(fds[2], good, HEADERS, 0), HEADERS);
	for (at = 0; at < 512; at += 2) {
		/* The label, salts and padding look all the same. */
		if ((at > 32 && at < 72) || (at > 110 && at < 168) ||
		    (at > 216 && at < 256) || (at > 270 && at < 448))
			continue;
		for (i = 0; i < 4; i++) {
			snprintf(what, sizeof(what), "byte %u", at);
			hostile_poke(fds[2], COPY_BOTH, at, patterns[i], 2,
				     i & 1);
			assert_safe(fds[2], 2, what);
			ck_assert_int_eq(pwrite(fds[2], good, HEADERS, 0),
					 HEADERS);
		}
	}
}
END_TEST

START_TEST(test_fields_luks1)
{
	static const char *const patterns[] = {
		"\0\0\0\0", "\xff\xff\xff\xff", "\x7f\xff\xff\xff",
		"\0\0\0\1", "\0\0\x10\0",
	};
	uint8_t good[4];
	char what[40];
	unsigned int at, i;

	for (at = 0; at < 256; at += 4) {
		ck_assert_int_eq(pread(fds[1], good, 4, at), 4);
		for (i = 0; i < 5; i++) {
			snprintf(what, sizeof(what), "LUKS1 byte %u", at);
			ck_assert_int_eq(pwrite(fds[1], patterns[i], 4, at), 4);
			assert_safe(fds[1], 1, what);
		}
		ck_assert_int_eq(pwrite(fds[1], good, 4, at), 4);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("luks_hostile");
	TCase *tc = tcase_create("luks_hostile");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_unchecked_fixture(tc, make_all, NULL);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, test_case, 0, (int)hostile_nr);
	tcase_add_test(tc, test_members);
	tcase_add_test(tc, test_fields);
	tcase_add_test(tc, test_fields_luks1);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
