/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a queue of the cipher device has: its private memory, which is one
 * mapping, its pools, its requests and its copy of the cipher.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "crypt/crypt_queue.h"
#include "crypt/cryptdev.h"
#include "lib/loop.h"

#define MIN_BUFFERS 8U

/*
 * Small buffers for the many small requests of a deep queue, large ones for
 * throughput: a piece of 128 KiB costs the cipher ten times what it costs the
 * disk, and stays in a core's cache between the two.  6.5 MiB at depth 128.
 */
static const struct pool_size {
	uint32_t bytes;
	unsigned max; /* buffers, but not more than the depth */
} pool_sizes[NR_POOLS] = {
	{ 4U << 10, 256 },
	{ 16U << 10, 64 },
	{ MAX_PIECE, 40 },
};

static unsigned pool_buffers(const struct pool_size *size, unsigned depth)
{
	/* A single large request is worked on and moved at the same time. */
	if (depth < MIN_BUFFERS)
		return MIN_BUFFERS;
	return depth < size->max ? depth : size->max;
}

static unsigned all_buffers(unsigned depth, size_t *ret_bytes)
{
	unsigned nr = 0, n, i;

	*ret_bytes = 0;
	for (i = 0; i < NR_POOLS; i++) {
		n = pool_buffers(&pool_sizes[i], depth);
		*ret_bytes += (size_t)n * pool_sizes[i].bytes;
		nr += n;
	}
	return nr;
}

static void init_pool(struct crypt_queue *q, struct pool *pool,
		      const struct pool_size *size, unsigned nr,
		      struct piece **piece, uint8_t **buf)
{
	pool->bytes = size->bytes;
	pool->tail = &pool->head;
	for (; nr; nr--, (*piece)++, *buf += size->bytes) {
		struct piece *p = *piece;

		p->queue = q;
		p->pool = pool;
		p->iov.iov_base = *buf;
		p->req.tag = (unsigned)(p - q->pieces);
		p->req.iov = &p->iov;
		p->req.iovcnt = 1;
		p->req.end_io = crypt_piece_done;
		give_buffer(p);
	}
}

/* Tags below: the pieces, then what passes. */
static void init_requests(struct crypt_queue *q, unsigned depth,
			  unsigned nr_pieces)
{
	struct piece *piece = q->pieces;
	uint8_t *buf = q->mem;
	unsigned i;

	for (i = 0; i < NR_POOLS; i++)
		init_pool(q, &q->pools[i], &pool_sizes[i],
			  pool_buffers(&pool_sizes[i], depth), &piece, &buf);
	q->straddle = buf;
	for (i = 0; i < depth; i++) {
		q->slots[i].pass.tag = nr_pieces + i;
		q->slots[i].pass.end_io = crypt_pass_done;
	}
}

static int alloc_queue(const struct cryptdev *dev, unsigned depth,
		       unsigned nr_pieces, size_t mem_len,
		       struct crypt_queue **ret)
{
	struct crypt_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->pieces = calloc(nr_pieces, sizeof(*q->pieces));
	q->slots = calloc(depth, sizeof(*q->slots));
	q->mem_len = mem_len;
	q->mem = mmap(NULL, mem_len, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!q->pieces || !q->slots || q->mem == MAP_FAILED ||
	    xts_dup(dev->xts, &q->xts)) {
		crypt_close_queue(&q->base);
		return -ENOMEM;
	}
	q->sector_size = dev->sector_size;
	q->first_sector = dev->first_sector;
	*ret = q;
	return 0;
}

int crypt_open_queue(struct blk_dev *base, struct loop *loop, unsigned depth,
		     struct blk_queue **ret)
{
	struct cryptdev *dev = (struct cryptdev *)base;
	struct crypt_queue *q;
	unsigned nr_pieces;
	size_t bytes;
	int err;

	nr_pieces = all_buffers(depth, &bytes);
	err = alloc_queue(dev, depth, nr_pieces, bytes + XTS_MAX_SECTOR_SIZE,
			  &q);
	if (err)
		return err;
	err = blk_open_queue(dev->lower, loop, nr_pieces + depth, &q->lower);
	if (err) {
		crypt_close_queue(&q->base);
		return err;
	}
	init_requests(q, depth, nr_pieces);
	/* The straddling sector's plaintext stays out of dumps; a hint. */
	madvise(q->mem, q->mem_len, MADV_DONTDUMP);
	/* A small RLIMIT_MEMLOCK costs speed, no more. */
	q->registered = !loop_add_memory(loop, q->mem, q->mem_len);
	*ret = &q->base;
	return 0;
}

void crypt_close_queue(struct blk_queue *queue)
{
	struct crypt_queue *q = (struct crypt_queue *)queue;

	blk_close_queue(q->lower);
	if (q->straddle)
		explicit_bzero(q->straddle, XTS_MAX_SECTOR_SIZE);
	if (q->mem != MAP_FAILED)
		munmap(q->mem, q->mem_len);
	xts_free(q->xts);
	free(q->slots);
	free(q->pieces);
	free(q);
}

bool cryptdev_memory_registered(const struct blk_queue *queue)
{
	return ((const struct crypt_queue *)queue)->registered;
}
