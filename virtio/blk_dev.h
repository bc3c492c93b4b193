/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The virtio-blk device model (virtio 1.3, section 5.2): turns what stands in
 * a ring into requests to a block device, and their results into answers.
 * It knows no transport: see transport.h for what it asks of one.
 *
 * A device (struct vblk) is shared and read-only, but for the cache mode,
 * which is one atomic byte.  A queue (struct vblk_queue) belongs to one thread
 * and its loop.
 */
#ifndef VIRTIO_BLK_DEV_H
#define VIRTIO_BLK_DEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "virtio/blk_stats.h"
#include "virtio/transport.h"

struct blk_dev;
struct loop;
struct vblk;
struct vblk_queue;
struct why;

#define VBLK_SERIAL_LEN	    20
#define VBLK_MAX_QUEUE_SIZE 1024

struct vblk_params {
	unsigned nr_queues;	      /* 1..65535 */
	unsigned queue_size;	      /* entries; a power of two, 4..1024 */
	uint32_t seg_max;	      /* pieces of data a request; 0: any */
	uint32_t size_max;	      /* bytes of a piece, >= 4096; 0: any */
	uint32_t poll_us;	      /* look for requests before sleeping */
	bool packed;		      /* offer packed rings */
	bool readonly;		      /* even if the block device is not */
	bool config_writes;	      /* the transport takes them to us */
	bool physical;		      /* addresses are, so no ACCESS_PLATFORM */
	char serial[VBLK_SERIAL_LEN]; /* NUL padded, perhaps not terminated */
};

/* Does not own @dev, which must outlive it.  0, -EINVAL or -ENOMEM. */
int vblk_new(struct blk_dev *dev, const struct vblk_params *params,
	     struct vblk **ret, struct why *why);

/* No queue exists any more.  NULL is allowed. */
void vblk_free(struct vblk *vblk);

/* All feature bits that are offered. */
uint64_t vblk_features(const struct vblk *vblk);

/*
 * Whether the features that the driver accepted can be served: 0, or -EINVAL
 * with the reason (a bit that was not offered, or one missing that must not).
 */
int vblk_check_features(const struct vblk *vblk, uint64_t negotiated,
			struct why *why);

/*
 * The configuration space (struct virtio_blk_config, little endian): writes
 * at most @len bytes to @buf, returns how long it is in all.
 */
size_t vblk_config(const struct vblk *vblk, void *buf, size_t len);

/*
 * The driver accepted @negotiated, or has reset the device (then: whatever is
 * offered).  Sets what it may write in the configuration space to what it is
 * at first.  No queue runs.
 */
void vblk_reset_config(struct vblk *vblk, uint64_t negotiated);

/*
 * The driver writes @len bytes at @offset of the configuration space.  All
 * that it can change is the cache mode, the byte `writeback`: 0, every write
 * is durable when it is answered; 1, when a flush is.  It holds for requests
 * that are taken from then on, in all queues.
 * 0, or -EINVAL: nothing else is writable; or it did not accept FLUSH, and
 * could not have anything made durable.
 */
int vblk_write_config(struct vblk *vblk, size_t offset, const void *buf,
		      size_t len);

/* The largest queue, in entries: what the transport offers. */
unsigned vblk_queue_size(const struct vblk *vblk);

/*
 * Queue number @index, in the thread of @loop, before loop_seal.  @stats must
 * outlive it.  0 or -errno (-ENOMEM, or of the block device's open_queue).
 */
int vblk_queue_new(struct vblk *vblk, unsigned index, struct loop *loop,
		   struct vblk_stats *stats, struct vblk_queue **ret);

/*
 * Serve the ring of @setup, which is copied; what it points to must stay until
 * the queue has stopped.  Requests found in setup->inflight are taken up
 * first; then the ring is looked at whether it was kicked or not.
 * 0, or with the reason -EINVAL (the setup cannot be), -EFAULT (a ring is not
 * mapped as it must), -EUCLEAN (the in-flight log cannot be trusted and there
 * are requests that only it would know), -EBUSY (it runs).
 */
int vblk_queue_start(struct vblk_queue *queue, const struct virtq_setup *setup,
		     struct why *why);

/*
 * Take no more requests, finish those in flight, then call @stopped from the
 * loop, exactly once: from then on neither the ring nor any buffer is touched.
 * A queue that does not run stops as well.
 */
void vblk_queue_stop(struct vblk_queue *queue, void (*stopped)(void *arg),
		     void *arg);

/* Started, and stopped() not yet called. */
bool vblk_queue_runs(const struct vblk_queue *queue);

/* Where its ring goes on, for a queue that has stopped. */
struct virtq_state vblk_queue_state(const struct vblk_queue *queue);

/* The queue does not run.  NULL is allowed. */
void vblk_queue_free(struct vblk_queue *queue);

#endif
