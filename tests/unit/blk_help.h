/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A loop with one queue of one block device, and requests that are waited for.
 */
#ifndef TESTS_UNIT_BLK_HELP_H
#define TESTS_UNIT_BLK_HELP_H

#include <stddef.h>

#include "backend/blk.h"

struct blk_rig {
	struct loop *loop;
	struct blk_dev *dev;
	struct blk_queue *queue;
};

/* Owns @dev from here on. */
void rig_open(struct blk_rig *rig, struct blk_dev *dev, unsigned depth);
void rig_close(struct blk_rig *rig);

/* One request, until it ends; its result. */
int rig_run(struct blk_rig *rig, struct blk_req *req);

/* The same with one buffer of @len bytes; NULL for none. */
int rig_do(struct blk_rig *rig, enum blk_op op, unsigned flags, uint64_t sector,
	   void *buf, size_t len);

/* Bytes that look random and depend on @seed. */
void fill_bytes(void *buf, size_t len, unsigned seed);

#endif
