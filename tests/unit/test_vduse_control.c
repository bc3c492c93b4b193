/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* VDUSE devices and the vDPA bus, as far as no kernel module is needed. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/why.h"
#include "vduse/control.h"
#include "vduse/vdpa.h"

#define TEN    "abcdefghij"
#define SIXTY  TEN TEN TEN TEN TEN TEN
#define NOBODY "no-such-volume"

static const struct {
	const char *name;
	bool ok;
} names[] = {
	{ "vdc0", true },
	{ "a", true },
	{ "A_b-9.z", true },
	{ ".hidden", true },
	{ "...", true },
	{ "_", true },
	{ "control2", true },
	{ "CONTROL", true },
	{ SIXTY "123", true },
	{ SIXTY "1234", false },
	{ SIXTY SIXTY SIXTY SIXTY SIXTY, false },
	{ "", false },
	{ ".", false },
	{ "..", false },
	{ "control", false },
	{ "-a", false },
	{ "-", false },
	{ "a/b", false },
	{ "/a", false },
	{ "../a", false },
	{ "a b", false },
	{ "a\n", false },
	{ "a*", false },
	{ "a:b", false },
	{ "a\x7f", false },
	{ "\xc3\xa4", false },
};

START_TEST(test_name)
{
	struct why why = { "" };
	int err = vduse_check_name(names[_i].name, &why);
	const char *p;

	ck_assert_int_eq(err, names[_i].ok ? 0 : -EINVAL);
	ck_assert_int_eq(why.text[0] == '\0', names[_i].ok);
	for (p = why.text; *p; p++)
		ck_assert((unsigned char)*p >= 0x20 && *p != 0x7f);
	ck_assert_int_eq(vduse_check_name(names[_i].name, NULL), err);
}
END_TEST

START_TEST(test_no_module)
{
	struct why why = { "" };
	int fd = -7;

	/* Where VDUSE is, the tests in the guest are the ones that tell. */
	if (!access("/dev/vduse/control", F_OK))
		return;
	ck_assert_int_eq(vduse_control_open(&fd, &why), -ENOENT);
	ck_assert_ptr_nonnull(strstr(why.text, "modprobe vduse"));
	ck_assert_int_eq(fd, -7);
}
END_TEST

START_TEST(test_no_device)
{
	int fd = -7;

	ck_assert_int_eq(vduse_open(NOBODY, &fd), -ENOENT);
	ck_assert_int_eq(fd, -7);
	ck_assert(!vduse_exists(NOBODY));
}
END_TEST

/* A control device that is none. */
START_TEST(test_create_fails)
{
	const struct vduse_params params = {
		.name = NOBODY,
		.nr_queues = 1,
		.queue_size = 8,
		.config = "abcd",
		.config_len = 4,
	};
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct why why = { "" };

	ck_assert_int_eq(vduse_create(fd, &params, &why), -ENOTTY);
	ck_assert_ptr_nonnull(strstr(why.text, NOBODY));
	ck_assert_ptr_nonnull(strstr(why.text, "VDUSE_CREATE_DEV"));
	ck_assert_int_eq(vduse_destroy(fd, NOBODY), -ENOTTY);
	close(fd);
	ck_assert_int_eq(vduse_create(-1, &params, NULL), -EBADF);
}
END_TEST

START_TEST(test_bus)
{
	struct why why = { "" };
	struct vdpa_binding at = { VDPA_VHOST, "none" };

	ck_assert(!vdpa_is_attached(NOBODY));
	vdpa_find(NOBODY, &at);
	ck_assert_int_eq(at.driver, VDPA_NO_DRIVER);
	ck_assert_str_eq(at.node, "");
	ck_assert(!vdpa_is_unbinding(NOBODY));
	ck_assert_int_lt(vdpa_bind(NOBODY, VDPA_VHOST, &why), 0);
	ck_assert_ptr_nonnull(strstr(why.text, "vhost_vdpa"));
	ck_assert_int_lt(vdpa_unbind(NOBODY, VDPA_VIRTIO, &why), 0);
	ck_assert_ptr_nonnull(strstr(why.text, "virtio_vdpa"));
	ck_assert_str_eq(vdpa_driver_text(VDPA_VIRTIO), "virtio-vdpa");
	ck_assert_str_eq(vdpa_driver_text(VDPA_VHOST), "vhost-vdpa");
	ck_assert_int_lt(vdpa_attach(NOBODY, &why), 0);
	ck_assert_ptr_nonnull(strstr(why.text, NOBODY));
	why.text[0] = '\0';
	ck_assert_int_lt(vdpa_detach(NOBODY, &why), 0);
	ck_assert_ptr_nonnull(strstr(why.text, NOBODY));
	/* A kernel without the files is fine. */
	vdpa_spread_interrupts(NOBODY, 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vduse_control");
	TCase *tc = tcase_create("vduse_control");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, test_name, 0, sizeof(names) / sizeof(names[0]));
	tcase_add_test(tc, test_no_module);
	tcase_add_test(tc, test_no_device);
	tcase_add_test(tc, test_create_fails);
	tcase_add_test(tc, test_bus);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
