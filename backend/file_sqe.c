/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The operations of io_uring that a file device's requests are made of: see
 * file_queue.h.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <liburing.h>
#include <sys/uio.h>

#include "backend/file_queue.h"

#define MAX_TRANSFER (1U << 30) /* below the kernel's MAX_RW_COUNT */

static const uint8_t zeroes[16384] __attribute__((aligned(4096)));

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
	bool fixed = loop_memory_holds(q->base.loop, buf, len);
	unsigned n = len < MAX_TRANSFER ? (unsigned)len : MAX_TRANSFER;

	if (s->req->op == BLK_READ) {
		if (fixed)
			io_uring_prep_read_fixed(sqe, q->sqe_fd, buf, n, at, 0);
		else
			io_uring_prep_read(sqe, q->sqe_fd, buf, n, at);
	} else {
		if (fixed)
			io_uring_prep_write_fixed(sqe, q->sqe_fd, buf, n, at,
						  0);
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

void file_slot_start(struct file_slot *s)
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
