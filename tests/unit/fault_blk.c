/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* A block device that delays, reorders and fails requests: see fault_blk.h. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "lib/loop.h"
#include "tests/unit/fault_blk.h"

struct fault_slot {
	struct blk_req down;
	struct blk_req *req;
	struct fault_queue *queue;
};

struct fault_queue {
	struct blk_queue base;
	struct blk_queue *lower;
	struct loop_task task;
	unsigned nr_held;
	struct fault_slot **held;
	struct fault_slot slots[];
};

static struct fault_blk *dev_of(struct fault_queue *q)
{
	return (struct fault_blk *)q->base.dev;
}

static void slot_end(struct fault_slot *s, int res)
{
	dev_of(s->queue)->in_flight--;
	blk_end(s->req, res);
}

static void down_done(struct blk_req *down, int res)
{
	slot_end((struct fault_slot *)down, res);
}

static bool fails(const struct fault_blk *f, const struct blk_req *req)
{
	if (!f->nth || req->op != f->op)
		return false;
	return f->only_one ? f->count[f->op] == f->nth
			   : f->count[f->op] >= f->nth;
}

static void release(struct fault_slot *s)
{
	struct fault_queue *q = s->queue;
	struct fault_blk *f = dev_of(q);

	f->count[s->req->op]++;
	if (fails(f, s->req)) {
		slot_end(s, f->err);
		return;
	}
	s->down = *s->req;
	s->down.sector -= f->hole;
	s->down.end_io = down_done;
	blk_submit(q->lower, &s->down);
}

/* Some of those that are held, any of them first. */
static void release_some(struct loop_task *task)
{
	struct fault_queue *q =
		(struct fault_queue *)((char *)task -
				       offsetof(struct fault_queue, task));
	struct fault_blk *f = dev_of(q);
	unsigned n, i;

	n = f->hold ? 0 : 1 + (unsigned)rand_r(&f->seed) % q->nr_held;
	while (n-- && q->nr_held) {
		struct fault_slot *s;

		i = (unsigned)rand_r(&f->seed) % q->nr_held;
		s = q->held[i];
		q->held[i] = q->held[--q->nr_held];
		/* The last one may end in the queue being closed. */
		if (n && q->nr_held) {
			release(s);
			continue;
		}
		if (q->nr_held)
			loop_defer(q->base.loop, &q->task);
		release(s);
		return;
	}
	if (q->nr_held)
		loop_defer(q->base.loop, &q->task);
}

static void fault_submit(struct blk_queue *queue, struct blk_req *req)
{
	struct fault_queue *q = (struct fault_queue *)queue;
	struct fault_slot *s = &q->slots[req->tag];
	struct fault_blk *f = dev_of(q);

	s->req = req;
	s->queue = q;
	f->fua += !!(req->flags & BLK_FUA);
	if (++f->in_flight > f->max_in_flight)
		f->max_in_flight = f->in_flight;
	if (req->op <= BLK_WRITE && req->nr_sectors > f->max_sectors)
		f->max_sectors = req->nr_sectors;
	if (!f->reorder && !f->hold) {
		release(s);
		return;
	}
	q->held[q->nr_held++] = s;
	loop_defer(queue->loop, &q->task);
}

static void fault_close_queue(struct blk_queue *queue)
{
	struct fault_queue *q = (struct fault_queue *)queue;

	blk_close_queue(q->lower);
	free(q->held);
	free(q);
}

static int fault_open_queue(struct blk_dev *dev, struct loop *loop,
			    unsigned depth, struct blk_queue **ret)
{
	struct fault_queue *q;
	int err;

	q = calloc(1, sizeof(*q) + depth * sizeof(q->slots[0]));
	if (!q)
		return -ENOMEM;
	q->task.run = release_some;
	q->held = calloc(depth, sizeof(struct fault_slot *));
	err = blk_open_queue(((struct fault_blk *)dev)->lower, loop, depth,
			     &q->lower);
	if (err) {
		fault_close_queue(&q->base);
		return err;
	}
	*ret = &q->base;
	return 0;
}

static void fault_close(struct blk_dev *dev)
{
	blk_close(((struct fault_blk *)dev)->lower);
	free(dev);
}

/* Up to what the lower device has. */
static int fault_resize(struct blk_dev *dev, uint64_t nr_sectors)
{
	if (nr_sectors > ((struct fault_blk *)dev)->lower->info.nr_sectors)
		return -ENOSPC;
	blk_set_nr_sectors(dev, nr_sectors);
	return 0;
}

static const struct blk_ops fault_ops = {
	.name = "fault",
	.open_queue = fault_open_queue,
	.submit = fault_submit,
	.close_queue = fault_close_queue,
	.close = fault_close,
	.resize = fault_resize,
};

int fault_blk_new(struct blk_dev *lower, struct fault_blk **ret)
{
	struct fault_blk *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->base.ops = &fault_ops;
	f->base.info = lower->info;
	f->lower = lower;
	f->err = -EIO;
	f->seed = 1;
	*ret = f;
	return 0;
}
