/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The journal of an encryption: what is written is read, the newer block
 * counts, one that is torn or damaged in any bit does not.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypt/encrypt_journal.h"
#include "tests/unit/blk_help.h"

#define CONTAINER ((17u << 20) + 512u)
#define FILE_SIZE ((17u << 20) + 4096u + ENCRYPT_JOURNAL_SIZE)

static const struct encrypt_journal sample = {
	.sequence = 5,
	.phase = ENCRYPT_VERIFY,
	.at = 1 << 19,
	.container = CONTAINER,
	.source = { 1000000, 77, -3 },
};

static int new_file(off_t size)
{
	char path[] = "/tmp/vcrypt-journal-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	unlink(path);
	ck_assert_int_eq(ftruncate(fd, size), 0);
	return fd;
}

static void assert_same(const struct encrypt_journal *a,
			const struct encrypt_journal *b)
{
	ck_assert_uint_eq(a->sequence, b->sequence);
	ck_assert_int_eq(a->phase, b->phase);
	ck_assert_uint_eq(a->at, b->at);
	ck_assert_uint_eq(a->container, b->container);
	ck_assert_uint_eq(a->source.size, b->source.size);
	ck_assert_uint_eq(a->source.inode, b->source.inode);
	ck_assert_int_eq(a->source.mtime, b->source.mtime);
}

START_TEST(test_round_trip)
{
	uint8_t block[ENCRYPT_JOURNAL_BLOCK];
	struct encrypt_journal j;

	encrypt_journal_encode(&sample, block);
	ck_assert_int_eq(encrypt_journal_decode(block, &j), 0);
	assert_same(&j, &sample);
}
END_TEST

START_TEST(test_every_bit_counts)
{
	uint8_t block[ENCRYPT_JOURNAL_BLOCK];
	struct encrypt_journal j;
	size_t i;

	encrypt_journal_encode(&sample, block);
	/* All bits of what is stored, and some of the zeroes behind it. */
	for (i = 0; i < 8 * ENCRYPT_JOURNAL_BLOCK; i += i < 800 ? 1 : 61) {
		block[i / 8] ^= (uint8_t)(1 << i % 8);
		if (encrypt_journal_decode(block, &j) != -EINVAL)
			ck_abort_msg("bit %zu does not count", i);
		block[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}
END_TEST

/* With a sum that is right. */
static const struct encrypt_journal senseless[] = {
	{ .phase = 3, .container = CONTAINER },
	{ .container = UINT64_MAX },
	{ .container = INT64_MAX },
	{ .container = CONTAINER, .source.size = CONTAINER + 1 },
	{ .container = CONTAINER, .at = CONTAINER + 1 },
};

START_TEST(test_senseless)
{
	uint8_t block[ENCRYPT_JOURNAL_BLOCK];
	struct encrypt_journal j;

	encrypt_journal_encode(&senseless[_i], block);
	ck_assert_int_eq(encrypt_journal_decode(block, &j), -EINVAL);
}
END_TEST

START_TEST(test_noise)
{
	uint8_t block[ENCRYPT_JOURNAL_BLOCK];
	struct encrypt_journal j;
	unsigned i;

	for (i = 0; i < 1000; i++) {
		fill_bytes(block, sizeof(block), i);
		ck_assert_int_eq(encrypt_journal_decode(block, &j), -EINVAL);
	}
}
END_TEST

START_TEST(test_blocks_take_turns)
{
	struct encrypt_journal j = sample, found;
	int fd = new_file(FILE_SIZE), i;
	off_t at[2] = { FILE_SIZE - 8192, FILE_SIZE - 4096 };

	ck_assert_uint_eq(encrypt_journal_offset(CONTAINER) +
				  ENCRYPT_JOURNAL_SIZE,
			  FILE_SIZE);
	ck_assert_int_eq(encrypt_journal_read(fd, FILE_SIZE, &found), -ENOENT);
	for (i = 0; i < 5; i++) {
		j.at += 1 << 19;
		ck_assert_int_eq(encrypt_journal_write(fd, &j), 0);
		ck_assert_uint_eq(j.sequence, sample.sequence + i + 1);
		ck_assert_int_eq(encrypt_journal_read(fd, FILE_SIZE, &found),
				 0);
		assert_same(&found, &j);
	}
	/* The latest is torn: the one before counts. */
	ck_assert_int_eq(pwrite(fd, "torn", 4, at[j.sequence % 2] + 20), 4);
	ck_assert_int_eq(encrypt_journal_read(fd, FILE_SIZE, &found), 0);
	ck_assert_uint_eq(found.sequence, j.sequence - 1);
	ck_assert_uint_eq(found.at, j.at - (1 << 19));
	ck_assert_int_eq(pwrite(fd, "torn", 4, at[found.sequence % 2] + 20), 4);
	ck_assert_int_eq(encrypt_journal_read(fd, FILE_SIZE, &found), -ENOENT);
	close(fd);
}
END_TEST

START_TEST(test_file_of_another_size)
{
	struct encrypt_journal j = sample, found;
	int fd = new_file(FILE_SIZE);

	ck_assert_int_eq(encrypt_journal_write(fd, &j), 0);
	ck_assert_int_eq(encrypt_journal_read(fd, 100, &found), -ENOENT);
	/* The journal of a container that is not as large. */
	j.container += 4096;
	ck_assert_int_eq(encrypt_journal_write(fd, &j), 0);
	ck_assert_int_eq(encrypt_journal_read(fd, FILE_SIZE + 4096, &found), 0);
	j.container -= 4096;
	ck_assert_int_eq(ftruncate(fd, FILE_SIZE), 0);
	ck_assert_int_eq(encrypt_journal_write(fd, &j), 0);
	ck_assert_int_eq(ftruncate(fd, FILE_SIZE - 4096), 0);
	ck_assert_int_eq(encrypt_journal_read(fd, FILE_SIZE - 4096, &found),
			 -ENOENT);
	close(fd);
}
END_TEST

START_TEST(test_errors)
{
	struct encrypt_journal j = sample, found;

	ck_assert_int_eq(encrypt_journal_read(-1, FILE_SIZE, &found), -EBADF);
	ck_assert_int_eq(encrypt_journal_write(-1, &j), -EBADF);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("encrypt_journal");
	TCase *tc = tcase_create("encrypt_journal");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_round_trip);
	tcase_add_test(tc, test_every_bit_counts);
	tcase_add_loop_test(tc, test_senseless, 0,
			    sizeof(senseless) / sizeof(senseless[0]));
	tcase_add_test(tc, test_noise);
	tcase_add_test(tc, test_blocks_take_turns);
	tcase_add_test(tc, test_file_of_another_size);
	tcase_add_test(tc, test_errors);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
