/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A block device in memory: see mem.h.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "backend/blk.h"
#include "backend/mem.h"
#include "lib/loop.h"

struct mem_dev {
	struct blk_dev base;
	uint8_t *data;
	bool deferred;
};

struct mem_queue {
	struct blk_queue base;
	struct loop_task task;
	unsigned head, nr; /* of the ring of those that wait for their end */
	struct blk_req *waiting[];
};

static void copy(const struct blk_req *req, uint8_t *at)
{
	int i;

	for (i = 0; i < req->iovcnt; i++) {
		if (req->op == BLK_READ)
			memcpy(req->iov[i].iov_base, at, req->iov[i].iov_len);
		else
			memcpy(at, req->iov[i].iov_base, req->iov[i].iov_len);
		at += req->iov[i].iov_len;
	}
}

static void serve(struct blk_req *req)
{
	struct mem_dev *dev = (struct mem_dev *)req->queue->dev;

	switch (req->op) {
	case BLK_READ:
	case BLK_WRITE:
		copy(req, dev->data + req->sector * BLK_SECTOR_SIZE);
		break;
	case BLK_DISCARD:
	case BLK_WRITE_ZEROES:
		memset(dev->data + req->sector * BLK_SECTOR_SIZE, 0,
		       req->nr_sectors * BLK_SECTOR_SIZE);
		break;
	case BLK_FLUSH:
		break;
	}
	blk_end(req, 0);
}

/* Only those that wait now: what they submit when they end is for later. */
static void serve_waiting(struct loop_task *task)
{
	struct mem_queue *q =
		(struct mem_queue *)((char *)task -
				     offsetof(struct mem_queue, task));
	unsigned n = q->nr;

	while (n--) {
		struct blk_req *req = q->waiting[q->head];

		q->head = (q->head + 1) % q->base.depth;
		q->nr--;
		serve(req);
	}
}

static void mem_submit(struct blk_queue *queue, struct blk_req *req)
{
	struct mem_queue *q = (struct mem_queue *)queue;

	if (!((struct mem_dev *)queue->dev)->deferred) {
		serve(req);
		return;
	}
	q->waiting[(q->head + q->nr++) % queue->depth] = req;
	loop_defer(queue->loop, &q->task);
}

static int mem_open_queue(struct blk_dev *dev, struct loop *loop,
			  unsigned depth, struct blk_queue **ret)
{
	struct mem_queue *q;

	q = calloc(1, sizeof(*q) + depth * sizeof(struct blk_req *));
	if (!q)
		return -ENOMEM;
	q->task.run = serve_waiting;
	*ret = &q->base;
	return 0;
}

/*
 * With nothing in flight the task may still be queued: it ends the last
 * request, and does not touch the queue afterwards.
 */
static void mem_close_queue(struct blk_queue *queue)
{
	free(queue);
}

static void mem_close(struct blk_dev *base)
{
	struct mem_dev *dev = (struct mem_dev *)base;

	munmap(dev->data, base->info.nr_sectors * BLK_SECTOR_SIZE);
	free(dev);
}

static const struct blk_ops mem_ops = {
	.name = "memory",
	.open_queue = mem_open_queue,
	.submit = mem_submit,
	.close_queue = mem_close_queue,
	.close = mem_close,
};

int mem_blk_new(uint64_t nr_sectors, const struct mem_blk_options *options,
		struct blk_dev **ret)
{
	struct mem_dev *dev = calloc(1, sizeof(*dev));

	if (!dev)
		return -ENOMEM;
	dev->data = mmap(NULL, nr_sectors * BLK_SECTOR_SIZE,
			 PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (dev->data == MAP_FAILED) {
		free(dev);
		return -ENOMEM;
	}
	dev->base.ops = &mem_ops;
	dev->base.info = (struct blk_info){
		.nr_sectors = nr_sectors,
		.block_size = options->block_size ?: BLK_SECTOR_SIZE,
		.phys_block_size = 4096,
		.readonly = options->readonly,
		.discard = !options->readonly,
		.cache = "memory",
	};
	dev->deferred = options->deferred;
	*ret = &dev->base;
	return 0;
}

uint8_t *mem_blk_data(struct blk_dev *dev)
{
	return ((struct mem_dev *)dev)->data;
}
