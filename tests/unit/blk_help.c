/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Requests that are waited for: see blk_help.h. */
#include <check.h>

#include "lib/loop.h"
#include "tests/unit/blk_help.h"

struct waited {
	struct blk_req req;
	int ended, res;
};

void rig_open(struct blk_rig *rig, struct blk_dev *dev, unsigned depth)
{
	rig->dev = dev;
	ck_assert_int_eq(loop_new(64, &rig->loop), 0);
	ck_assert_int_eq(blk_open_queue(dev, rig->loop, depth, &rig->queue), 0);
	ck_assert_int_eq(loop_seal(rig->loop), 0);
}

void rig_close(struct blk_rig *rig)
{
	blk_close_queue(rig->queue);
	loop_free(rig->loop);
	blk_close(rig->dev);
}

static void waited_done(struct blk_req *req, int res)
{
	struct waited *w = (struct waited *)req;

	w->res = res;
	w->ended++;
}

int rig_run(struct blk_rig *rig, struct blk_req *req)
{
	struct waited w = { .req = *req };

	w.req.end_io = waited_done;
	blk_submit(rig->queue, &w.req);
	while (!w.ended)
		ck_assert_int_eq(loop_turn(rig->loop, true), 0);
	ck_assert_int_eq(w.ended, 1);
	return w.res;
}

int rig_do(struct blk_rig *rig, enum blk_op op, unsigned flags, uint64_t sector,
	   void *buf, size_t len)
{
	struct iovec iov = { buf, len };
	struct blk_req req = {
		.op = op,
		.flags = flags,
		.sector = sector,
		.nr_sectors = len / BLK_SECTOR_SIZE,
		.iov = &iov,
		.iovcnt = buf ? 1 : 0,
	};

	return rig_run(rig, &req);
}

void fill_bytes(void *buf, size_t len, unsigned seed)
{
	uint64_t v = seed * 0x9e3779b97f4a7c15ull + 1;
	uint8_t *p = buf;
	size_t n;

	for (; len; len -= n, p += n) {
		v ^= v << 13;
		v ^= v >> 7;
		v ^= v << 17;
		n = len < sizeof(v) ? len : sizeof(v);
		memcpy(p, &v, n);
	}
}
