/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Copying or comparing block devices: see pump.h.
 *
 * Chunks are begun in their order and form a window: the first one that is not
 * done says how far all is done.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "backend/blk.h"
#include "backend/pump.h"
#include "lib/loop.h"
#include "lib/why.h"

#define DEPTH	     16u
#define LOOP_ENTRIES 256u

struct chunk {
	struct blk_req from, to;
	struct iovec from_iov, to_iov;
	struct pump_state *state;
	uint64_t at;
	uint32_t len;
	unsigned pending; /* requests, and one while it begins */
	int err;
};

struct pump_state {
	const struct pump *pump;
	struct loop *loop;
	struct blk_queue *from, *to;
	uint8_t *mem;
	size_t mem_len;
	struct chunk chunks[DEPTH];
	unsigned first, nr; /* the window */
	unsigned in_flight; /* requests, the flush included */
	uint64_t size;	    /* bytes of @to */
	uint64_t next;	    /* what the next chunk begins at */
	uint64_t done;	    /* all before it is */
	uint64_t noted;	    /* the last checkpoint */
	uint64_t interval;
	struct blk_req flush;
	uint64_t flush_at; /* what was done when it began */
	bool flushing, flushed;
	int flush_err;
	int err;
	struct why *why;
};

static int note_failure(struct pump_state *s, int err)
{
	if (err && !s->err)
		s->err = err;
	return err;
}

/* The first failure counts; the other ones are of the same making. */
static void fail_at(struct chunk *c, const char *name, const char *what,
		    int err)
{
	struct pump_state *s = c->state;

	c->err = err;
	if (!s->err)
		why_set(s->why, err, "%s: cannot be %s at byte %" PRIu64 ": %s",
			name, what, c->at, strerror(-err));
	note_failure(s, err);
}

/* --- chunks ----------------------------------------------------------- */

static uint64_t from_bytes(const struct pump_state *s)
{
	return blk_nr_sectors(s->pump->from) * BLK_SECTOR_SIZE;
}

/* Bytes of the chunk that @from has; the rest is the tail, then zeroes. */
static uint32_t from_len(const struct chunk *c)
{
	uint64_t bytes = from_bytes(c->state);

	if (bytes <= c->at)
		return 0;
	return bytes - c->at < c->len ? (uint32_t)(bytes - c->at) : c->len;
}

static void add_tail(struct chunk *c)
{
	const struct pump *pump = c->state->pump;
	uint8_t *buf = c->from_iov.iov_base;
	uint64_t begin = from_bytes(c->state);
	uint32_t have = from_len(c);
	size_t skip, len;

	if (have == c->len)
		return;
	memset(buf + have, 0, c->len - have);
	skip = c->at > begin ? (size_t)(c->at - begin) : 0;
	if (skip >= pump->tail_len)
		return;
	len = pump->tail_len - skip;
	if (len > c->len - have)
		len = c->len - have;
	memcpy(buf + have, (const uint8_t *)pump->tail + skip, len);
}

static void compare(struct chunk *c)
{
	struct pump_state *s = c->state;
	const uint8_t *a = c->from_iov.iov_base, *b = c->to_iov.iov_base;
	uint32_t i = 0;

	if (!memcmp(a, b, c->len))
		return;
	while (a[i] == b[i])
		i++;
	c->err = -EBADMSG;
	if (!s->err)
		why_set(s->why, -EBADMSG,
			"%s: differs from %s at byte %" PRIu64,
			s->pump->to_name, s->pump->from_name, c->at + i);
	note_failure(s, -EBADMSG);
}

static void submit(struct chunk *c, struct blk_queue *queue,
		   struct blk_req *req, enum blk_op op, uint32_t len)
{
	req->op = op;
	req->sector = c->at / BLK_SECTOR_SIZE;
	req->nr_sectors = len / BLK_SECTOR_SIZE;
	if (req == &c->from)
		c->from_iov.iov_len = len;
	else
		c->to_iov.iov_len = len;
	c->pending++;
	c->state->in_flight++;
	blk_submit(queue, req);
}

/* One thing less that the chunk waits for. */
static void settle(struct chunk *c)
{
	if (!--c->pending && !c->err && c->state->pump->job == PUMP_COMPARE)
		compare(c);
}

static void to_done(struct blk_req *req, int res)
{
	struct chunk *c =
		(struct chunk *)((char *)req - offsetof(struct chunk, to));
	const struct pump *pump = c->state->pump;

	c->state->in_flight--;
	if (res)
		fail_at(c, pump->to_name,
			pump->job == PUMP_COPY ? "written" : "read", res);
	settle(c);
}

static void have_from(struct chunk *c)
{
	add_tail(c);
	if (c->state->pump->job == PUMP_COPY)
		submit(c, c->state->to, &c->to, BLK_WRITE, c->len);
}

static void from_done(struct blk_req *req, int res)
{
	struct chunk *c = (struct chunk *)req;

	c->state->in_flight--;
	if (res)
		fail_at(c, c->state->pump->from_name, "read", res);
	else
		have_from(c);
	settle(c);
}

static bool known_zero(const struct chunk *c)
{
	const struct pump *pump = c->state->pump;

	return pump->job == PUMP_COPY && pump->is_zero &&
	       from_len(c) == c->len && pump->is_zero(pump->arg, c->at, c->len);
}

static void begin_chunk(struct pump_state *s)
{
	struct chunk *c = &s->chunks[(s->first + s->nr++) % DEPTH];
	uint64_t left = s->size - s->next;

	c->at = s->next;
	c->len = left < PUMP_CHUNK ? (uint32_t)left : PUMP_CHUNK;
	c->err = 0;
	c->pending = 1;
	s->next += c->len;
	if (s->pump->job == PUMP_COMPARE)
		submit(c, s->to, &c->to, BLK_READ, c->len);
	if (known_zero(c))
		submit(c, s->to, &c->to, BLK_WRITE_ZEROES, c->len);
	else if (from_len(c))
		submit(c, s->from, &c->from, BLK_READ, from_len(c));
	else
		have_from(c);
	settle(c);
}

/* --- the window ------------------------------------------------------- */

static void begin_chunks(struct pump_state *s)
{
	while (!s->err && s->nr < DEPTH && s->next < s->size)
		begin_chunk(s);
}

static bool first_is_done(const struct pump_state *s)
{
	const struct chunk *c = &s->chunks[s->first];

	return s->nr && !c->pending && !c->err;
}

static void end_chunks(struct pump_state *s)
{
	while (first_is_done(s)) {
		s->done += s->chunks[s->first].len;
		s->first = (s->first + 1) % DEPTH;
		s->nr--;
	}
}

static void flush_done(struct blk_req *req, int res)
{
	struct pump_state *s =
		(struct pump_state *)((char *)req -
				      offsetof(struct pump_state, flush));

	s->in_flight--;
	s->flushing = false;
	s->flushed = true;
	s->flush_err = res;
}

/* It covers what has ended before, while other chunks go on. */
static void begin_flush(struct pump_state *s)
{
	s->flush_at = s->done;
	if (s->pump->job == PUMP_COMPARE) {
		s->flushed = true;
		return;
	}
	s->flushing = true;
	s->in_flight++;
	blk_submit(s->to, &s->flush);
}

static void end_flush(struct pump_state *s)
{
	const struct pump *pump = s->pump;
	struct why why = { "" };
	int err = s->flush_err;

	s->flushed = false;
	if (err)
		why_set(&why, err, "%s: cannot be made durable: %s",
			pump->to_name, strerror(-err));
	else if (pump->checkpoint)
		err = pump->checkpoint(pump->arg, s->flush_at, &why);
	if (!err)
		s->noted = s->flush_at;
	else if (!s->err && s->why)
		*s->why = why;
	note_failure(s, err);
}

static int turn(struct pump_state *s)
{
	int err = 0;

	begin_chunks(s);
	if (s->done - s->noted >= s->interval && !s->flushing && !s->err)
		begin_flush(s);
	if (s->in_flight)
		err = loop_turn(s->loop, !first_is_done(s) && !s->flushed);
	if (err)
		return err;
	end_chunks(s);
	if (s->flushed)
		end_flush(s);
	if (s->pump->progress)
		note_failure(s, s->pump->progress(s->pump->arg, s->done));
	return 0;
}

/* Whatever ended it: what was begun ends, and what is done is noted. */
static int run(struct pump_state *s)
{
	int err = 0;

	while (!err && (s->in_flight || (!s->err && s->done < s->size)))
		err = turn(s);
	if (!err && s->done > s->noted) {
		begin_flush(s);
		while (!err && s->flushing)
			err = loop_turn(s->loop, true);
		if (!err)
			end_flush(s);
	}
	if (err)
		why_set(s->why, err, "io_uring: %s", strerror(-err));
	return err ? err : s->err;
}

/* --- what it needs ---------------------------------------------------- */

static void init_chunks(struct pump_state *s)
{
	uint8_t *buf = s->mem;
	unsigned i;

	for (i = 0; i < DEPTH; i++) {
		struct chunk *c = &s->chunks[i];

		c->state = s;
		c->from_iov.iov_base = c->to_iov.iov_base = buf;
		buf += PUMP_CHUNK;
		if (s->pump->job == PUMP_COMPARE) {
			c->to_iov.iov_base = buf;
			buf += PUMP_CHUNK;
		}
		c->from.tag = c->to.tag = i;
		c->from.iov = &c->from_iov;
		c->to.iov = &c->to_iov;
		c->from.iovcnt = c->to.iovcnt = 1;
		c->from.end_io = from_done;
		c->to.end_io = to_done;
	}
	s->flush.op = BLK_FLUSH;
	s->flush.tag = DEPTH;
	s->flush.end_io = flush_done;
}

static int open_queues(struct pump_state *s)
{
	const struct pump *pump = s->pump;
	int err;

	err = blk_open_queue(pump->from, s->loop, DEPTH, &s->from);
	if (!err)
		err = blk_open_queue(pump->to, s->loop, DEPTH + 1, &s->to);
	return err ? err : loop_seal(s->loop);
}

static int open_state(struct pump_state *s)
{
	unsigned bufs = s->pump->job == PUMP_COMPARE ? 2 * DEPTH : DEPTH;
	int err;

	s->mem_len = (size_t)bufs * PUMP_CHUNK;
	s->mem = mmap(NULL, s->mem_len, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->mem == MAP_FAILED)
		return -ENOMEM;
	/* Plaintext: a hint. */
	madvise(s->mem, s->mem_len, MADV_DONTDUMP);
	init_chunks(s);
	err = loop_new(LOOP_ENTRIES, &s->loop);
	return err ? err : open_queues(s);
}

static void close_state(struct pump_state *s)
{
	/* io_uring has failed: what is in flight needs its memory. */
	if (s->in_flight)
		return;
	blk_close_queue(s->to);
	blk_close_queue(s->from);
	loop_free(s->loop);
	if (s->mem != MAP_FAILED)
		munmap(s->mem, s->mem_len);
}

int pump_run(const struct pump *pump, uint64_t *at, struct why *why)
{
	struct pump_state s = {
		.pump = pump,
		.why = why,
		.size = blk_nr_sectors(pump->to) * BLK_SECTOR_SIZE,
		.next = *at,
		.done = *at,
		.noted = *at,
		.interval = pump->interval ? pump->interval : PUMP_CHECKPOINT,
	};
	int err = open_state(&s);

	if (err)
		why_set(why, err, "nothing can be copied: %s%s", strerror(-err),
			err == -EPERM || err == -ENOSYS
				? " (io_uring is needed: sysctl "
				  "kernel.io_uring_disabled)"
				: "");
	else
		err = run(&s);
	close_state(&s);
	*at = s.done;
	return err;
}
