/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The cipher device in several queues: those of one thread share its memory and
 * cipher, and each thread has its own.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "backend/mem.h"
#include "lib/loop.h"
#include "tests/unit/crypt_help.h"

#define SIZE	  (16U << 20)
#define NR_QUEUES 3
#define DEPTH	  16

static const struct cryptdev_params params = { .sector_size = 4096,
					       .iv = XTS_IV_PLAIN64 };

/* --- queues of one thread ---------------------------------------------- */

static struct crypt_rig rig;
static struct blk_queue *queues[NR_QUEUES];

/* The first one is the rig's; it has sealed the loop. */
static void open_queues(void)
{
	unsigned i;

	crypt_rig_open(&rig, &params, SIZE, DEPTH, true);
	queues[0] = rig.blk.queue;
	for (i = 1; i < NR_QUEUES; i++)
		ck_assert_int_eq(blk_open_queue(rig.blk.dev, rig.blk.loop,
						DEPTH, &queues[i]),
				 0);
}

static void close_queues(void)
{
	unsigned i;

	for (i = 1; i < NR_QUEUES; i++)
		blk_close_queue(queues[i]);
	crypt_rig_close(&rig);
}

struct test_req {
	struct blk_req req;
	struct iovec iov;
	bool in_flight;
	unsigned ended_at; /* place among all that have ended, from 1 */
};

static struct test_req reqs[NR_QUEUES][DEPTH];
static unsigned in_flight, ends;

static void test_req_done(struct blk_req *req, int res)
{
	struct test_req *t = (struct test_req *)req;

	ck_assert_int_eq(res, 0);
	ck_assert(t->in_flight);
	t->in_flight = false;
	t->ended_at = ++ends;
	in_flight--;
}

static void submit(unsigned q, unsigned tag, enum blk_op op, uint64_t sector,
		   void *buf, size_t len)
{
	struct test_req *t = &reqs[q][tag];

	t->iov = (struct iovec){ buf, len };
	t->req = (struct blk_req){ .op = op,
				   .tag = tag,
				   .sector = sector,
				   .nr_sectors = len / 512,
				   .iov = &t->iov,
				   .iovcnt = 1,
				   .end_io = test_req_done };
	t->in_flight = true;
	in_flight++;
	blk_submit(queues[q], &t->req);
}

static void wait_for_all(void)
{
	while (in_flight)
		ck_assert_int_eq(loop_turn(rig.blk.loop, false), 0);
}

/* All tags of all queues, each with a part of the disk of its own. */
static void submit_all(enum blk_op op, uint8_t *buf, size_t len)
{
	unsigned tag, q;

	for (tag = 0; tag < DEPTH; tag++) {
		for (q = 0; q < NR_QUEUES; q++) {
			size_t at = (q * DEPTH + tag) * len;

			submit(q, tag, op, at / 512, buf + at, len);
		}
	}
}

static const struct shared_row {
	size_t len;
	unsigned at_once; /* requests below at the same time */
} shared_rows[] = {
	{ 4096, 2 * DEPTH },
	{ 16384, 2 * DEPTH },
	{ 160 << 10, 4 * DEPTH }, /* a large piece and the rest of each */
};

/*
 * Whatever queue a buffer comes from and goes to next, more requests than
 * there are buffers, in any order: each gets what is its own.
 */
START_TEST(test_shared)
{
	const struct shared_row *r = &shared_rows[_i];
	const size_t all = r->len * NR_QUEUES * DEPTH;
	uint8_t *plain = malloc(all), *got = calloc(1, all);
	unsigned round;

	open_queues();
	rig.fault->reorder = true;
	for (round = 1; round <= 3; round++) {
		fill_bytes(plain, all, round);
		submit_all(BLK_WRITE, plain, r->len);
		wait_for_all();
		assert_stored(&rig, 0, plain, all);
		submit_all(BLK_READ, got, r->len);
		wait_for_all();
		ck_assert_mem_eq(got, plain, all);
	}
	ck_assert_uint_gt(rig.fault->max_in_flight, DEPTH);
	ck_assert_uint_le(rig.fault->max_in_flight, r->at_once);
	close_queues();
	free(plain);
	free(got);
}
END_TEST

static const struct starve_row {
	enum blk_op op;
	size_t many, one; /* bytes, of each request */
} starve_rows[] = {
	{ BLK_READ, 1 << 20, 128 << 10 },
	{ BLK_WRITE, 1 << 20, 128 << 10 },
	{ BLK_WRITE, 1 << 20, 1 << 20 },
};

/* A queue that has taken all buffers gives the other one half of the next. */
START_TEST(test_no_queue_starves)
{
	const struct starve_row *r = &starve_rows[_i];
	uint8_t *buf = calloc(DEPTH + 1, 1 << 20);
	unsigned tag;

	open_queues();
	for (tag = 0; tag < DEPTH; tag++)
		submit(0, tag, r->op, 0, buf + (tag << 20), r->many);
	submit(1, 0, r->op, 0, buf + (DEPTH << 20), r->one);
	wait_for_all();
	ck_assert_uint_le(reqs[1][0].ended_at, DEPTH * 3 / 4);
	close_queues();
	free(buf);
}
END_TEST

/* The others go on; what is shared goes with the last one. */
START_TEST(test_one_closes)
{
	uint8_t *plain = malloc(1 << 20), *got = calloc(1, 1 << 20);
	unsigned q;

	open_queues();
	for (q = 0; q < NR_QUEUES - 1; q++) {
		blk_close_queue(queues[q]);
		fill_bytes(plain, 1 << 20, q);
		submit(q + 1, 0, BLK_WRITE, 2048, plain, 1 << 20);
		wait_for_all();
		submit(q + 1, 0, BLK_READ, 2048, got, 1 << 20);
		wait_for_all();
		ck_assert_mem_eq(got, plain, 1 << 20);
	}
	blk_close_queue(queues[q]);
	rig.blk.queue = NULL;
	crypt_rig_close(&rig);
	free(plain);
	free(got);
}
END_TEST

/* Until the last queue of the loop has gone; other loops have theirs. */
START_TEST(test_registered)
{
	struct blk_queue *other[2];
	struct loop *loop;
	bool has, rig_has;
	int i;

	open_queues();
	rig_has = loop_has_memory(rig.blk.loop);
	ck_assert_int_eq(loop_new(8, &loop), 0);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(
			blk_open_queue(rig.blk.dev, loop, DEPTH, &other[i]), 0);
	/* RLIMIT_MEMLOCK may be too small for one of them. */
	has = loop_has_memory(loop);
	blk_close_queue(other[0]);
	ck_assert_int_eq(loop_has_memory(loop), has);
	blk_close_queue(other[1]);
	ck_assert(!loop_has_memory(loop));
	loop_free(loop);
	ck_assert_int_eq(loop_has_memory(rig.blk.loop), rig_has);
	close_queues();
}
END_TEST

static int refuse_queue(struct blk_dev *dev, struct loop *loop, unsigned depth,
			struct blk_queue **ret)
{
	return -EMFILE;
}

/* Below, or no memory: nothing is kept, and the next attempt may succeed. */
START_TEST(test_open_fails)
{
	const struct rlimit none = { 0, RLIM_INFINITY };
	const struct blk_ops *good;
	struct blk_ops bad;
	struct blk_queue *q;
	struct rlimit lim;

	crypt_rig_open(&rig, &params, SIZE, DEPTH, true);
	blk_close_queue(rig.blk.queue);
	good = rig.fault->base.ops;
	bad = *good;
	bad.open_queue = refuse_queue;
	rig.fault->base.ops = &bad;
	ck_assert_int_eq(blk_open_queue(rig.blk.dev, rig.blk.loop, 4, &q),
			 -EMFILE);
	rig.fault->base.ops = good;
	ck_assert_int_eq(getrlimit(RLIMIT_AS, &lim), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
	ck_assert_int_eq(blk_open_queue(rig.blk.dev, rig.blk.loop, 4, &q),
			 -ENOMEM);
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &lim), 0);
	ck_assert_int_eq(blk_open_queue(rig.blk.dev, rig.blk.loop, DEPTH,
					&rig.blk.queue),
			 0);
	crypt_rig_close(&rig);
}
END_TEST

/* --- threads ---------------------------------------------------------- */

#define NR_THREADS 3

struct worker {
	pthread_t thread;
	struct blk_dev *dev;
	unsigned nr;
	unsigned bad;
};

/* A queue and a share of the disk of its own. */
static void *work(void *arg)
{
	struct worker *w = arg;
	const size_t len = 300 << 10, share = SIZE / NR_THREADS / 4096 * 4096;
	uint8_t *plain = malloc(len), *got = malloc(len);
	struct blk_rig r;
	unsigned i;

	rig_open(&r, w->dev, 16);
	for (i = 0; i < 40; i++) {
		uint64_t sector = (w->nr * share + i * 65536) / 512;

		fill_bytes(plain, len, w->nr * 1000 + i);
		w->bad += !!rig_do(&r, BLK_WRITE, 0, sector, plain, len);
		w->bad += !!rig_do(&r, BLK_READ, 0, sector, got, len);
		w->bad += !!memcmp(plain, got, len);
	}
	blk_close_queue(r.queue);
	loop_free(r.loop);
	free(plain);
	free(got);
	return NULL;
}

START_TEST(test_threads)
{
	struct mem_blk_options opt = { .deferred = true };
	struct worker w[NR_THREADS] = { 0 };
	struct cryptdev_params p = params;
	struct blk_dev *mem, *dev;
	uint8_t key[64];
	unsigned i;

	fill_bytes(key, 64, 1);
	p.key = key;
	p.key_bytes = 64;
	p.data_size = SIZE;
	ck_assert_int_eq(mem_blk_new(SIZE / 512, &opt, &mem), 0);
	ck_assert_int_eq(cryptdev_new(mem, &p, &dev, NULL), 0);
	memset(key, 0, 64);
	for (i = 0; i < NR_THREADS; i++) {
		w[i].dev = dev;
		w[i].nr = i;
		ck_assert_int_eq(
			pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
	for (i = 0; i < NR_THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		ck_assert_uint_eq(w[i].bad, 0);
	}
	blk_close(dev);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cryptdev, queues and threads");
	TCase *tc = tcase_create("threads");
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_set_fork_status(sr, CK_FORK);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_shared, 0,
			    sizeof(shared_rows) / sizeof(*shared_rows));
	tcase_add_loop_test(tc, test_no_queue_starves, 0,
			    sizeof(starve_rows) / sizeof(*starve_rows));
	tcase_add_test(tc, test_one_closes);
	tcase_add_test(tc, test_registered);
	tcase_add_test(tc, test_open_fails);
	tcase_add_test(tc, test_threads);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
