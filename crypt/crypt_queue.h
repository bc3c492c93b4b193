/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A queue of the cipher device, inside of crypt/crypt*.c only: how it works is
 * in crypt_queue.c, how it comes and goes in crypt_queue_open.c.
 */
#ifndef CRYPT_CRYPT_QUEUE_H
#define CRYPT_CRYPT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "backend/blk.h"
#include "crypt/copy.h"

#define NR_POOLS  3U
#define MAX_PIECE (128U << 10) /* bytes; the size of the largest buffers */

struct xts;

/* Constant once it is handed out, but for OpenSSL's reference counts. */
struct cryptdev {
	struct blk_dev base;
	struct blk_dev *lower;
	struct xts *xts;       /* queues use copies of it */
	uint32_t sector_size;  /* bytes */
	uint64_t first_sector; /* of the data area, of 512 bytes, in lower */
};

/* A buffer, and the request below that uses it. */
struct piece {
	struct blk_req req;
	struct iovec iov; /* the buffer, as long as the piece */
	struct crypt_queue *queue;
	struct pool *pool;
	struct piece *next;  /* in pool->free */
	struct slot *slot;   /* the request that it is a piece of */
	struct copy_pos pos; /* its place in driver memory */
};

struct pool {
	uint32_t bytes; /* of a buffer */
	struct piece *free;
	struct slot *head, **tail; /* requests that wait for a buffer */
};

/* A request from above. */
struct slot {
	struct blk_req pass; /* below, for what is not cut into pieces */
	struct blk_req *req;
	struct slot *next;   /* in pool->head */
	uint64_t sector;     /* of the next piece */
	uint64_t left;	     /* bytes that no piece has taken yet */
	struct copy_pos pos; /* of the next piece, for READ and WRITE */
	unsigned in_flight;  /* pieces */
	unsigned turn;	     /* pieces until it steps back */
	int err;	     /* the first one; no more pieces then */
};

struct crypt_queue {
	struct blk_queue base;
	struct blk_queue *lower;
	struct xts *xts;
	uint32_t sector_size;
	bool registered;
	bool pumping;
	unsigned worked; /* bytes of cipher work since the last submission */
	uint64_t first_sector;
	struct pool pools[NR_POOLS];
	struct piece *pieces;
	struct slot *slots;
	uint8_t *mem; /* all buffers, then the sector for straddling */
	size_t mem_len;
	uint8_t *straddle;
};

static inline void give_buffer(struct piece *p)
{
	p->next = p->pool->free;
	p->pool->free = p;
}

/* The ends of what is below: piece->req and slot->pass. */
void crypt_piece_done(struct blk_req *req, int res);
void crypt_pass_done(struct blk_req *req, int res);

int crypt_open_queue(struct blk_dev *base, struct loop *loop, unsigned depth,
		     struct blk_queue **ret);
void crypt_submit(struct blk_queue *queue, struct blk_req *req);
void crypt_close_queue(struct blk_queue *queue);

#endif
