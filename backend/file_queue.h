/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The requests of a file device: inside of backend/file*.c only.
 */
#ifndef BACKEND_FILE_QUEUE_H
#define BACKEND_FILE_QUEUE_H

#include "backend/blk.h"

struct file_dev {
	struct blk_dev base;
	int fd;
	bool regular; /* not a block device */
};

int file_open_queue(struct blk_dev *base, struct loop *loop, unsigned depth,
		    struct blk_queue **ret);
void file_submit(struct blk_queue *queue, struct blk_req *req);
void file_close_queue(struct blk_queue *queue);

#endif
