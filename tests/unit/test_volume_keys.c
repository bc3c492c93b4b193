/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Changing key slots; libcryptsetup itself says what came of it. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypt/volume_keys.h"
#include "lib/why.h"
#include "tests/unit/luks_fixture.h"

#define NEW_PASS "battery staple"

static struct why why;

static const struct luks_pbkdf cheap = { .type = "pbkdf2", .iterations = 1000 };

static int make(int version)
{
	return version == 1 ? fixture_luks1("xts-plain64", 64)
			    : fixture_luks2(512, 64, 32);
}

static int run(int fd, struct luks_key_change change, const char *pass,
	       int *ret_slot)
{
	struct volume_request request = VOLUME_HEADER(fd);
	struct volume_info info;
	int r;

	request.passphrase = pass;
	request.passphrase_len = pass ? strlen(pass) : 0;
	change.kdf = cheap;
	change.new_passphrase = NEW_PASS;
	change.new_passphrase_len = strlen(NEW_PASS);
	r = volume_keys_change(&request, &change, &info, &why);
	if (!r && ret_slot)
		*ret_slot = info.key_slot;
	return r;
}

static void expect(int fd, struct luks_key_change change, int slot)
{
	int got = -1, r = run(fd, change, FIXTURE_PASS, &got);

	ck_assert_msg(!r, "%d %s", r, why.text);
	ck_assert_int_eq(got, slot);
}

static struct luks_key_change add(int slot)
{
	return (struct luks_key_change){ .op = LUKS_KEY_ADD, .new_slot = slot };
}

static struct luks_key_change of(enum luks_key_op op, int slot)
{
	return (struct luks_key_change){ .op = op, .slot = slot };
}

static struct crypt_device *load(int fd)
{
	struct crypt_device *cd;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_int_eq(crypt_init(&cd, path), 0);
	ck_assert_int_eq(crypt_load(cd, CRYPT_LUKS, NULL), 0);
	return cd;
}

/* The slot that opens, or a negative number. */
static int opens(int fd, const char *pass)
{
	struct crypt_device *cd = load(fd);
	size_t len = 64;
	char key[64];
	int r;

	r = crypt_volume_key_get(cd, CRYPT_ANY_SLOT, key, &len, pass,
				 strlen(pass));
	crypt_free(cd);
	return r;
}

static int priority(int fd, int slot)
{
	struct crypt_device *cd = load(fd);
	int r = crypt_keyslot_get_priority(cd, slot);

	crypt_free(cd);
	return r;
}

/* The material of a slot, as it stands in the image. */
static void material(int fd, int slot, uint64_t *ret_at, uint8_t buf[4096])
{
	struct crypt_device *cd = load(fd);
	uint64_t len;

	ck_assert_int_eq(crypt_keyslot_area(cd, slot, ret_at, &len), 0);
	crypt_free(cd);
	ck_assert_int_eq(pread(fd, buf, 4096, (off_t)*ret_at), 4096);
}

static void expect_gone(int fd, uint64_t at, const uint8_t old[4096])
{
	uint8_t now[4096];
	int i, same = 0;

	ck_assert_int_eq(pread(fd, now, 4096, (off_t)at), 4096);
	for (i = 0; i < 4096; i++)
		same += now[i] == old[i];
	ck_assert_int_lt(same, 100);
}

START_TEST(test_add)
{
	int fd = make(_i);

	expect(fd, add(VOLUME_ANY_SLOT), 1);
	ck_assert_int_eq(opens(fd, NEW_PASS), 1);
	ck_assert_int_eq(opens(fd, FIXTURE_PASS), 0);
	expect(fd, add(7), 7);
	ck_assert_int_eq(run(fd, add(7), FIXTURE_PASS, NULL), -EEXIST);
	ck_assert_ptr_nonnull(strstr(why.text, "key slot 7 is taken"));
	close(fd);
}
END_TEST

START_TEST(test_change)
{
	uint8_t old[4096];
	uint64_t at;
	int fd = make(_i);

	material(fd, 0, &at, old);
	expect(fd, of(LUKS_KEY_CHANGE, 0), _i == 1 ? 1 : 0);
	ck_assert_int_eq(opens(fd, FIXTURE_PASS), -EPERM);
	ck_assert_int_eq(opens(fd, NEW_PASS), _i == 1 ? 1 : 0);
	expect_gone(fd, at, old);
	close(fd);
}
END_TEST

/* What belongs to the slot goes with it. */
START_TEST(test_change_keeps)
{
	int fd = make(2), token;
	struct crypt_device *cd = load(fd);
	const struct crypt_token_params_luks2_keyring params = { "a key" };

	token = crypt_token_luks2_keyring_set(cd, CRYPT_ANY_TOKEN, &params);
	ck_assert_int_eq(token, 0);
	ck_assert_int_eq(crypt_token_assign_keyslot(cd, token, 0), token);
	ck_assert_int_ge(crypt_keyslot_set_priority(cd, 0,
						    CRYPT_SLOT_PRIORITY_PREFER),
			 0);
	crypt_free(cd);
	expect(fd, of(LUKS_KEY_CHANGE, 0), 0);
	ck_assert_int_eq(priority(fd, 0), CRYPT_SLOT_PRIORITY_PREFER);
	cd = load(fd);
	ck_assert_int_eq(crypt_token_is_assigned(cd, token, 0), 0);
	crypt_free(cd);
	close(fd);
}
END_TEST

START_TEST(test_remove)
{
	uint8_t old[4096];
	uint64_t at;
	int fd = make(_i);

	expect(fd, add(3), 3);
	material(fd, 3, &at, old);
	expect(fd, of(LUKS_KEY_REMOVE, 3), 3);
	ck_assert_int_eq(opens(fd, NEW_PASS), -EPERM);
	ck_assert_int_eq(opens(fd, FIXTURE_PASS), 0);
	expect_gone(fd, at, old);
	ck_assert_int_eq(run(fd, of(LUKS_KEY_REMOVE, 3), NULL, NULL), -ENOENT);
	ck_assert_ptr_nonnull(strstr(why.text, "key slot 3 is empty"));
	/* The last one too: to ask before is the caller's part. */
	expect(fd, of(LUKS_KEY_REMOVE, 0), 0);
	ck_assert_int_eq(run(fd, add(1), FIXTURE_PASS, NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "no key slot is left"));
	close(fd);
}
END_TEST

START_TEST(test_priority)
{
	struct luks_key_change change = of(LUKS_KEY_PRIORITY, 0);
	int fd = make(2);

	change.priority = CRYPT_SLOT_PRIORITY_IGNORE;
	expect(fd, change, 0);
	ck_assert_int_eq(priority(fd, 0), CRYPT_SLOT_PRIORITY_IGNORE);
	change.slot = 1;
	ck_assert_int_eq(run(fd, change, NULL, NULL), -ENOENT);
	close(fd);
	fd = make(1);
	change.slot = 0;
	ck_assert_int_eq(run(fd, change, NULL, NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "no priority"));
	close(fd);
}
END_TEST

START_TEST(test_discards)
{
	struct luks_key_change change = of(LUKS_KEY_DISCARDS, 0);
	int fd = make(2), i;
	uint64_t sum = fixture_sum(fd);
	struct volume_info info;

	expect(fd, change, 0);
	ck_assert_uint_eq(fixture_sum(fd), sum);
	for (i = 1; i >= 0; i--) {
		change.allow = i;
		expect(fd, change, 0);
		ck_assert_int_eq(volume_probe(&VOLUME_HEADER(fd), &info, &why),
				 0);
		ck_assert(info.allow_discards == change.allow);
		ck_assert_uint_ne(fixture_sum(fd), sum);
		sum = fixture_sum(fd);
		expect(fd, change, 0);
		ck_assert_uint_eq(fixture_sum(fd), sum);
	}
	close(fd);
	fd = make(1);
	ck_assert_int_eq(run(fd, change, NULL, NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "LUKS1 header has no flags"));
	close(fd);
}
END_TEST

/* LUKS1 has eight slots, and the ninth passphrase would overwrite one. */
START_TEST(test_full)
{
	struct luks_key_change change = of(LUKS_KEY_CHANGE, 0);
	int fd = make(1), i;
	uint64_t sum;

	for (i = 1; i < 8; i++)
		expect(fd, add(VOLUME_ANY_SLOT), i);
	sum = fixture_sum(fd);
	ck_assert_int_eq(run(fd, add(VOLUME_ANY_SLOT), FIXTURE_PASS, NULL),
			 -ENOSPC);
	ck_assert_ptr_nonnull(strstr(why.text, "no room"));
	ck_assert_int_eq(run(fd, change, FIXTURE_PASS, NULL), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(why.text, "--force"));
	ck_assert_uint_eq(fixture_sum(fd), sum);
	change.in_place = true;
	expect(fd, change, 0);
	ck_assert_int_eq(opens(fd, FIXTURE_PASS), -EPERM);
	close(fd);
}
END_TEST

static const struct {
	struct luks_key_change change;
	const char *pass;
	int err;
	const char *reason;
} refused[] = {
	{ { .op = LUKS_KEY_ADD, .new_slot = VOLUME_ANY_SLOT },
	  "wrong",
	  -EPERM,
	  "no key slot opens" },
	{ { .op = LUKS_KEY_CHANGE }, "wrong", -EPERM, "no key slot opens" },
	{ { .op = LUKS_KEY_ADD, .new_slot = 32 },
	  FIXTURE_PASS,
	  -EDOM,
	  "0 to 31" },
	{ { .op = LUKS_KEY_REMOVE, .slot = -2 },
	  FIXTURE_PASS,
	  -EDOM,
	  "0 to 31" },
	{ { .op = LUKS_KEY_REMOVE, .slot = 31 }, NULL, -ENOENT, "31 is empty" },
};

START_TEST(test_refused)
{
	int fd = make(2), r;
	uint64_t sum = fixture_sum(fd);

	r = run(fd, refused[_i].change, refused[_i].pass, NULL);
	ck_assert_msg(r == refused[_i].err, "%d %s", r, why.text);
	ck_assert_msg(strstr(why.text, refused[_i].reason), "%s", why.text);
	ck_assert_uint_eq(fixture_sum(fd), sum);
	close(fd);
}
END_TEST

/* The gate stands in front of changes, too. */
START_TEST(test_hostile)
{
	int fd = make(2);
	uint64_t sum;

	fixture_edit(fd, "\"encryption\":\"aes-xts-plain64\",\"key_size\":64",
		     "\"encryption\":\"cipher_null-ecb\",\"key_size\":64");
	sum = fixture_sum(fd);
	ck_assert_int_eq(run(fd, add(1), FIXTURE_PASS, NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "cipher_null"));
	ck_assert_uint_eq(fixture_sum(fd), sum);
	close(fd);
}
END_TEST

/* Whichever copy of the header is damaged, both are sound afterwards. */
START_TEST(test_damaged)
{
	int fd = make(2);

	fixture_damage(fd, _i ? 16384 + 5000 : 5000, 8);
	expect(fd, add(1), 1);
	fixture_damage(fd, _i ? 5000 : 16384 + 5000, 8);
	ck_assert_int_eq(opens(fd, NEW_PASS), 1);
	close(fd);
}
END_TEST

START_TEST(test_readonly)
{
	int fd = make(2), ro;
	uint64_t sum = fixture_sum(fd);
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(run(ro, add(1), FIXTURE_PASS, NULL), -EBADF);
	ck_assert_ptr_nonnull(strstr(why.text, "cannot be written"));
	ck_assert_uint_eq(fixture_sum(fd), sum);
	close(ro);
	close(fd);
}
END_TEST

/* Somebody else has libcryptsetup's lock, for good. */
START_TEST(test_locked)
{
	int fd = make(2), other;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	other = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(flock(other, LOCK_SH), 0);
	ck_assert_int_eq(run(fd, add(1), FIXTURE_PASS, NULL), -EBUSY);
	ck_assert_ptr_nonnull(strstr(why.text, "has the header locked"));
	close(other);
	expect(fd, add(1), 1);
	close(fd);
}
END_TEST

#define LEN(a) ((int)(sizeof(a) / sizeof((a)[0])))

int main(void)
{
	Suite *s = suite_create("volume_keys");
	TCase *tc = tcase_create("volume_keys");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_add, 1, 3);
	tcase_add_loop_test(tc, test_change, 1, 3);
	tcase_add_test(tc, test_change_keeps);
	tcase_add_loop_test(tc, test_remove, 1, 3);
	tcase_add_test(tc, test_priority);
	tcase_add_test(tc, test_discards);
	tcase_add_test(tc, test_full);
	tcase_add_loop_test(tc, test_refused, 0, LEN(refused));
	tcase_add_test(tc, test_hostile);
	tcase_add_loop_test(tc, test_damaged, 0, 2);
	tcase_add_test(tc, test_readonly);
	tcase_add_test(tc, test_locked);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
