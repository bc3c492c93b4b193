/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Keys of the kernel's keyring, in a session of the test's own. */
#include <check.h>
#include <errno.h>
#include <linux/keyctl.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/keyring.h"
#include "lib/secret.h"
#include "lib/why.h"

#define PAYLOAD_MAX 32767 /* of a key of type "user" */

static struct why why;

static void session(void)
{
	ck_assert_int_gt(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL),
			 0);
}

static long add(const char *type, const char *description, const void *data,
		size_t len)
{
	long id = syscall(SYS_add_key, type, description, data, len,
			  KEY_SPEC_SESSION_KEYRING);

	ck_assert_int_gt(id, 0);
	return id;
}

static void expect_error(const char *description, int err, const char *reason)
{
	struct secret secret = { .len = 77 };

	why.text[0] = '\0';
	ck_assert_int_eq(keyring_read(description, &secret, &why), err);
	ck_assert_msg(strstr(why.text, reason), "%s", why.text);
	ck_assert_ptr_null(strstr(why.text, "hidden"));
	ck_assert_uint_eq(secret.len, 77);
}

START_TEST(test_read)
{
	struct secret secret;

	session();
	add("user", "vcrypt:one", "a\nb\0c\n", 6);
	ck_assert_int_eq(keyring_read("vcrypt:one", &secret, &why), 0);
	ck_assert_uint_eq(secret.len, 6);
	ck_assert_mem_eq(secret.data, "a\nb\0c\n", 6);
	secret_free(&secret);
}
END_TEST

/* Longer than what is read at first. */
START_TEST(test_read_long)
{
	char data[PAYLOAD_MAX];
	struct secret secret;

	session();
	memset(data, 'x', sizeof(data));
	data[sizeof(data) - 1] = 'e';
	add("user", "vcrypt:long", data, sizeof(data));
	ck_assert_int_eq(keyring_read("vcrypt:long", &secret, &why), 0);
	ck_assert_uint_eq(secret.len, sizeof(data));
	ck_assert_mem_eq(secret.data, data, sizeof(data));
	secret_free(&secret);
}
END_TEST

START_TEST(test_missing)
{
	session();
	expect_error("vcrypt:none", -ENOKEY, "no key \"vcrypt:none\"");
	expect_error("", -ENOKEY, "no key \"\"");
}
END_TEST

START_TEST(test_logon)
{
	session();
	add("logon", "vcrypt:logon", "hidden", 6);
	expect_error("vcrypt:logon", -EPERM, "type logon");
}
END_TEST

START_TEST(test_revoked)
{
	long id;

	session();
	id = add("user", "vcrypt:old", "hidden", 6);
	ck_assert_int_eq(syscall(SYS_keyctl, KEYCTL_REVOKE, id), 0);
	expect_error("vcrypt:old", -EKEYREVOKED, "revoked");
}
END_TEST

/* There, but neither its owner nor who possesses it may do a thing. */
START_TEST(test_permission)
{
	long id;

	session();
	id = add("user", "vcrypt:shut", "hidden", 6);
	ck_assert_int_eq(syscall(SYS_keyctl, KEYCTL_SETPERM, id, 0), 0);
	expect_error("vcrypt:shut", -EACCES, "may not be read");
}
END_TEST

/* As where the kernel has none, and in a container without them. */
static const struct {
	int call;
	int err;
	const char *reason;
} refusals[] = {
	{ SCMP_SYS(request_key), ENOSYS, "no keyrings" },
	{ SCMP_SYS(request_key), EPERM, "may not be used here" },
	{ SCMP_SYS(keyctl), EKEYEXPIRED, "\"vcrypt:any\": Key has expired" },
};

START_TEST(test_refused)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	session();
	add("user", "vcrypt:any", "hidden", 6);
	ck_assert_int_eq(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(refusals[_i].err),
					  refusals[_i].call, 0),
			 0);
	ck_assert_int_eq(seccomp_load(ctx), 0);
	seccomp_release(ctx);
	expect_error("vcrypt:any", -refusals[_i].err, refusals[_i].reason);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("keyring");
	TCase *tc = tcase_create("keyring");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_read);
	tcase_add_test(tc, test_read_long);
	tcase_add_test(tc, test_missing);
	tcase_add_test(tc, test_logon);
	tcase_add_test(tc, test_revoked);
	tcase_add_test(tc, test_permission);
	tcase_add_loop_test(tc, test_refused, 0, 3);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
