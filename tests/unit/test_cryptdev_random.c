/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The cipher device under random requests: 64 in flight, of 512 bytes to 4 MiB,
 * in segments of any length, ending below in any order.  What is stored must
 * be what a plain reference stores, and what is read what was written.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/loop.h"
#include "tests/unit/crypt_help.h"

#define SIZE	 (12U << 20)
#define DEPTH	 64U
#define MAX_LEN	 (4U << 20)
#define NR_REQS	 1500U
#define MAX_SEGS 64

static const struct random_row {
	uint32_t sector_size;
	uint32_t key_bytes;
	enum xts_iv iv;
	bool deferred, reorder;
	bool at_once; /* each request ends before the next one: few will do */
} random_rows[] = {
	{ 512, 64, XTS_IV_PLAIN64, false, false, true },
	{ 512, 32, XTS_IV_PLAIN, false, true },
	{ 1024, 64, XTS_IV_PLAIN64, true, false },
	{ 2048, 64, XTS_IV_PLAIN64, true, true },
	{ 4096, 32, XTS_IV_PLAIN64, false, true },
	{ 4096, 64, XTS_IV_PLAIN64, true, false },
};

struct test_req {
	struct blk_req req;
	struct state *state;
	struct iovec iov[MAX_SEGS];
	uint8_t *buf, *before; /* driver memory, and its copy for WRITE */
	size_t len;
	bool busy;
};

struct state {
	struct crypt_rig rig;
	uint8_t *model;		    /* the plaintext that must be there */
	uint8_t locked[SIZE / 512]; /* sectors of requests in flight */
	struct test_req reqs[DEPTH];
	unsigned seed, in_flight, ended;
};

static unsigned roll(struct state *st, unsigned n)
{
	return (unsigned)rand_r(&st->seed) % n;
}

static void check_end(struct test_req *t)
{
	uint8_t *model = t->state->model + t->req.sector * 512;

	switch (t->req.op) {
	case BLK_READ:
		ck_assert_msg(!memcmp(t->buf, model, t->len), "read");
		break;
	case BLK_WRITE:
		ck_assert_msg(!memcmp(t->buf, t->before, t->len),
			      "a write changed its buffer");
		memcpy(model, t->buf, t->len);
		break;
	case BLK_WRITE_ZEROES:
		memset(model, 0, t->len);
		break;
	default:
		break;
	}
	memset(t->state->locked + t->req.sector, 0, t->len / 512);
}

static void test_req_done(struct blk_req *req, int res)
{
	struct test_req *t = (struct test_req *)req;

	ck_assert_int_eq(res, 0);
	ck_assert(t->busy);
	if (req->op != BLK_FLUSH)
		check_end(t);
	t->busy = false;
	t->state->in_flight--;
	t->state->ended++;
	free(t->buf);
	free(t->before);
}

/* Segments of one byte, of whole sectors and of anything, some empty. */
static void split(struct state *st, struct test_req *t)
{
	size_t left = t->len, n;
	uint8_t *p = t->buf;
	unsigned style = roll(st, 4);

	t->req.iov = t->iov;
	t->req.iovcnt = 0;
	while (left) {
		if (t->req.iovcnt == MAX_SEGS - 1 || style == 0)
			n = left;
		else if (style == 1)
			n = 512 * roll(st, 17);
		else if (style == 2)
			n = roll(st, 3);
		else
			n = roll(st,
				 (unsigned)(left < 100000 ? left : 100000) + 1);
		if (n > left)
			n = left;
		t->iov[t->req.iovcnt++] = (struct iovec){ p, n };
		p += n;
		left -= n;
	}
}

static size_t random_len(struct state *st, uint32_t unit)
{
	static const unsigned limits[] = { 1, 8, 8, 32, 300, MAX_LEN / 512 };
	unsigned limit = limits[roll(st, 6)] * 512 / unit;

	return (size_t)unit * (1 + roll(st, limit ? limit : 1));
}

static bool lock_range(struct state *st, uint64_t sector, size_t len)
{
	if (memchr(st->locked + sector, 1, len / 512))
		return false;
	memset(st->locked + sector, 1, len / 512);
	return true;
}

static bool random_request(struct state *st, struct test_req *t)
{
	uint32_t unit = st->rig.params.sector_size;
	unsigned op = roll(st, 20);

	t->req.op = op < 9    ? BLK_READ
		    : op < 18 ? BLK_WRITE
		    : op < 19 ? BLK_WRITE_ZEROES
			      : BLK_FLUSH;
	t->req.flags = roll(st, 8) ? 0 : BLK_FUA;
	t->len = random_len(st, unit);
	t->req.nr_sectors = t->len / 512;
	t->req.sector =
		roll(st, (unsigned)(SIZE - t->len) / unit + 1) * (unit / 512);
	t->buf = t->before = NULL;
	if (t->req.op == BLK_FLUSH)
		return true;
	if (!lock_range(st, t->req.sector, t->len))
		return false;
	if (t->req.op == BLK_WRITE_ZEROES)
		return true;
	t->buf = malloc(t->len);
	fill_bytes(t->buf, t->len, (unsigned)rand_r(&st->seed));
	if (t->req.op == BLK_WRITE) {
		t->before = malloc(t->len);
		memcpy(t->before, t->buf, t->len);
	}
	split(st, t);
	return true;
}

static void submit_some(struct state *st)
{
	unsigned i;

	for (i = 0; i < DEPTH; i++) {
		struct test_req *t = &st->reqs[i];

		if (t->busy || !random_request(st, t))
			continue;
		t->req.tag = i;
		t->req.end_io = test_req_done;
		t->state = st;
		t->busy = true;
		st->in_flight++;
		blk_submit(st->rig.blk.queue, &t->req);
	}
}

START_TEST(test_random)
{
	const struct random_row *row = &random_rows[_i];
	struct cryptdev_params p = { .key_bytes = row->key_bytes,
				     .sector_size = row->sector_size,
				     .iv = row->iv };
	struct state *st = calloc(1, sizeof(*st));

	st->seed = 1000 + (unsigned)_i;
	st->model = malloc(SIZE);
	crypt_rig_open(&st->rig, &p, SIZE, DEPTH, row->deferred);
	st->rig.fault->reorder = row->reorder;
	/* What nobody has written decrypts to something, too. */
	ref_crypt(&st->rig.params, false, 0, st->model, st->rig.data, SIZE);
	while (st->ended < (row->at_once ? NR_REQS / 10 : NR_REQS)) {
		submit_some(st);
		ck_assert_int_eq(loop_turn(st->rig.blk.loop, false), 0);
	}
	while (st->in_flight)
		ck_assert_int_eq(loop_turn(st->rig.blk.loop, false), 0);
	assert_stored(&st->rig, 0, st->model, SIZE);
	crypt_rig_close(&st->rig);
	free(st->model);
	free(st);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cryptdev, random");
	TCase *tc = tcase_create("random");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_random, 0,
			    sizeof(random_rows) / sizeof(*random_rows));
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
