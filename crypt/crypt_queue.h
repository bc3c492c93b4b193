/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The requests of the cipher device: inside of crypt/ only.
 */
#ifndef CRYPT_CRYPT_QUEUE_H
#define CRYPT_CRYPT_QUEUE_H

#include "backend/blk.h"

struct xts;

/* Constant once it is handed out, but for OpenSSL's reference counts. */
struct cryptdev {
	struct blk_dev base;
	struct blk_dev *lower;
	struct xts *xts;       /* queues use copies of it */
	uint32_t sector_size;  /* bytes */
	uint64_t first_sector; /* of the data area, of 512 bytes, in lower */
};

int crypt_open_queue(struct blk_dev *base, struct loop *loop, unsigned depth,
		     struct blk_queue **ret);
void crypt_submit(struct blk_queue *queue, struct blk_req *req);
void crypt_close_queue(struct blk_queue *queue);

#endif
