/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The requests of a file device: inside of backend/file*.c only.
 */
#ifndef BACKEND_FILE_QUEUE_H
#define BACKEND_FILE_QUEUE_H

#include <stddef.h>

#include "backend/blk.h"
#include "lib/loop.h"

struct file_dev {
	struct blk_dev base;
	int fd;
	bool regular; /* not a block device */
};

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

static inline uint64_t req_bytes(const struct blk_req *req)
{
	return req->nr_sectors * BLK_SECTOR_SIZE;
}

/* The next operation of a request goes to the ring. */
void file_slot_start(struct file_slot *s);

int file_open_queue(struct blk_dev *base, struct loop *loop, unsigned depth,
		    struct blk_queue **ret);
void file_submit(struct blk_queue *queue, struct blk_req *req);
void file_close_queue(struct blk_queue *queue);

#endif
