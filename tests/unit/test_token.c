/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Tokens of a header: found, opened, and the cell in which plugins run. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crypt/token.h"
#include "crypt/unlock_child.h"
#include "lib/secmem.h"
#include "lib/secret.h"
#include "lib/why.h"
#include "tests/unit/luks_fixture.h"

#define OTHER_PASS "battery staple"
#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static struct token token;
static struct why why;
static int image;
static char file[32], new_file[36]; /* of a test's own */

static struct crypt_device *load(void)
{
	static const struct crypt_pbkdf_type cheapest = {
		.type = CRYPT_KDF_PBKDF2,
		.hash = "sha256",
		.iterations = 1000,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_device *cd;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", image);
	ck_assert_int_eq(crypt_init(&cd, path), 0);
	ck_assert_int_eq(crypt_load(cd, CRYPT_LUKS2, NULL), 0);
	ck_assert_int_eq(crypt_set_pbkdf_type(cd, &cheapest), 0);
	return cd;
}

static void add_token(int id, const char *json)
{
	struct crypt_device *cd = load();

	ck_assert_int_eq(crypt_token_json_set(cd, id, json), id);
	crypt_free(cd);
}

static void add_keyring_token(int id, const char *key)
{
	const struct crypt_token_params_luks2_keyring params = { key };
	struct crypt_device *cd = load();

	ck_assert_int_eq(crypt_token_luks2_keyring_set(cd, id, &params), id);
	ck_assert_int_eq(crypt_token_assign_keyslot(cd, id, 0), id);
	crypt_free(cd);
}

static void setup(void)
{
	image = fixture_luks2(4096, 64, 32);
	token = (struct token){ .text = NULL };
	why.text[0] = '\0';
}

static void teardown(void)
{
	token_free(&token);
	close(image);
}

static int find(int id, const char *type, int from)
{
	const struct volume_request request = VOLUME_REQUEST(image);
	const struct luks_token_query query = { id, type, from };

	token_free(&token);
	return token_find(&request, &query, &token, &why);
}

static void expect_none(int id, const char *type, const char *reason)
{
	ck_assert_int_eq(find(id, type, 0), -ENOENT);
	ck_assert_msg(strstr(why.text, reason), "%s", why.text);
	ck_assert_ptr_null(token.text);
}

START_TEST(test_find_keyring)
{
	add_keyring_token(3, "vcrypt:disk");
	ck_assert_int_eq(find(3, NULL, 0), 0);
	ck_assert_int_eq(token.info.id, 3);
	ck_assert_uint_eq(token.info.slots, 1);
	ck_assert_str_eq(token.info.type, "luks2-keyring");
	ck_assert_str_eq(token.text, "vcrypt:disk");
}
END_TEST

/* Of others the whole, but without key slots. */
START_TEST(test_find_other)
{
	add_token(0, "{\"type\":\"mine\",\"keyslots\":[\"0\"],\"x\":[1,2]}");
	ck_assert_int_eq(find(LUKS_TOKEN_ANY, "mine", 0), 0);
	ck_assert_str_eq(token.info.type, "mine");
	ck_assert_ptr_nonnull(strstr(token.text, "\"x\": [ 1, 2 ]"));
	ck_assert_ptr_nonnull(strstr(token.text, "\"keyslots\": [ ]"));
}
END_TEST

START_TEST(test_find_next)
{
	add_token(1, "{\"type\":\"one\",\"keyslots\":[]}");
	add_token(4, "{\"type\":\"four\",\"keyslots\":[\"0\"]}");
	add_keyring_token(9, "k");
	ck_assert_int_eq(find(LUKS_TOKEN_ANY, NULL, 0), 0);
	ck_assert_int_eq(token.info.id, 4);
	ck_assert_int_eq(find(LUKS_TOKEN_ANY, NULL, 5), 0);
	ck_assert_int_eq(token.info.id, 9);
	ck_assert_int_eq(find(LUKS_TOKEN_ANY, NULL, 10), -ENOENT);
	ck_assert_int_eq(find(LUKS_TOKEN_ANY, "luks2-keyring", 0), 0);
	ck_assert_int_eq(token.info.id, 9);
}
END_TEST

START_TEST(test_find_none)
{
	expect_none(LUKS_TOKEN_ANY, NULL, "no token opens a key slot");
	expect_none(LUKS_TOKEN_ANY, "x", "no token of type x opens");
	add_token(1, "{\"type\":\"one\",\"keyslots\":[]}");
	expect_none(1, NULL, "token 1 opens no key slot");
	expect_none(2, NULL, "there is no token 2");
	expect_none(1, "two", "token 1 is of type one, not two");
	add_token(2, "{\"type\":\"../one\",\"keyslots\":[\"0\"]}");
	expect_none(2, NULL, "token 2 has no sane type");
	add_token(3, "{\"type\":\"0123456789012345678901234567890123456789"
		     "0123456789012345678901234\",\"keyslots\":[\"0\"]}");
	expect_none(3, NULL, "token 3 has no sane type");
	close(image);
	image = fixture_luks1("xts-plain64", 64);
	expect_none(LUKS_TOKEN_ANY, NULL, "LUKS1 has no tokens");
}
END_TEST

/* A slot that the gate does not let through does not count. */
START_TEST(test_find_unbound_slot)
{
	const char key[64] = "x";
	struct crypt_device *cd = load();

	ck_assert_int_eq(crypt_keyslot_add_by_key(cd, 1, key, sizeof(key),
						  OTHER_PASS,
						  strlen(OTHER_PASS),
						  CRYPT_VOLUME_KEY_NO_SEGMENT),
			 1);
	crypt_free(cd);
	add_token(0, "{\"type\":\"mine\",\"keyslots\":[\"1\"]}");
	expect_none(0, NULL, "opens no key slot");
}
END_TEST

START_TEST(test_find_refused)
{
	add_keyring_token(0, "vcrypt:disk");
	fixture_edit(image, "\"sector_size\":4096", "\"sector_size\":4097");
	ck_assert_int_eq(find(LUKS_TOKEN_ANY, NULL, 0), -EINVAL);
}
END_TEST

START_TEST(test_keyring_without_key)
{
	add_keyring_token(0, "vcrypt:disk");
	fixture_edit(image, "\"key_description\":\"vcrypt:disk\"",
		     "\"key_description\":\"\"           ");
	ck_assert_int_lt(find(0, NULL, 0), 0);
	ck_assert_ptr_null(token.text);
}
END_TEST

static void add_key(const char *description, const char *data)
{
	ck_assert_int_gt(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL),
			 0);
	ck_assert_int_gt(syscall(SYS_add_key, "user", description, data,
				 strlen(data), KEY_SPEC_SESSION_KEYRING),
			 0);
}

START_TEST(test_open_keyring)
{
	struct secret secret;

	add_keyring_token(0, "vcrypt:disk");
	add_key("vcrypt:other", "hidden");
	ck_assert_int_eq(find(0, NULL, 0), 0);
	ck_assert_int_eq(token_open(&token, NULL, &secret, &why), -ENOKEY);
	ck_assert_ptr_nonnull(strstr(why.text, "token 0: no key \"vcrypt:d"));
	add_key("vcrypt:disk", FIXTURE_PASS);
	ck_assert_int_eq(token_open(&token, NULL, &secret, &why), 0);
	ck_assert_uint_eq(secret.len, strlen(FIXTURE_PASS));
	ck_assert_mem_eq(secret.data, FIXTURE_PASS, secret.len);
	secret_free(&secret);
}
END_TEST

/* The passphrase of a token is tried with the token's slots. */
START_TEST(test_unlock_slots)
{
	struct volume_request request = VOLUME_REQUEST(image);
	struct crypt_device *cd = load();
	struct volume_info info;
	void *key;

	ck_assert_int_eq(secmem_alloc(VOLUME_KEY_MAX, &key), 0);
	ck_assert_int_eq(crypt_keyslot_add_by_passphrase(
				 cd, 5, FIXTURE_PASS, strlen(FIXTURE_PASS),
				 OTHER_PASS, strlen(OTHER_PASS)),
			 5);
	/* Not even one that is not tried on its own is left out. */
	ck_assert_int_eq(crypt_keyslot_set_priority(cd, 5,
						    CRYPT_SLOT_PRIORITY_IGNORE),
			 0);
	crypt_free(cd);
	request.passphrase = OTHER_PASS;
	request.passphrase_len = strlen(OTHER_PASS);
	ck_assert_int_eq(volume_unlock(&request, key, &info, &why), -EPERM);
	request.slots = 1u << 0;
	ck_assert_int_eq(volume_unlock(&request, key, &info, &why), -EPERM);
	request.slots = 1u << 5;
	ck_assert_int_eq(volume_unlock(&request, key, &info, &why), 0);
	ck_assert_int_eq(info.key_slot, 5);
	secmem_free(key, VOLUME_KEY_MAX);
}
END_TEST

START_TEST(test_no_plugin)
{
	struct secret secret;

	add_token(0, "{\"type\":\"mine\",\"keyslots\":[\"0\"]}");
	ck_assert_int_eq(find(0, NULL, 0), 0);
	ck_assert_int_eq(token_open(&token, NULL, &secret, &why), -ENOENT);
	ck_assert_msg(strstr(why.text, "token 0: no plugin for tokens of type"
				       " mine"),
		      "%s", why.text);
}
END_TEST

/* An exit without an answer is -EIO for the parent. */
static void expect(bool ok)
{
	if (!ok)
		_exit(9);
}

/*
 * Nothing stays open: libcryptsetup thinks that it has /dev/urandom there, and
 * reads from it without end.
 */
static bool opens(const char *path)
{
	return !close(open(path, O_RDONLY));
}

static void try_files(void)
{
	struct stat st;

	/* Whatever the user may write; the test makes this one. */
	expect(open(file, O_WRONLY) < 0);
	expect(errno == EACCES);
	expect(open(file, O_RDWR | O_TRUNC) < 0);
	expect(open(file, O_RDONLY | O_TRUNC) < 0 && errno == EPERM);
	expect(opens(file));
	expect(open(new_file, O_RDWR | O_CREAT, 0600) < 0 && errno == EPERM);
	expect(unlink(file) < 0 && errno == EPERM);
	expect(rename(file, new_file) < 0);
	expect(chmod(file, 0777) < 0 && errno == EPERM);
	expect(opens("/etc/passwd"));
	/* Of the image there is no descriptor: 3 is the scratch memory. */
	expect(!fstat(3, &st) && st.st_size != FIXTURE_SIZE);
	expect(!fstat(4, &st) && st.st_size != FIXTURE_SIZE);
}

/* A session of its own has no terminal. */
static bool leads_session(void)
{
	FILE *f = fopen("/proc/self/stat", "r");
	int pid = 0, session = 1;

	if (!f)
		return false;
	if (fscanf(f, "%d (%*[^)]) %*c %*d %*d %d", &pid, &session) != 2)
		session = -1;
	fclose(f);
	return pid == session;
}

static void try_processes(void)
{
	char program[] = "/bin/true";
	char *const args[] = { program, NULL };

	expect(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM);
	expect(socket(AF_NETLINK, SOCK_RAW, 0) < 0 && errno == EPERM);
	expect(socket(38, SOCK_SEQPACKET, 0) < 0 && errno == EPERM);
	expect(execv(args[0], args) < 0 && errno == EPERM);
	expect(fork() < 0);
	expect(kill(getppid(), 0) < 0 && errno == EPERM);
	expect(ptrace(PTRACE_ATTACH, getppid(), 0, 0) < 0 && errno == EPERM);
	expect(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID,
		       KEY_SPEC_SESSION_KEYRING, 0) < 0 &&
	       errno == EPERM);
	expect(setuid(0) < 0 && errno == EPERM);
	expect(truncate(file, 0) < 0 && errno == EPERM);
	expect(leads_session());
}

static void try_no_socket(void)
{
	expect(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM);
}

static void try_socket(void)
{
	expect(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}

static const struct {
	const char *type;
	void (*hook)(void);
} attempts[] = {
	{ "mine", try_files },
	{ "systemd-tpm2", try_files },
	{ "systemd-fido2", try_files },
	{ "systemd-pkcs11", try_files },
	{ "mine", try_processes },
	{ "systemd-pkcs11", try_processes },
	{ "systemd-tpm2", try_no_socket },
	{ "systemd-fido2", try_no_socket },
	{ "systemd-pkcs11", try_socket },
	{ "mine", try_socket },
};

/* The attempts fail as they should, and then the plugin, for want of sense. */
START_TEST(test_cell)
{
	struct luks_token info = { 0, 1, "" };
	struct header_job job = {
		.op = HEADER_TOKEN_OPEN,
		.token = &info,
		.token_json = "{}",
		.timeout = 300,
		.hook = attempts[_i].hook,
	};
	void *answer;
	int fd, r;

	strcpy(file, "/tmp/vcrypt-token-XXXXXX");
	fd = mkstemp(file);
	ck_assert_int_ge(fd, 0);
	close(fd);
	snprintf(new_file, sizeof(new_file), "%s.new", file);
	strcpy(info.type, attempts[_i].type);
	ck_assert_int_eq(secmem_alloc(sizeof(struct header_answer), &answer),
			 0);
	r = header_job_run(&job, answer, NULL, &why);
	unlink(file);
	ck_assert_msg(r && r != -EIO && r != -ETIMEDOUT, "%d %s", r, why.text);
	secmem_free(answer, sizeof(struct header_answer));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("token");
	TCase *tc = tcase_create("token");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_find_keyring);
	tcase_add_test(tc, test_find_other);
	tcase_add_test(tc, test_find_next);
	tcase_add_test(tc, test_find_none);
	tcase_add_test(tc, test_find_unbound_slot);
	tcase_add_test(tc, test_find_refused);
	tcase_add_test(tc, test_keyring_without_key);
	tcase_add_test(tc, test_open_keyring);
	tcase_add_test(tc, test_unlock_slots);
	tcase_add_test(tc, test_no_plugin);
	tcase_add_loop_test(tc, test_cell, 0, (int)LEN(attempts));
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
