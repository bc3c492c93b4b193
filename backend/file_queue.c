/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The requests of a file device: see file_queue.h.
 *
 * A request is one or more operations of io_uring, one after the other, and
 * its slot says how far it is: short transfers go on where they stopped, a
 * FALLOCATE that the file system lacks is replaced by the next best.
 */
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/file_queue.h"

#define MAX_RETRIES 1000 /* of an operation that says EAGAIN */

static bool is_cut(const struct file_queue *q)
{
	return q->cut_at && q->cut_at == blk_nr_sectors(q->base.dev);
}

static void slot_end(struct file_slot *s, int res)
{
	blk_end(s->req, res);
}

/* Move the position by @n bytes, which lie within the rest. */
static void advance(struct file_slot *s, size_t n)
{
	const struct iovec *iov = s->req->iov;

	s->done += n;
	while (n) {
		size_t rest = iov[s->seg].iov_len - s->seg_done;

		if (n < rest) {
			s->seg_done += n;
			return;
		}
		n -= rest;
		s->seg++;
		s->seg_done = 0;
	}
}

static void rw_done(struct file_slot *s, int res)
{
	if (res == 0 && s->req->op == BLK_READ)
		s->queue->cut_at = blk_nr_sectors(s->queue->base.dev);
	/* O_DIRECT, and the last transfer stopped in the middle of a unit. */
	if (res == 0 || (res == -EINVAL && s->done))
		res = -EIO;
	if (res < 0) {
		slot_end(s, res);
		return;
	}
	advance(s, (size_t)res);
	if (s->done == req_bytes(s->req))
		slot_end(s, 0);
	else
		file_slot_start(s);
}

/*
 * Writes into a file that was cut make it grow back with holes, so that a
 * flush is the last moment to notice.  lseek(2) is the call that a sandbox
 * can allow without harm; nothing here uses the offset that it moves.
 */
static bool still_whole(struct file_queue *q)
{
	const struct file_dev *dev = (const struct file_dev *)q->base.dev;
	uint64_t nr_sectors = blk_nr_sectors(&dev->base);
	off_t size;

	if (!dev->regular)
		return true;
	size = lseek(dev->fd, 0, SEEK_END);
	if (size >= 0 && (uint64_t)size / BLK_SECTOR_SIZE < nr_sectors)
		q->cut_at = nr_sectors;
	return !is_cut(q);
}

static void flush_done(struct file_slot *s, int res)
{
	if (!res && !still_whole(s->queue))
		res = -EIO;
	slot_end(s, res);
}

static void zeroes_done(struct file_slot *s, int res)
{
	if (res == -EOPNOTSUPP && !s->syncing && s->zero != ZERO_WRITE) {
		s->zero++;
		file_slot_start(s);
		return;
	}
	if (res < 0 || s->syncing) {
		slot_end(s, res);
		return;
	}
	if (s->zero == ZERO_WRITE)
		s->done += (unsigned)res;
	else
		s->done = req_bytes(s->req);
	if (s->done < req_bytes(s->req)) {
		file_slot_start(s);
	} else if (s->req->flags & BLK_FUA) {
		s->syncing = true;
		file_slot_start(s);
	} else {
		slot_end(s, 0);
	}
}

static void slot_done(struct loop_op *op, int res)
{
	struct file_slot *s = (struct file_slot *)op;

	if ((res == -EINTR || res == -EAGAIN) && s->retries < MAX_RETRIES) {
		s->retries++;
		file_slot_start(s);
		return;
	}
	s->retries = 0;
	switch (s->req->op) {
	case BLK_READ:
	case BLK_WRITE:
		rw_done(s, res);
		break;
	case BLK_FLUSH:
		flush_done(s, res);
		break;
	case BLK_DISCARD:
		/* A hint: what cannot free its space keeps it. */
		slot_end(s, res == -EOPNOTSUPP ? 0 : res);
		break;
	case BLK_WRITE_ZEROES:
		zeroes_done(s, res);
		break;
	}
}

void file_submit(struct blk_queue *queue, struct blk_req *req)
{
	struct file_queue *q = (struct file_queue *)queue;
	struct file_slot *s = &q->slots[req->tag];

	*s = (struct file_slot){
		.op = s->op,
		.queue = q,
		.req = req,
		.zero = req->flags & BLK_UNMAP ? ZERO_PUNCH : ZERO_RANGE,
	};
	if (is_cut(q) && req->op != BLK_READ)
		slot_end(s, -EIO);
	else
		file_slot_start(s);
}

int file_open_queue(struct blk_dev *base, struct loop *loop, unsigned depth,
		    struct blk_queue **ret)
{
	struct file_dev *dev = (struct file_dev *)base;
	struct file_queue *q;
	unsigned i;
	int index;

	q = calloc(1, sizeof(*q) + depth * sizeof(q->slots[0]));
	if (!q)
		return -ENOMEM;
	index = loop_add_file(loop, dev->fd);
	q->sqe_fd = index < 0 ? dev->fd : index;
	q->sqe_flags = index < 0 ? 0 : IOSQE_FIXED_FILE;
	for (i = 0; i < depth; i++) {
		q->slots[i].op.done = slot_done;
		q->slots[i].queue = q;
	}
	*ret = &q->base;
	return 0;
}

void file_close_queue(struct blk_queue *queue)
{
	free(queue);
}
