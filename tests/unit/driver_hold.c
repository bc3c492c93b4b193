/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* A block device that does what the test says: see driver_hold.h. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/driver_hold.h"

static int open_queue(struct blk_dev *dev, struct loop *loop, unsigned depth,
		      struct blk_queue **ret)
{
	const struct hold *hold = (const struct hold *)dev;

	ck_assert_uint_le(depth, HOLD_MAX);
	if (hold->open_err)
		return hold->open_err;
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

static void close_queue(struct blk_queue *queue)
{
	free(queue);
}

static void close_dev(struct blk_dev *dev)
{
}

static void finish(struct hold *hold, struct blk_req *req, int res)
{
	int i;

	for (i = 0; !res && req->op == BLK_READ && i < req->iovcnt; i++)
		memset(req->iov[i].iov_base, hold->fill, req->iov[i].iov_len);
	blk_end(req, res);
}

static void submit(struct blk_queue *queue, struct blk_req *req)
{
	struct hold *hold = (struct hold *)queue->dev;

	hold->seen[req->op]++;
	hold->last = *req;
	if (hold->fail_at && !--hold->fail_at)
		blk_end(req, -EIO);
	else if (!hold->hold)
		finish(hold, req, hold->res);
	else
		hold->held[hold->nr_held++] = req;
}

void hold_end(struct hold *hold, unsigned i, int res)
{
	struct blk_req *req = hold->held[i];

	ck_assert_uint_lt(i, hold->nr_held);
	hold->nr_held--;
	memmove(&hold->held[i], &hold->held[i + 1],
		(hold->nr_held - i) * sizeof(*hold->held));
	finish(hold, req, res);
}

static const struct blk_ops hold_ops = {
	.name = "hold",
	.open_queue = open_queue,
	.submit = submit,
	.close_queue = close_queue,
	.close = close_dev,
};

void hold_init(struct hold *hold, uint64_t nr_sectors, uint32_t block_size)
{
	*hold = (struct hold){
		.dev.ops = &hold_ops,
		.dev.info = {
			.nr_sectors = nr_sectors,
			.block_size = block_size,
			.phys_block_size = block_size,
			.cache = "none",
		},
	};
}
