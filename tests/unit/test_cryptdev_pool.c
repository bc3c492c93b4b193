/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The cipher device's private memory: bounded, never short for small requests,
 * and shared fairly.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "backend/mem.h"
#include "lib/loop.h"
#include "tests/unit/crypt_help.h"

#define SIZE	  (32U << 20)
#define MAX_DEPTH 512

static const struct cryptdev_params params = { .sector_size = 4096,
					       .iv = XTS_IV_PLAIN64 };

struct test_req {
	struct blk_req req;
	struct iovec iov;
	unsigned *clock;
	unsigned ended_at; /* 0: in flight */
};

static struct crypt_rig rig;
static struct test_req reqs[MAX_DEPTH];
static unsigned ends;

static void test_req_done(struct blk_req *req, int res)
{
	struct test_req *t = (struct test_req *)req;

	ck_assert_int_eq(res, 0);
	ck_assert_uint_eq(t->ended_at, 0);
	t->ended_at = ++*t->clock;
}

static void submit(unsigned i, enum blk_op op, uint64_t sector, void *buf,
		   size_t len)
{
	struct test_req *t = &reqs[i];

	memset(t, 0, sizeof(*t));
	t->iov = (struct iovec){ buf, len };
	t->req.op = op;
	t->req.tag = i;
	t->req.sector = sector;
	t->req.nr_sectors = len / 512;
	t->req.iov = &t->iov;
	t->req.iovcnt = 1;
	t->req.end_io = test_req_done;
	t->clock = &ends;
	blk_submit(rig.blk.queue, &t->req);
}

static void wait_for(unsigned n)
{
	while (ends < n)
		ck_assert_int_eq(loop_turn(rig.blk.loop, false), 0);
	ck_assert_uint_eq(ends, n);
}

/* As many small requests as the queue takes are at the disk at once. */
START_TEST(test_small_never_wait)
{
	uint8_t *buf = calloc(128, 4096);
	unsigned i;

	crypt_rig_open(&rig, &params, SIZE, 128, false);
	rig.fault->hold = true;
	for (i = 0; i < 128; i++)
		submit(i, i % 2 ? BLK_WRITE : BLK_READ, i * 8, buf + i * 4096,
		       4096);
	ck_assert_uint_eq(rig.fault->in_flight, 128);
	rig.fault->hold = false;
	wait_for(128);
	crypt_rig_close(&rig);
	free(buf);
}
END_TEST

static const struct exhaust_row {
	unsigned depth;
	size_t len;
	enum blk_op op;
} exhaust_rows[] = {
	{ 512, 4096, BLK_READ },       { 512, 4096, BLK_WRITE },
	{ 256, 16384, BLK_WRITE },     { 128, 128 << 10, BLK_READ },
	{ 128, 132 << 10, BLK_WRITE }, { 64, 4 << 20, BLK_READ },
	{ 64, 4 << 20, BLK_WRITE },    { 64, 4 << 20, BLK_WRITE_ZEROES },
	{ 1, 4 << 20, BLK_WRITE },
};

/* More than there are buffers for: bounded, and all of them end. */
START_TEST(test_exhausted)
{
	const struct exhaust_row *r = &exhaust_rows[_i];
	uint8_t *buf = calloc(1, r->len);
	unsigned i, round;

	crypt_rig_open(&rig, &params, SIZE, r->depth, _i % 2);
	ends = 0;
	for (round = 1; round <= 3; round++) {
		rig.fault->reorder = round == 2;
		rig.fault->hold = true;
		for (i = 0; i < r->depth; i++)
			submit(i, r->op, 0, buf, r->len);
		ck_assert_uint_eq(ends, r->depth * (round - 1));
		ck_assert_uint_le(rig.fault->in_flight, 360);
		rig.fault->hold = false;
		wait_for(r->depth * round);
	}
	ck_assert_uint_le(rig.fault->max_sectors, (128 << 10) / 512);
	crypt_rig_close(&rig);
	free(buf);
}
END_TEST

/* Requests of a megabyte do not wait for one that is as large as the disk. */
START_TEST(test_huge_does_not_starve_others)
{
	uint8_t *buf = calloc(1, SIZE);
	unsigned i;

	crypt_rig_open(&rig, &params, SIZE, 16, true);
	ends = 0;
	submit(0, _i ? BLK_WRITE_ZEROES : BLK_WRITE, 0, buf, SIZE);
	for (i = 1; i < 9; i++)
		submit(i, BLK_READ, 0, buf + i * (1 << 20), 1 << 20);
	submit(9, BLK_READ, 0, buf, 4096);
	wait_for(10);
	ck_assert_uint_eq(reqs[0].ended_at, 10);
	ck_assert_uint_eq(reqs[9].ended_at, 1);
	/* First come, first served among equals. */
	for (i = 1; i < 8; i++)
		ck_assert_uint_lt(reqs[i].ended_at, reqs[i + 1].ended_at);
	crypt_rig_close(&rig);
	free(buf);
}
END_TEST

/* Requests that follow on the end of others, on a disk that never waits. */
static unsigned chained;

static void chain_done(struct blk_req *req, int res)
{
	ck_assert_int_eq(res, 0);
	if (++chained < 100000)
		blk_submit(req->queue, req);
}

START_TEST(test_stack_stays_flat)
{
	uint8_t *buf = calloc(1, 8192);
	unsigned i;

	crypt_rig_open(&rig, &params, SIZE, 4, false);
	for (i = 0; i < 4; i++) {
		reqs[i].iov = (struct iovec){ buf, 4096 };
		reqs[i].req = (struct blk_req){ .op = i % 2,
						.tag = i,
						.nr_sectors = 8,
						.iov = &reqs[i].iov,
						.iovcnt = 1,
						.end_io = chain_done };
		blk_submit(rig.blk.queue, &reqs[i].req);
	}
	ck_assert_uint_ge(chained, 100000);
	crypt_rig_close(&rig);
	free(buf);
}
END_TEST

/*
 * With a small RLIMIT_MEMLOCK it works as well; status can say so.  What counts
 * is the memory of all processes of a user, so this one has a user of its own.
 */
START_TEST(test_memory_registration)
{
	const struct rlimit small = { 512 << 10, 512 << 10 };
	const uid_t uid = 0x10000000 + (uid_t)getpid();
	uint8_t *buf = calloc(1, 1 << 20);

	ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &small), 0);
	if (!getuid())
		ck_assert_int_eq(setresuid(uid, uid, uid), 0);
	crypt_rig_open(&rig, &params, SIZE, 16, false);
	ck_assert(!loop_has_memory(rig.blk.loop));
	ck_assert_int_eq(rig_do(&rig.blk, BLK_WRITE, 0, 0, buf, 1 << 20), 0);
	crypt_rig_close(&rig);
	free(buf);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cryptdev, memory");
	TCase *tc = tcase_create("memory");
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_set_fork_status(sr, CK_FORK);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_small_never_wait);
	tcase_add_loop_test(tc, test_exhausted, 0,
			    sizeof(exhaust_rows) / sizeof(*exhaust_rows));
	tcase_add_loop_test(tc, test_huge_does_not_starve_others, 0, 2);
	tcase_add_test(tc, test_stack_stays_flat);
	tcase_add_test(tc, test_memory_registration);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
