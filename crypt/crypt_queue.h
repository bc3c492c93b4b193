/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A queue of the cipher device, inside of crypt/crypt*.c only: how it works is
 * in crypt_queue.c, what the queues of a thread share in crypt_thread.c.
 */
#ifndef CRYPT_CRYPT_QUEUE_H
#define CRYPT_CRYPT_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "backend/blk.h"
#include "crypt/copy.h"

#define NR_POOLS  3U
#define MAX_PIECE (128U << 10) /* bytes; the size of the largest buffers */

struct xts;

/*
 * Constant once it is handed out, but for OpenSSL's reference counts and the
 * list of threads.
 */
struct cryptdev {
	struct blk_dev base;
	struct blk_dev *lower;
	struct xts *xts;       /* threads use copies of it */
	uint32_t sector_size;  /* bytes */
	uint64_t first_sector; /* of the data area, of 512 bytes, in lower */
	pthread_mutex_t lock;  /* for the list, when queues come and go */
	struct crypt_thread *threads;
};

/* A buffer, and the request below that uses it. */
struct piece {
	struct blk_req req;
	struct iovec iov; /* the buffer, as long as the piece */
	struct crypt_thread *thread;
	struct pool *pool;
	struct piece *next;  /* in pool->free */
	struct slot *slot;   /* the request that it is a piece of */
	struct copy_pos pos; /* its place in driver memory */
};

/* The requests of one queue that wait for a buffer of one pool. */
struct line {
	struct slot *head, **tail;
	struct line *next; /* in pool->head, if there is one that waits */
};

struct pool {
	uint32_t bytes; /* of a buffer */
	struct piece *free;
	struct line *head, **tail; /* that are not empty, in rotation */
};

/* A request from above. */
struct slot {
	struct blk_req pass; /* below, for what is not cut into pieces */
	struct blk_req *req;
	struct crypt_queue *queue;
	struct slot *next;   /* in line->head */
	uint64_t sector;     /* of the next piece */
	uint64_t left;	     /* bytes that no piece has taken yet */
	struct copy_pos pos; /* of the next piece, for READ and WRITE */
	unsigned in_flight;  /* pieces */
	unsigned turn;	     /* pieces until it steps back */
	int err;	     /* the first one; no more pieces then */
};

/* What the queues of one loop, and therefore one thread, share. */
struct crypt_thread {
	struct crypt_thread *next; /* of the same device */
	unsigned nr_queues;
	struct loop *loop;
	struct xts *xts;
	uint32_t sector_size;
	bool pumping;
	unsigned worked; /* bytes of cipher work since the last submission */
	uint64_t first_sector;
	struct pool pools[NR_POOLS];
	struct piece *pieces;
	unsigned nr_pieces;
	uint8_t *mem; /* all buffers, then the sector for straddling */
	size_t mem_len;
	uint8_t *straddle;
};

struct crypt_queue {
	struct blk_queue base;
	struct blk_queue *lower; /* tags: the thread's pieces, what passes */
	struct crypt_thread *thread;
	struct line lines[NR_POOLS];
	struct slot slots[];
};

static inline void give_buffer(struct piece *p)
{
	p->next = p->pool->free;
	p->pool->free = p;
}

/* The ends of what is below: piece->req and slot->pass. */
void crypt_piece_done(struct blk_req *req, int res);
void crypt_pass_done(struct blk_req *req, int res);

/*
 * What the queues of @loop share, made if this is the first one of up to
 * @depth requests.  NULL: there is no memory.  In the thread of @loop, or
 * before it runs.
 */
struct crypt_thread *crypt_thread_get(struct cryptdev *dev, struct loop *loop,
				      unsigned depth);
void crypt_thread_put(struct cryptdev *dev, struct crypt_thread *thread);

int crypt_open_queue(struct blk_dev *base, struct loop *loop, unsigned depth,
		     struct blk_queue **ret);
void crypt_submit(struct blk_queue *queue, struct blk_req *req);
void crypt_close_queue(struct blk_queue *queue);

#endif
