/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The requests of a file device: see file_queue.h.
 *
 * A request is one or more operations of io_uring, one after the other, and
 * its slot says how far it is: short transfers go on where they stopped, a
 * FALLOCATE that the file system lacks is replaced by the next best.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <liburing.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/file_queue.h"
#include "lib/loop.h"

#define MAX_TRANSFER (1U << 30) /* below the kernel's MAX_RW_COUNT */
#define MAX_RETRIES  1000	/* of an operation that says EAGAIN */

/* How zeroes get into a range, the cheapest first. */
enum zero_step {
	ZERO_PUNCH, /* frees the space */
	ZERO_RANGE,
	ZERO_WRITE,
};

struct file_slot {
	struct loop_op op;
	struct file_queue *queue;
	struct blk_req *req;
	uint64_t done;	  /* bytes of the request */
	int seg;	  /* segment of req->iov where to go on, */
	size_t seg_done;  /* after this many of its bytes */
	unsigned retries; /* since the last progress */
	enum zero_step zero;
	bool syncing; /* WRITE_ZEROES with BLK_FUA: the last operation */
};

struct file_queue {
	struct blk_queue base;
	int sqe_fd;	   /* index of a registered file, or the fd */
	uint8_t sqe_flags; /* IOSQE_FIXED_FILE, or 0 */
	/*
	 * The file was found cut when the device had this many sectors, or 0.
	 * Nothing is written any more until that size changes.
	 */
	uint64_t cut_at;
	struct file_slot slots[];
};

static const uint8_t zeroes[16384] __attribute__((aligned(4096)));

static uint64_t req_bytes(const struct blk_req *req)
{
	return req->nr_sectors * BLK_SECTOR_SIZE;
}

static bool is_cut(const struct file_queue *q)
{
	return q->cut_at && q->cut_at == blk_nr_sectors(q->base.dev);
}

static void slot_end(struct file_slot *s, int res)
{
	blk_end(s->req, res);
}

static struct io_uring_sqe *slot_sqe(struct file_slot *s)
{
	return loop_sqe(s->queue->base.loop, &s->op);
}

/* The flags last: io_uring_prep_ clears them. */
static void finish_sqe(struct file_slot *s, struct io_uring_sqe *sqe)
{
	sqe->flags |= s->queue->sqe_flags;
}

static void start_one(struct file_slot *s, void *buf, size_t len, off_t at)
{
	struct file_queue *q = s->queue;
	struct io_uring_sqe *sqe = slot_sqe(s);
	int mem = loop_find_memory(q->base.loop, buf, len);
	unsigned n = len < MAX_TRANSFER ? (unsigned)len : MAX_TRANSFER;

	if (s->req->op == BLK_READ) {
		if (mem >= 0)
			io_uring_prep_read_fixed(sqe, q->sqe_fd, buf, n, at,
						 mem);
		else
			io_uring_prep_read(sqe, q->sqe_fd, buf, n, at);
	} else {
		if (mem >= 0)
			io_uring_prep_write_fixed(sqe, q->sqe_fd, buf, n, at,
						  mem);
		else
			io_uring_prep_write(sqe, q->sqe_fd, buf, n, at);
		if (s->req->flags & BLK_FUA)
			sqe->rw_flags = RWF_DSYNC;
	}
	finish_sqe(s, sqe);
}

static void start_many(struct file_slot *s, const struct iovec *iov, int n,
		       off_t at)
{
	struct io_uring_sqe *sqe = slot_sqe(s);
	int fd = s->queue->sqe_fd;

	if (n > IOV_MAX)
		n = IOV_MAX;
	if (s->req->op == BLK_READ)
		io_uring_prep_readv(sqe, fd, iov, n, at);
	else
		io_uring_prep_writev2(sqe, fd, iov, n, at,
				      s->req->flags & BLK_FUA ? RWF_DSYNC : 0);
	finish_sqe(s, sqe);
}

/* A segment of which a part is done goes alone, so that none is copied. */
static void start_rw(struct file_slot *s)
{
	const struct blk_req *req = s->req;
	off_t at = (off_t)(req->sector * BLK_SECTOR_SIZE + s->done);
	const struct iovec *iov;

	while (req->iov[s->seg].iov_len == s->seg_done) {
		s->seg++;
		s->seg_done = 0;
	}
	iov = &req->iov[s->seg];
	if (s->seg_done || s->seg + 1 == req->iovcnt)
		start_one(s, (char *)iov->iov_base + s->seg_done,
			  iov->iov_len - s->seg_done, at);
	else
		start_many(s, iov, req->iovcnt - s->seg, at);
}

static void start_fsync(struct file_slot *s)
{
	struct io_uring_sqe *sqe = slot_sqe(s);

	io_uring_prep_fsync(sqe, s->queue->sqe_fd, IORING_FSYNC_DATASYNC);
	finish_sqe(s, sqe);
}

static void start_fallocate(struct file_slot *s, int mode)
{
	struct io_uring_sqe *sqe = slot_sqe(s);
	off_t at = (off_t)(s->req->sector * BLK_SECTOR_SIZE);

	io_uring_prep_fallocate(sqe, s->queue->sqe_fd,
				mode | FALLOC_FL_KEEP_SIZE, at,
				(off_t)req_bytes(s->req));
	finish_sqe(s, sqe);
}

static void start_zeroes(struct file_slot *s)
{
	uint64_t left = req_bytes(s->req) - s->done;

	if (s->syncing)
		start_fsync(s);
	else if (s->zero == ZERO_PUNCH)
		start_fallocate(s, FALLOC_FL_PUNCH_HOLE);
	else if (s->zero == ZERO_RANGE)
		start_fallocate(s, FALLOC_FL_ZERO_RANGE);
	else
		start_one(s, (void *)zeroes,
			  left < sizeof(zeroes) ? left : sizeof(zeroes),
			  (off_t)(s->req->sector * BLK_SECTOR_SIZE + s->done));
}

static void slot_start(struct file_slot *s)
{
	switch (s->req->op) {
	case BLK_READ:
	case BLK_WRITE:
		start_rw(s);
		break;
	case BLK_FLUSH:
		start_fsync(s);
		break;
	case BLK_DISCARD:
		start_fallocate(s, FALLOC_FL_PUNCH_HOLE);
		break;
	case BLK_WRITE_ZEROES:
		start_zeroes(s);
		break;
	}
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
		slot_start(s);
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
		slot_start(s);
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
		slot_start(s);
	} else if (s->req->flags & BLK_FUA) {
		s->syncing = true;
		slot_start(s);
	} else {
		slot_end(s, 0);
	}
}

static void slot_done(struct loop_op *op, int res)
{
	struct file_slot *s = (struct file_slot *)op;

	if ((res == -EINTR || res == -EAGAIN) && s->retries < MAX_RETRIES) {
		s->retries++;
		slot_start(s);
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

	s->req = req;
	s->done = 0;
	s->seg = 0;
	s->seg_done = 0;
	s->retries = 0;
	s->syncing = false;
	s->zero = req->flags & BLK_UNMAP ? ZERO_PUNCH : ZERO_RANGE;
	if (is_cut(q) && req->op != BLK_READ)
		slot_end(s, -EIO);
	else
		slot_start(s);
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
