/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The block contract: which requests are let through, and how they end. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/mem.h"
#include "lib/loop.h"
#include "tests/unit/blk_help.h"
#include "tests/unit/fault_blk.h"

#define NR_SECTORS 64

static uint8_t buf[NR_SECTORS * 512];

static const struct check_row {
	const char *name;
	uint32_t block_size;
	bool readonly, discard;
	int op;
	uint64_t sector, nr_sectors;
	size_t bytes; /* of the segments */
	int err;
} check_rows[] = {
	{ "read", 512, 0, 0, BLK_READ, 0, 1, 512, 0 },
	{ "all", 512, 0, 0, BLK_WRITE, 0, 64, 32768, 0 },
	{ "last", 512, 0, 0, BLK_READ, 63, 1, 512, 0 },
	{ "nothing", 512, 0, 0, BLK_READ, 64, 0, 0, 0 },
	{ "over the end", 512, 0, 0, BLK_READ, 63, 2, 1024, -EIO },
	{ "behind the end", 512, 0, 0, BLK_WRITE, 65, 1, 512, -EIO },
	{ "sum overflows", 512, 0, 0, BLK_WRITE_ZEROES, 8, -8ull, 0, -EIO },
	{ "far away", 512, 0, 0, BLK_READ, -1ull, 1, 512, -EIO },
	{ "short segments", 512, 0, 0, BLK_READ, 0, 2, 512, -EINVAL },
	{ "long segments", 512, 0, 0, BLK_WRITE, 0, 1, 1024, -EINVAL },
	{ "odd segments", 512, 0, 0, BLK_READ, 0, 1, 513, -EINVAL },
	{ "4096, start", 4096, 0, 0, BLK_READ, 1, 8, 4096, -EINVAL },
	{ "4096, length", 4096, 0, 0, BLK_READ, 8, 1, 512, -EINVAL },
	{ "4096", 4096, 0, 0, BLK_READ, 56, 8, 4096, 0 },
	{ "ro write", 512, 1, 1, BLK_WRITE, 0, 1, 512, -EROFS },
	{ "ro discard", 512, 1, 1, BLK_DISCARD, 0, 1, 0, -EROFS },
	{ "ro zeroes", 512, 1, 1, BLK_WRITE_ZEROES, 0, 1, 0, -EROFS },
	{ "ro flush", 512, 1, 1, BLK_FLUSH, 0, 0, 0, 0 },
	{ "ro read", 512, 1, 1, BLK_READ, 0, 1, 512, 0 },
	{ "no discard", 512, 0, 0, BLK_DISCARD, 0, 1, 0, -EOPNOTSUPP },
	{ "discard", 512, 0, 1, BLK_DISCARD, 0, 64, 0, 0 },
	{ "zeroes", 512, 0, 0, BLK_WRITE_ZEROES, 1, 3, 0, 0 },
	{ "flush, nonsense", 512, 0, 0, BLK_FLUSH, 77, 99, 0, 0 },
	{ "no operation", 512, 0, 0, 5, 0, 1, 512, -EOPNOTSUPP },
	{ "no operation", 512, 0, 0, -1, 0, 1, 512, -EOPNOTSUPP },
};

START_TEST(test_check)
{
	const struct check_row *r = &check_rows[_i];
	struct blk_dev dev = { .info = { .nr_sectors = NR_SECTORS,
					 .block_size = r->block_size,
					 .readonly = r->readonly,
					 .discard = r->discard } };
	struct iovec iov = { buf, r->bytes };
	struct blk_req req = { .op = (enum blk_op)r->op,
			       .sector = r->sector,
			       .nr_sectors = r->nr_sectors,
			       .iov = &iov,
			       .iovcnt = 1 };

	ck_assert_msg(blk_check(&dev, &req) == r->err, "%s: %d", r->name,
		      blk_check(&dev, &req));
}
END_TEST

START_TEST(test_segments_overflow)
{
	struct blk_dev dev = { .info = { .nr_sectors = NR_SECTORS,
					 .block_size = 512 } };
	struct iovec iov[] = { { buf, SIZE_MAX - 511 }, { buf, 1024 } };
	struct blk_req req = { .nr_sectors = 1, .iov = iov, .iovcnt = 2 };

	ck_assert_int_eq(blk_check(&dev, &req), -EINVAL);
}
END_TEST

/* What is refused ends like any other, and never reaches the device. */
START_TEST(test_refused_ends)
{
	struct mem_blk_options opt = { 0 };
	struct fault_blk *f;
	struct blk_dev *mem;
	struct blk_rig rig;

	ck_assert_int_eq(mem_blk_new(NR_SECTORS, &opt, &mem), 0);
	ck_assert_int_eq(fault_blk_new(mem, &f), 0);
	rig_open(&rig, &f->base, 1);
	ck_assert_int_eq(rig_do(&rig, BLK_READ, 0, 64, buf, 512), -EIO);
	ck_assert_int_eq(rig_do(&rig, BLK_READ, 0, 0, buf, 0), 0);
	ck_assert_uint_eq(f->count[BLK_READ], 0);
	ck_assert_uint_eq(rig.queue->in_flight, 0);
	ck_assert_int_eq(rig_do(&rig, BLK_READ, 0, 0, buf, 512), 0);
	ck_assert_uint_eq(f->count[BLK_READ], 1);
	rig_close(&rig);
}
END_TEST

START_TEST(test_close_null)
{
	blk_close_queue(NULL);
	blk_close(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("blk");
	TCase *tc = tcase_create("blk");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, test_check, 0,
			    sizeof(check_rows) / sizeof(*check_rows));
	tcase_add_test(tc, test_segments_overflow);
	tcase_add_test(tc, test_refused_ends);
	tcase_add_test(tc, test_close_null);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
