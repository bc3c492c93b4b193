/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A virtio-blk driver for tests: a device queue on one loop, its ring, and
 * requests as an honest driver makes them.  Both run in one thread.
 */
#ifndef DRIVER_BLK_H
#define DRIVER_BLK_H

#include "tests/unit/driver_split.h"
#include "virtio/blk_dev.h"

struct blk_dev;
struct loop;

struct driver_blk {
	struct driver d;
	struct loop *loop;
	struct vblk *vblk;
	struct vblk_queue *queue;
	struct vblk_stats stats;
	enum driver_shape shape;
	bool stopped;
};

/* A request that was made. */
struct driver_req {
	uint16_t head;
	uint64_t header, data, status;
	uint32_t len;
	uint32_t used; /* length, when done */
};

/*
 * All features of the device but @without, packed rings only if @packed.
 * Starts the queue.
 */
void driver_blk_init(struct driver_blk *b, struct blk_dev *dev, unsigned size,
		     uint64_t without);
void driver_blk_init_ring(struct driver_blk *b, struct blk_dev *dev,
			  unsigned size, uint64_t without, bool packed);
void driver_blk_init_params(struct driver_blk *b, struct blk_dev *dev,
			    const struct vblk_params *params, uint64_t without);
void driver_blk_free(struct driver_blk *b);

void driver_blk_start(struct driver_blk *b);

/* Returns when the queue has stopped. */
void driver_blk_stop(struct driver_blk *b);

/* Make a request; @len bytes of data, which the device writes if @in. */
struct driver_req driver_blk_add(struct driver_blk *b, uint32_t type,
				 uint64_t sector, uint32_t len, bool in);

/* Make it, kick, wait; returns the status. */
uint8_t driver_blk_run(struct driver_blk *b, uint32_t type, uint64_t sector,
		       uint32_t len, bool in, struct driver_req *ret);

/* Turns of the loop without sleeping. */
void driver_blk_turns(struct driver_blk *b, unsigned n);

/* Turns that sleep, as long as there is nothing to do, for a moment. */
void driver_blk_sleep(struct driver_blk *b);

/* Turns until something is used, and collect it. */
uint16_t driver_blk_wait(struct driver_blk *b, uint32_t *len);

uint8_t *driver_blk_at(struct driver_blk *b, uint64_t iova);

#endif
