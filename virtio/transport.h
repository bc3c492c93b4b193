/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Between a transport and the device model: what each asks of the other.
 *
 * A transport (VDUSE, vhost-user) learns from its peer where the rings are,
 * and starts and stops queues.  A queue, in its own thread, asks the
 * transport where an IOVA stands in this process, and to interrupt the driver;
 * and it says when a ring is broken.
 */
#ifndef VIRTIO_TRANSPORT_H
#define VIRTIO_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

struct inflight_queue;

/*
 * These are called in the queue's thread; all are required but those that say
 * otherwise.
 */
struct virtq_host_ops {
	/*
	 * The address in this process of @iova, where at least one byte must
	 * be mapped.  *@len: in, the bytes wanted (> 0); out, how many of
	 * them stand contiguously at the result, at least 1.  @write: the
	 * device will write.  NULL when @iova is not mapped (so).  The result
	 * is valid until the queue is stopped.
	 */
	void *(*translate)(void *host, uint64_t iova, uint64_t *len,
			   bool write);
	/* Interrupt the driver; never lost while the device is running. */
	void (*interrupt)(void *host);
	/*
	 * Optional: the ring is broken, and gives out nothing more until it is
	 * started again.  Once for each start.
	 */
	void (*broken)(void *host);
	/*
	 * Optional: somebody wants to know what the device has written, which
	 * is @len bytes (> 0) at @mem, in what translate returned.  Called
	 * after the writing, and before the driver is interrupted.
	 */
	void (*wrote)(void *host, const void *mem, uint64_t len);
};

/*
 * Where a ring goes on, when nothing is in flight.  Which member counts is
 * said by VIRTIO_F_RING_PACKED; zeroes are the start of a split ring.
 */
struct virtq_state {
	uint16_t avail_index; /* split: next avail entry to fetch */
	/* Packed: next descriptor to fetch, and next to use. */
	uint16_t last_avail_idx;
	uint16_t last_used_idx;
	bool last_avail_counter; /* wrap counters; true at first */
	bool last_used_counter;
};

/* Where a queue's rings are and how it runs, as the driver set it up. */
struct virtq_setup {
	uint64_t features;    /* negotiated: what the driver accepted */
	uint32_t num;	      /* entries of the ring */
	uint64_t desc_addr;   /* IOVA of the descriptor area */
	uint64_t driver_addr; /* IOVA of the driver area (avail ring) */
	uint64_t device_addr; /* IOVA of the device area (used ring) */
	struct virtq_state state;
	int kick_fd;			 /* eventfd; the transport keeps it */
	struct inflight_queue *inflight; /* what this queue has in flight */
	const struct virtq_host_ops *ops;
	void *host; /* for ops */
};

#endif
