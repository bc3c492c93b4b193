/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The memory device: operations, and when requests end. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/mem.h"
#include "lib/loop.h"
#include "tests/unit/blk_help.h"

#define NR_SECTORS 64
#define LEN	   (NR_SECTORS * 512)

static uint8_t buf[LEN], plain[LEN];

START_TEST(test_operations)
{
	struct mem_blk_options opt = { .deferred = _i };
	struct iovec iov[] = { { buf, 100 }, { buf + 100, 924 } };
	struct blk_req req = {
		.sector = 2, .nr_sectors = 2, .iov = iov, .iovcnt = 2
	};
	struct blk_dev *dev;
	struct blk_rig rig;

	fill_bytes(plain, LEN, 1);
	ck_assert_int_eq(mem_blk_new(NR_SECTORS, &opt, &dev), 0);
	rig_open(&rig, dev, 2);
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, 0, plain, LEN), 0);
	ck_assert_mem_eq(mem_blk_data(dev), plain, LEN);
	ck_assert_int_eq(rig_run(&rig, &req), 0);
	ck_assert_mem_eq(buf, plain + 1024, 1024);
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE_ZEROES, 0, 1, NULL, 512), 0);
	ck_assert_int_eq(rig_do(&rig, BLK_DISCARD, 0, 2, NULL, 512), 0);
	ck_assert_int_eq(rig_do(&rig, BLK_FLUSH, 0, 0, NULL, 0), 0);
	memset(plain + 512, 0, 1024);
	ck_assert_mem_eq(mem_blk_data(dev), plain, LEN);
	rig_close(&rig);
}
END_TEST

struct noted {
	struct blk_req req;
	struct iovec iov;
	unsigned again, ended_at;
};

static unsigned nr_ended;

static void noted_done(struct blk_req *req, int res)
{
	struct noted *n = (struct noted *)req;

	ck_assert_int_eq(res, 0);
	n->ended_at = ++nr_ended;
	if (n->again--)
		blk_submit(req->queue, req);
}

START_TEST(test_when)
{
	struct mem_blk_options opt = { .deferred = _i };
	struct noted n[4] = { 0 };
	struct blk_dev *dev;
	struct blk_rig rig;
	unsigned i;

	ck_assert_int_eq(mem_blk_new(NR_SECTORS, &opt, &dev), 0);
	rig_open(&rig, dev, 4);
	nr_ended = 0;
	for (i = 0; i < 4; i++) {
		n[i].iov = (struct iovec){ buf, 512 };
		n[i].again = 5;
		n[i].req = (struct blk_req){ .tag = i,
					     .nr_sectors = 1,
					     .iov = &n[i].iov,
					     .iovcnt = 1,
					     .end_io = noted_done };
		blk_submit(rig.queue, &n[i].req);
	}
	ck_assert_uint_eq(nr_ended, _i ? 0 : 24);
	/* One round a turn, in the order of submission. */
	for (i = 1; _i && i <= 6; i++) {
		ck_assert_int_eq(loop_turn(rig.loop, true), 0);
		ck_assert_uint_eq(nr_ended, 4 * i);
		ck_assert_uint_eq(n[0].ended_at, 4 * i - 3);
		ck_assert_uint_eq(n[3].ended_at, 4 * i);
	}
	rig_close(&rig);
}
END_TEST

START_TEST(test_readonly)
{
	struct mem_blk_options opt = { .readonly = true, .block_size = 4096 };
	struct blk_dev *dev;
	struct blk_rig rig;

	ck_assert_int_eq(mem_blk_new(NR_SECTORS, &opt, &dev), 0);
	ck_assert_uint_eq(dev->info.block_size, 4096);
	rig_open(&rig, dev, 1);
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, 0, buf, 4096), -EROFS);
	ck_assert_int_eq(rig_do(&rig, BLK_READ, 0, 0, buf, 512), -EINVAL);
	rig_close(&rig);
}
END_TEST

START_TEST(test_no_memory)
{
	struct mem_blk_options opt = { 0 };
	struct blk_dev *dev = (struct blk_dev *)buf;

	ck_assert_int_eq(mem_blk_new(1ull << 50, &opt, &dev), -ENOMEM);
	ck_assert_ptr_eq(dev, buf);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("memory device");
	TCase *tc = tcase_create("memory");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, test_operations, 0, 2);
	tcase_add_loop_test(tc, test_when, 0, 2);
	tcase_add_test(tc, test_readonly);
	tcase_add_test(tc, test_no_memory);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
