/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Between the files of the device model: blk_dev.c (what the device is),
 * blk_queue.c (a queue's life), blk_request.c (what requests mean) and
 * blk_ranges.c (segments of sectors).  Nobody else includes this.
 */
#ifndef VIRTIO_BLK_INT_H
#define VIRTIO_BLK_INT_H

#include "backend/blk.h"
#include "lib/loop.h"
#include "lib/loop_poll.h"
#include "lib/loop.h"
#include "lib/loop_poll.h"
#include "virtio/blk_dev.h"
#include "virtio/virtq.h"

/*
 * Limits of DISCARD and WRITE_ZEROES: segments a request, sectors a segment.
 * A request in flight has to end before a queue can stop, and zeroes are
 * encrypted and written.
 */
#define VBLK_RANGES_MAX		 32U
#define VBLK_DISCARD_MAX_SECTORS (1U << 21) /* 1 GiB */
#define VBLK_ZEROES_MAX_SECTORS	 (1U << 13) /* 4 MiB */

/* A segment of such a request. */
struct vblk_range {
	uint64_t sector;
	uint32_t nr_sectors;
};

struct vblk {
	struct blk_dev *dev;
	struct vblk_params params;
	uint64_t features; /* offered */
	uint32_t seg_max, size_max;
	bool readonly;
	bool flushes;	   /* the driver accepted FLUSH */
	uint8_t writeback; /* of the configuration space; atomic */
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
	uint64_t sectors; /* that it is about, in all */
	/* DISCARD, WRITE_ZEROES: those from next_range on are to be done. */
	struct vblk_range *ranges; /* VBLK_RANGES_MAX */
	unsigned nr_ranges, next_range;
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
	struct vblk_slot *slot;	   /* queue_size */
	struct vblk_range *ranges; /* of all slots */
	uint64_t features;	   /* negotiated */
	enum vblk_state state;
	bool no_flush;	 /* the driver does not */
	bool config_wce; /* it may change the cache mode */
	bool reported;	 /* that it is broken */

	int kick_fd;
	uint64_t kick_value;
	struct loop_op kick, cancel;
	bool kick_armed, cancel_armed;

	struct loop_source source;
	struct loop_task task; /* the end of a turn */
	void (*stopped)(void *arg);
	void *stopped_arg;
};

/* Serve one request that was popped; it ends in virtq_push, now or later. */
void vblk_serve(struct vblk_queue *queue, struct virtq_chain *chain);

/* Whether a write that is taken now must be durable when it is answered. */
bool vblk_write_through(const struct vblk_queue *queue);

/*
 * Read the segments of a DISCARD (@discard) or WRITE_ZEROES, @len bytes at
 * @iov.  Returns a virtio-blk status: with OK every one of the *@ret_nr ranges
 * lies on the device and is made of whole blocks.
 */
uint8_t vblk_read_ranges(const struct vblk *vblk, const struct iovec *iov,
			 uint32_t len, bool discard,
			 struct vblk_range ret[VBLK_RANGES_MAX],
			 unsigned *ret_nr);

#endif
