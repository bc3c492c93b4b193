/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Between the files of the device model: blk_dev.c (what the device is),
 * blk_queue.c (a queue's life) and blk_request.c (what requests mean).
 * Nobody else includes this.
 */
#ifndef VIRTIO_BLK_INT_H
#define VIRTIO_BLK_INT_H

#include "backend/blk.h"
#include "lib/loop.h"
#include "virtio/blk_dev.h"
#include "virtio/virtq.h"

struct vblk {
	struct blk_dev *dev;
	struct vblk_params params;
	uint64_t features; /* offered */
	uint32_t seg_max, size_max;
	bool readonly;
};

/* One request in flight; its index is the ring's id and the block tag. */
struct vblk_slot {
	struct blk_req req;
	struct vblk_queue *queue;
	enum vblk_op op;
	uint32_t in_len;  /* bytes to write, the status included */
	uint8_t *status;  /* NULL: there is no place for it */
	struct iovec *in; /* to write, the status excluded */
	unsigned nr_in;
};

enum vblk_state {
	VBLK_IDLE,
	VBLK_RUNNING,
	VBLK_STOPPING,
};

struct vblk_queue {
	const struct vblk *vblk;
	unsigned index;
	struct loop *loop;
	struct vblk_stats *stats;
	struct blk_queue *blk;
	struct virtq *vq;
	struct vblk_slot *slot; /* queue_size */
	enum vblk_state state;
	bool write_through; /* the driver does not flush */
	bool reported;	    /* that it is broken */
	bool more;	    /* the ring was left before it was empty */

	int kick_fd;
	uint64_t kick_value;
	struct loop_op kick, cancel;
	bool kick_armed, cancel_armed;

	struct loop_task task; /* the end of a turn */
	void (*stopped)(void *arg);
	void *stopped_arg;
};

/* Serve one request that was popped; it ends in virtq_push, now or later. */
void vblk_serve(struct vblk_queue *queue, struct virtq_chain *chain);

#endif
