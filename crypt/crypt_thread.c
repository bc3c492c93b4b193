/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What the queues of a thread share: private memory, which is one mapping, its
 * pools and a copy of the cipher.  Shared, because what was used a moment ago
 * is still in the cache of the thread's CPU.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "crypt/crypt_queue.h"
#include "crypt/xts.h"
#include "lib/loop.h"

#define MIN_BUFFERS 8U

/*
 * Small buffers for the many small requests of deep queues, large ones for
 * throughput: a piece of 128 KiB costs the cipher ten times what it costs the
 * disk, and stays in a core's cache between the two.  7 MiB at depth 128.
 */
static const struct pool_size {
	uint32_t bytes;
	unsigned max; /* buffers, but not more than two queues take */
} pool_sizes[NR_POOLS] = {
	{ 4U << 10, 256 },
	{ 16U << 10, 64 },
	{ MAX_PIECE, 40 },
};

static unsigned pool_buffers(const struct pool_size *size, unsigned depth)
{
	/* A single large request is worked on and moved at the same time. */
	if (2 * depth < MIN_BUFFERS)
		return MIN_BUFFERS;
	return 2 * depth < size->max ? 2 * depth : size->max;
}

static size_t count_buffers(unsigned depth, unsigned *ret_nr)
{
	size_t bytes = 0;
	unsigned n, i;

	*ret_nr = 0;
	for (i = 0; i < NR_POOLS; i++) {
		n = pool_buffers(&pool_sizes[i], depth);
		bytes += (size_t)n * pool_sizes[i].bytes;
		*ret_nr += n;
	}
	return bytes;
}

static void init_pool(struct crypt_thread *t, struct pool *pool,
		      const struct pool_size *size, unsigned nr,
		      struct piece **piece, uint8_t **buf)
{
	pool->bytes = size->bytes;
	pool->tail = &pool->head;
	for (; nr; nr--, (*piece)++, *buf += size->bytes) {
		struct piece *p = *piece;

		p->thread = t;
		p->pool = pool;
		p->iov.iov_base = *buf;
		p->req.tag = (unsigned)(p - t->pieces);
		p->req.iov = &p->iov;
		p->req.iovcnt = 1;
		p->req.end_io = crypt_piece_done;
		give_buffer(p);
	}
}

static void init_pools(struct crypt_thread *t, unsigned depth)
{
	struct piece *piece = t->pieces;
	uint8_t *buf = t->mem;
	unsigned i;

	for (i = 0; i < NR_POOLS; i++)
		init_pool(t, &t->pools[i], &pool_sizes[i],
			  pool_buffers(&pool_sizes[i], depth), &piece, &buf);
	t->straddle = buf;
}

static void free_thread(struct crypt_thread *t)
{
	if (t->straddle)
		explicit_bzero(t->straddle, XTS_MAX_SECTOR_SIZE);
	if (t->mem != MAP_FAILED) {
		loop_forget_memory(t->loop, t->mem);
		munmap(t->mem, t->mem_len);
	}
	xts_free(t->xts);
	free(t->pieces);
	free(t);
}

static struct crypt_thread *new_thread(const struct cryptdev *dev,
				       struct loop *loop, unsigned depth)
{
	struct crypt_thread *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->loop = loop;
	t->sector_size = dev->sector_size;
	t->first_sector = dev->first_sector;
	t->mem_len = count_buffers(depth, &t->nr_pieces) + XTS_MAX_SECTOR_SIZE;
	t->pieces = calloc(t->nr_pieces, sizeof(*t->pieces));
	t->mem = mmap(NULL, t->mem_len, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!t->pieces || t->mem == MAP_FAILED || xts_dup(dev->xts, &t->xts)) {
		free_thread(t);
		return NULL;
	}
	init_pools(t, depth);
	/* The straddling sector's plaintext stays out of dumps; a hint. */
	madvise(t->mem, t->mem_len, MADV_DONTDUMP);
	/* A small RLIMIT_MEMLOCK costs speed, no more. */
	loop_add_memory(loop, t->mem, t->mem_len);
	return t;
}

static struct crypt_thread **find_thread(struct cryptdev *dev,
					 const struct loop *loop)
{
	struct crypt_thread **at = &dev->threads;

	while (*at && (*at)->loop != loop)
		at = &(*at)->next;
	return at;
}

struct crypt_thread *crypt_thread_get(struct cryptdev *dev, struct loop *loop,
				      unsigned depth)
{
	struct crypt_thread **at, *t;

	pthread_mutex_lock(&dev->lock);
	at = find_thread(dev, loop);
	if (!*at)
		*at = new_thread(dev, loop, depth);
	t = *at;
	if (t)
		t->nr_queues++;
	pthread_mutex_unlock(&dev->lock);
	return t;
}

void crypt_thread_put(struct cryptdev *dev, struct crypt_thread *t)
{
	pthread_mutex_lock(&dev->lock);
	if (--t->nr_queues == 0) {
		*find_thread(dev, t->loop) = t->next;
		free_thread(t);
	}
	pthread_mutex_unlock(&dev->lock);
}
