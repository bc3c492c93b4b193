/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Wiping a data area: all of it and nothing else becomes encrypted zeroes. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypt/data_area.h"
#include "crypt/unlock.h"
#include "crypt/xts.h"
#include "lib/why.h"

#define OFFSET (64u << 10)   /* bytes */
#define SIZE   (1300u << 10) /* bytes: more than one piece, and a part */
#define BEHIND 4096u	     /* bytes */

static struct why why;
static uint8_t key[64];
static int fd;

static struct volume_info info = {
	.cipher = "aes-xts-plain64",
	.key_bytes = sizeof(key),
	.sector_size = 512,
	.data_offset = OFFSET,
	.data_size = SIZE,
};

static void setup(void)
{
	static const uint8_t x[4096] = { 'x' };
	size_t i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i * 7);
	fd = memfd_create("image", MFD_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	for (i = 0; i < OFFSET + SIZE + BEHIND; i += sizeof(x))
		ck_assert_int_eq(write(fd, x, sizeof(x)), sizeof(x));
	info.data_size = SIZE;
}

static void teardown(void)
{
	close(fd);
}

static uint8_t *contents(void)
{
	uint8_t *p = malloc(OFFSET + SIZE + BEHIND);

	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(pread(fd, p, OFFSET + SIZE + BEHIND, 0),
			 OFFSET + SIZE + BEHIND);
	return p;
}

static int note(void *arg, uint64_t at)
{
	uint64_t *last = arg;

	ck_assert_uint_ge(at, *last);
	*last = at;
	return 0;
}

static int refuse(void *arg, uint64_t at)
{
	return -EINTR;
}

START_TEST(test_wipe)
{
	const struct xts_params params = { key, sizeof(key), 512,
					   XTS_IV_PLAIN64 };
	uint64_t last = 0;
	struct xts *xts;
	uint8_t *p;
	size_t i;

	ck_assert_msg(!data_area_wipe(fd, "image", &info, key, note, &last,
				      &why),
		      "%s", why.text);
	ck_assert_uint_eq(last, SIZE);
	p = contents();
	for (i = 0; i < OFFSET; i++)
		ck_assert_int_eq(p[i], i % 4096 ? 0 : 'x');
	ck_assert_int_eq(p[OFFSET + SIZE], 'x');
	ck_assert_int_eq(xts_new(&params, &xts, NULL), 0);
	ck_assert_int_eq(xts_decrypt(xts, 0, p + OFFSET, p + OFFSET, SIZE), 0);
	for (i = 0; i < SIZE; i++)
		ck_assert_int_eq(p[OFFSET + i], 0);
	xts_free(xts);
	free(p);
}
END_TEST

START_TEST(test_stopped)
{
	ck_assert_int_eq(data_area_wipe(fd, "image", &info, key, refuse, NULL,
					&why),
			 -EINTR);
}
END_TEST

START_TEST(test_refused)
{
	uint8_t *p;

	info.data_size = 1ull << 40;
	ck_assert_int_eq(data_area_wipe(fd, "image", &info, key, NULL, NULL,
					&why),
			 -EINVAL);
	ck_assert_int_eq(strncmp(why.text, "image: ", 7), 0);
	p = contents();
	ck_assert_int_eq(p[OFFSET], 'x');
	free(p);
}
END_TEST

/* Whatever the descriptor does not allow is an error with the name. */
START_TEST(test_not_writable)
{
	char path[64];
	int ro;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(ro, 0);
	ck_assert_int_lt(
		data_area_wipe(ro, "image", &info, key, NULL, NULL, &why), 0);
	ck_assert_int_eq(strncmp(why.text, "image: ", 7), 0);
	close(ro);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("data_area");
	TCase *tc = tcase_create("data_area");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_wipe);
	tcase_add_test(tc, test_stopped);
	tcase_add_test(tc, test_refused);
	tcase_add_test(tc, test_not_writable);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
