/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What virtio-blk requests mean (virtio 1.3, section 5.2.6).
 *
 * Whatever a request looks like, it is answered: with a status where there is
 * room for one.  All that the device may write is written, with zeroes where
 * there is nothing to tell: a transport may copy the whole buffer back to the
 * driver, and what it held before is none of the driver's business.
 */
#include <assert.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <string.h>

#include "lib/endian.h"
#include "lib/guard.h"
#include "virtio/blk_int.h"

/* struct virtio_blk_outhdr, with types that want to be converted. */
struct header {
	le32 type;
	le32 ioprio;
	le64 sector;
};

/* A request with its header taken off. */
struct request {
	struct vblk_slot *slot;
	uint64_t sector;
	struct iovec *out; /* data to read */
	unsigned nr_out;
	uint32_t out_len;
	uint32_t in_len; /* data to write, without the status */
};

/* What goes back: zeroes over the data if wanted, then the status. */
struct answer {
	struct vblk_slot *slot;
	bool zero;
	uint8_t status;
};

static void write_answer(void *arg)
{
	const struct answer *a = arg;
	unsigned i;

	for (i = 0; a->zero && i < a->slot->nr_in; i++)
		memset(a->slot->in[i].iov_base, 0, a->slot->in[i].iov_len);
	*(volatile uint8_t *)a->slot->status = a->status;
}

static void count(struct vblk_queue *queue, enum vblk_op op, uint8_t status,
		  uint64_t bytes)
{
	struct vblk_op_stats *stats = &queue->stats->op[op];

	vblk_stat_add(&stats->requests, 1);
	if (status == VIRTIO_BLK_S_OK)
		vblk_stat_add(&stats->bytes, bytes);
	else
		vblk_stat_add(&stats->errors, 1);
}

static void note_written(const struct vblk_slot *slot)
{
	struct virtq *vq = slot->queue->vq;
	unsigned i;

	for (i = 0; i < slot->nr_in; i++)
		virtq_wrote(vq, slot->in[i].iov_base, slot->in[i].iov_len);
	virtq_wrote(vq, slot->status, 1);
}

/* The one end of every request.  @filled: the data is as it should be. */
static void answer(struct vblk_slot *slot, uint8_t status, bool filled)
{
	struct vblk_queue *queue = slot->queue;
	struct answer a = { slot, !filled, status };
	uint32_t len = slot->in_len;

	if (!slot->status || guard_run(write_answer, &a)) {
		len = 0;
		a.zero = false;
		/* The data may be missing where the status is not. */
		if (slot->status)
			guard_run(write_answer, &a);
	}
	if (slot->status && virtq_logs(queue->vq))
		note_written(slot);
	count(queue, slot->op, status, slot->sectors * BLK_SECTOR_SIZE);
	virtq_push(queue->vq, (uint16_t)slot->req.tag, len);
	loop_defer(queue->loop, &queue->task);
}

static void data_done(struct blk_req *req, int res)
{
	struct vblk_slot *slot = (struct vblk_slot *)req;

	answer(slot, res ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK,
	       req->op == BLK_READ && !res);
}

_Static_assert(offsetof(struct vblk_slot, req) == 0, "cast in data_done");

static void submit(struct vblk_slot *slot, enum blk_op op, unsigned flags)
{
	slot->req.op = op;
	slot->req.flags = flags;
	slot->req.end_io = data_done;
	blk_submit(slot->queue->blk, &slot->req);
}

/* READ and WRITE: @iov holds @len bytes.  The block layer checks the rest. */
static void transfer(const struct request *r, enum blk_op op, unsigned flags,
		     const struct iovec *iov, unsigned nr, uint32_t len)
{
	struct vblk_slot *slot = r->slot;

	if (!len || len % BLK_SECTOR_SIZE) {
		answer(slot, VIRTIO_BLK_S_IOERR, false);
		return;
	}
	slot->req.sector = r->sector;
	slot->req.nr_sectors = len / BLK_SECTOR_SIZE;
	slot->sectors = slot->req.nr_sectors;
	slot->req.iov = iov;
	slot->req.iovcnt = (int)nr;
	submit(slot, op, flags);
}

static void serve_in(const struct request *r)
{
	if (r->out_len)
		answer(r->slot, VIRTIO_BLK_S_IOERR, false);
	else
		transfer(r, BLK_READ, 0, r->slot->in, r->slot->nr_in,
			 r->in_len);
}

static void serve_out(const struct request *r)
{
	const struct vblk_queue *queue = r->slot->queue;
	unsigned flags = vblk_write_through(queue) ? BLK_FUA : 0;

	if (r->in_len || queue->vblk->readonly)
		answer(r->slot, VIRTIO_BLK_S_IOERR, false);
	else
		transfer(r, BLK_WRITE, flags, r->out, r->nr_out, r->out_len);
}

static void serve_flush(const struct request *r)
{
	submit(r->slot, BLK_FLUSH, 0);
}

/* One range after the other: the slot has one request to the block layer. */
static void range_done(struct blk_req *req, int res)
{
	struct vblk_slot *slot = (struct vblk_slot *)req;
	const struct vblk_range *range = &slot->ranges[slot->next_range];

	if (res || slot->next_range == slot->nr_ranges) {
		answer(slot, res ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK, false);
		return;
	}
	slot->next_range++;
	req->sector = range->sector;
	req->nr_sectors = range->nr_sectors;
	slot->sectors += range->nr_sectors;
	blk_submit(slot->queue->blk, req);
}

static void serve_ranges(const struct request *r, enum blk_op op)
{
	struct vblk_slot *slot = r->slot;
	const struct vblk_queue *queue = slot->queue;
	uint8_t status = VIRTIO_BLK_S_IOERR;

	if (!r->in_len)
		status = vblk_read_ranges(queue->vblk, r->out, r->out_len,
					  op == BLK_DISCARD, slot->ranges,
					  &slot->nr_ranges);
	if (status != VIRTIO_BLK_S_OK) {
		answer(slot, status, false);
		return;
	}
	slot->next_range = 0;
	slot->req.op = op;
	slot->req.flags = vblk_write_through(queue) ? BLK_FUA : 0;
	slot->req.end_io = range_done;
	range_done(&slot->req, 0);
}

static void serve_discard(const struct request *r)
{
	serve_ranges(r, BLK_DISCARD);
}

/* Whatever the unmap flag says: a hole would not read as zeroes. */
static void serve_write_zeroes(const struct request *r)
{
	serve_ranges(r, BLK_WRITE_ZEROES);
}

struct fill {
	const struct vblk_slot *slot;
	const char *id;
};

static void write_id(void *arg)
{
	const struct fill *f = arg;
	size_t left = VBLK_SERIAL_LEN, n;
	const char *id = f->id;
	unsigned i;

	for (i = 0; i < f->slot->nr_in; i++) {
		const struct iovec *iov = &f->slot->in[i];

		n = iov->iov_len < left ? iov->iov_len : left;
		memcpy(iov->iov_base, id, n);
		memset((char *)iov->iov_base + n, 0, iov->iov_len - n);
		id += n;
		left -= n;
	}
}

static void serve_get_id(const struct request *r)
{
	struct fill f = { r->slot, r->slot->queue->vblk->params.serial };

	if (guard_run(write_id, &f))
		answer(r->slot, VIRTIO_BLK_S_IOERR, false);
	else
		answer(r->slot, VIRTIO_BLK_S_OK, true);
}

/* All that is served; the index is the type. */
static const struct command {
	void (*serve)(const struct request *r);
	enum vblk_op op;
	uint64_t feature; /* without which it is unsupported, or 0 */
} commands[] = {
	[VIRTIO_BLK_T_IN] = { serve_in, VBLK_READ },
	[VIRTIO_BLK_T_OUT] = { serve_out, VBLK_WRITE },
	[VIRTIO_BLK_T_FLUSH] = { serve_flush, VBLK_FLUSH },
	[VIRTIO_BLK_T_GET_ID] = { serve_get_id, VBLK_GET_ID },
	[VIRTIO_BLK_T_DISCARD] = { serve_discard, VBLK_DISCARD,
				   1ULL << VIRTIO_BLK_F_DISCARD },
	[VIRTIO_BLK_T_WRITE_ZEROES] = { serve_write_zeroes, VBLK_WRITE_ZEROES,
					1ULL << VIRTIO_BLK_F_WRITE_ZEROES },
};

static const struct command *find_command(const struct vblk_queue *queue,
					  uint32_t type)
{
	const struct command *c;

	if (type >= sizeof(commands) / sizeof(*commands))
		return NULL;
	c = &commands[type];
	return c->serve && !(c->feature & ~queue->features) ? c : NULL;
}

struct take {
	struct header header;
	const struct iovec *iov;
	unsigned nr;
};

/* Each byte is read once: from here on only the copy counts. */
static void copy_header(void *arg)
{
	struct take *t = arg;
	char *to = (char *)&t->header;
	size_t left = sizeof(t->header), n;
	unsigned i;

	for (i = 0; left && i < t->nr; i++, to += n, left -= n) {
		n = t->iov[i].iov_len < left ? t->iov[i].iov_len : left;
		virtq_copy_in(to, t->iov[i].iov_base, n);
	}
}

/* Skip the first @len bytes, which are there. */
static void skip_out(struct request *r, uint32_t len)
{
	r->out_len -= len;
	while (len && len >= r->out->iov_len) {
		len -= (uint32_t)r->out->iov_len;
		r->out++;
		r->nr_out--;
	}
	if (len) {
		r->out->iov_base = (char *)r->out->iov_base + len;
		r->out->iov_len -= len;
	}
}

/* The status is the last byte, wherever that is; the rest is data. */
static void split_status(struct vblk_slot *slot)
{
	struct iovec *last = &slot->in[slot->nr_in - 1];

	if (!--last->iov_len)
		slot->nr_in--;
}

static void serve_valid(struct vblk_slot *slot, struct virtq_chain *chain)
{
	struct take t = { .iov = chain->iov, .nr = chain->nr_out };
	struct request r = {
		.slot = slot,
		.out = chain->iov,
		.nr_out = chain->nr_out,
		.out_len = chain->out_len,
		.in_len = chain->in_len - 1,
	};
	const struct command *command;

	slot->in = chain->iov + chain->nr_out;
	slot->nr_in = chain->nr_in;
	split_status(slot);
	if (r.out_len < sizeof(t.header) || guard_run(copy_header, &t)) {
		answer(slot, VIRTIO_BLK_S_IOERR, false);
		return;
	}
	skip_out(&r, sizeof(t.header));
	command = find_command(slot->queue, le32_get(t.header.type));
	if (!command) {
		answer(slot, VIRTIO_BLK_S_UNSUPP, false);
		return;
	}
	slot->op = command->op;
	r.sector = le64_get(t.header.sector);
	command->serve(&r);
}

void vblk_serve(struct vblk_queue *queue, struct virtq_chain *chain)
{
	struct vblk_slot *slot = &queue->slot[chain->id];

	slot->queue = queue;
	slot->op = VBLK_OTHER;
	slot->in_len = chain->in_len;
	slot->status = chain->last_in;
	slot->nr_in = 0;
	slot->req.tag = chain->id;
	slot->sectors = 0;
	if (chain->err || !slot->status)
		answer(slot, VIRTIO_BLK_S_IOERR, false);
	else
		serve_valid(slot, chain);
}
