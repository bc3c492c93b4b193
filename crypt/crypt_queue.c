/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The requests of the cipher device, in one thread.
 *
 * READ, WRITE and WRITE_ZEROES are cut into pieces, each of which owns a
 * buffer of private memory while it is in flight below.  Buffers come in a
 * few sizes, each with a pool of its own: the smallest that holds what is left
 * of the request is taken.  The last one given back is the first one taken
 * again, by whichever queue of the thread, so that few of them stay in the
 * CPU's cache.  A request whose pool is empty waits in a line; a piece in
 * flight waits for nothing, so that the line always moves.  Each queue has a
 * line for each pool, and those of a pool take turns, so that no queue waits for
 * all that another one has begun.
 */
#include <errno.h>
#include <stdlib.h>

#include "crypt/copy.h"
#include "crypt/crypt_queue.h"
#include "crypt/xts.h"
#include "lib/loop.h"

/* A request steps back behind the others after that many pieces. */
#define TURN_PIECES 8U

/* Bytes of cipher work after which the disk is given what is ready. */
#define SUBMIT_BYTES (128U << 10)

static const uint8_t zero_sector[XTS_MAX_SECTOR_SIZE];

/* --- pools ------------------------------------------------------------ */

static size_t next_len(const struct slot *s)
{
	return s->left < MAX_PIECE ? (size_t)s->left : MAX_PIECE;
}

static struct pool *pool_for(struct crypt_thread *t, size_t len)
{
	struct pool *pool = t->pools;

	while (pool->bytes < len)
		pool++;
	return pool;
}

static struct line *line_of(struct slot *s, const struct pool *pool)
{
	return &s->queue->lines[pool - s->queue->thread->pools];
}

/* The line has somebody in it: its turn comes after all others'. */
static void line_up(struct pool *pool, struct line *line)
{
	line->next = NULL;
	*pool->tail = line;
	pool->tail = &line->next;
}

static void wait_last(struct pool *pool, struct slot *s)
{
	struct line *line = line_of(s, pool);

	if (!line->head) {
		line->tail = &line->head;
		line_up(pool, line);
	}
	s->turn = TURN_PIECES;
	s->next = NULL;
	*line->tail = s;
	line->tail = &s->next;
}

static void wait_first(struct pool *pool, struct slot *s)
{
	struct line *line = line_of(s, pool);

	s->next = line->head;
	if (!line->head) {
		line->tail = &s->next;
		line_up(pool, line);
	}
	line->head = s;
}

static struct slot *take_waiting(struct pool *pool)
{
	struct line *line = pool->head;
	struct slot *s = line->head;

	pool->head = line->next;
	if (!pool->head)
		pool->tail = &pool->head;
	line->head = s->next;
	if (line->head)
		line_up(pool, line);
	return s;
}

static struct piece *take_buffer(struct pool *pool)
{
	struct piece *p = pool->free;

	pool->free = p->next;
	return p;
}

/* --- pieces ----------------------------------------------------------- */

static struct copy make_copy(struct piece *p)
{
	const struct crypt_thread *t = p->thread;

	return (struct copy){
		.xts = t->xts,
		.sector_size = t->sector_size,
		.sector = p->req.sector - t->first_sector,
		.pos = p->pos,
		.buf = p->iov.iov_base,
		.len = p->iov.iov_len,
		.straddle = t->straddle,
	};
}

static int encrypt_zeroes(struct piece *p)
{
	const struct crypt_thread *t = p->thread;
	uint64_t sector = p->req.sector - t->first_sector;
	uint8_t *buf = p->iov.iov_base;
	size_t at;
	int err = 0;

	for (at = 0; at < p->iov.iov_len && !err; at += t->sector_size)
		err = xts_encrypt(t->xts, sector + at / BLK_SECTOR_SIZE,
				  buf + at, zero_sector, t->sector_size);
	return err;
}

/* Small pieces go down all at once, at the end of the turn. */
static void count_work(const struct piece *p)
{
	if (p->pool != p->thread->pools)
		p->thread->worked += (unsigned)p->iov.iov_len;
}

/* What goes down with the piece. */
static int fill(struct piece *p)
{
	struct copy c;

	if (p->slot->req->op == BLK_READ)
		return 0;
	count_work(p);
	if (p->slot->req->op == BLK_WRITE_ZEROES)
		return encrypt_zeroes(p);
	c = make_copy(p);
	return copy_encrypt(&c);
}

/* What came up with it. */
static int drain(struct piece *p)
{
	struct copy c;

	if (p->slot->req->op != BLK_READ)
		return 0;
	count_work(p);
	c = make_copy(p);
	return copy_decrypt(&c);
}

/* The next piece of @s takes the buffer of @p. */
static void cut(struct slot *s, struct piece *p)
{
	size_t len = next_len(s);

	p->slot = s;
	p->pos = s->pos;
	p->iov.iov_len = len;
	p->req.op = s->req->op == BLK_READ ? BLK_READ : BLK_WRITE;
	p->req.flags = s->req->flags & BLK_FUA;
	p->req.sector = p->thread->first_sector + s->sector;
	p->req.nr_sectors = len / BLK_SECTOR_SIZE;
	s->sector += len / BLK_SECTOR_SIZE;
	s->left -= len;
	s->in_flight++;
	if (s->left && s->req->op != BLK_WRITE_ZEROES)
		copy_skip(&s->pos, len);
}

static void end_if_over(struct slot *s)
{
	if (!s->left && !s->in_flight)
		blk_end(s->req, s->err);
}

static void end_piece(struct piece *p, int res)
{
	struct slot *s = p->slot;

	if (res && !s->err)
		s->err = res;
	give_buffer(p);
	s->in_flight--;
	end_if_over(s);
}

/* There is more of @s, of which @pool just served a piece. */
static void wait_again(struct crypt_thread *t, struct pool *pool,
		       struct slot *s)
{
	struct pool *next = pool_for(t, next_len(s));

	if (next == pool && --s->turn)
		wait_first(next, s);
	else
		wait_last(next, s);
}

/* One piece of the request that is first in the line whose turn it is. */
static void work(struct crypt_thread *t, struct pool *pool)
{
	struct slot *s = take_waiting(pool);
	struct piece *p;
	int err;

	if (s->err) {
		s->left = 0;
		end_if_over(s);
		return;
	}
	p = take_buffer(pool);
	cut(s, p);
	if (s->left)
		wait_again(t, pool, s);
	err = fill(p);
	if (err)
		end_piece(p, err);
	else
		blk_submit(s->queue->lower, &p->req);
}

static struct pool *find_work(struct crypt_thread *t)
{
	struct pool *pool;

	for (pool = t->pools; pool < t->pools + NR_POOLS; pool++)
		if (pool->head && pool->free)
			return pool;
	return NULL;
}

/*
 * Serve all lines as far as there are buffers.  Requests that end or arrive
 * meanwhile do not start another pump inside of this one: the stack stays
 * flat however fast the disk is.
 */
static void pump(struct crypt_thread *t)
{
	struct pool *pool;

	if (t->pumping)
		return;
	t->pumping = true;
	while ((pool = find_work(t))) {
		work(t, pool);
		/* The disk works on these while the cipher goes on. */
		if (t->worked >= SUBMIT_BYTES) {
			t->worked = 0;
			loop_submit(t->loop);
		}
	}
	t->pumping = false;
}

void crypt_piece_done(struct blk_req *req, int res)
{
	struct piece *p = (struct piece *)req;
	struct crypt_thread *t = p->thread;

	if (!res && !p->slot->err)
		res = drain(p);
	end_piece(p, res);
	pump(t);
}

/* --- requests --------------------------------------------------------- */

void crypt_pass_done(struct blk_req *pass, int res)
{
	blk_end(((struct slot *)pass)->req, res);
}

static void pass_down(struct crypt_queue *q, struct slot *s)
{
	s->pass.op = s->req->op;
	s->pass.flags = s->req->flags;
	s->pass.sector = q->thread->first_sector + s->req->sector;
	s->pass.nr_sectors = s->req->nr_sectors;
	blk_submit(q->lower, &s->pass);
}

void crypt_submit(struct blk_queue *queue, struct blk_req *req)
{
	struct crypt_queue *q = (struct crypt_queue *)queue;
	struct crypt_thread *t = q->thread;
	struct slot *s = &q->slots[req->tag];

	s->req = req;
	if (req->op == BLK_FLUSH || req->op == BLK_DISCARD) {
		pass_down(q, s);
		return;
	}
	s->sector = req->sector;
	s->left = req->nr_sectors * BLK_SECTOR_SIZE;
	s->pos = (struct copy_pos){ req->iov, 0 };
	s->in_flight = 0;
	s->err = 0;
	wait_last(pool_for(t, next_len(s)), s);
	pump(t);
}

/* --- life ------------------------------------------------------------- */

static void init_slots(struct crypt_queue *q, unsigned depth)
{
	unsigned i;

	for (i = 0; i < depth; i++) {
		q->slots[i].queue = q;
		q->slots[i].pass.tag = q->thread->nr_pieces + i;
		q->slots[i].pass.end_io = crypt_pass_done;
	}
}

int crypt_open_queue(struct blk_dev *base, struct loop *loop, unsigned depth,
		     struct blk_queue **ret)
{
	struct cryptdev *dev = (struct cryptdev *)base;
	struct crypt_queue *q =
		calloc(1, sizeof(*q) + depth * sizeof(*q->slots));
	int err;

	if (!q)
		return -ENOMEM;
	q->thread = crypt_thread_get(dev, loop, depth);
	if (!q->thread) {
		free(q);
		return -ENOMEM;
	}
	init_slots(q, depth);
	err = blk_open_queue(dev->lower, loop, q->thread->nr_pieces + depth,
			     &q->lower);
	if (err) {
		crypt_thread_put(dev, q->thread);
		free(q);
		return err;
	}
	*ret = &q->base;
	return 0;
}

void crypt_close_queue(struct blk_queue *queue)
{
	struct crypt_queue *q = (struct crypt_queue *)queue;

	blk_close_queue(q->lower);
	crypt_thread_put((struct cryptdev *)queue->dev, q->thread);
	free(q);
}
