/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a worker leaves for the monitor and for its successor, in NAME.shm:
 * the state of the device, counters, and the in-flight logs of its queues.
 *
 * Each field has one writer.  The worker could write anything here, so
 * readers check what they use it for.
 */
#ifndef DAEMON_SHARED_H
#define DAEMON_SHARED_H

#include <stddef.h>
#include <stdint.h>

#include "virtio/blk_stats.h"

struct shared_head {
	uint64_t magic;
	uint32_t nr_queues;
	uint32_t queue_size;
	/* Written by the worker. */
	uint64_t features;   /* negotiated */
	uint64_t status;     /* of the device; DRIVER_OK: queues run */
	uint64_t broken;     /* not 0: requests are not served */
	uint64_t resize_err; /* errno of the latest resize, 0: done */
	/* Written by the monitor. */
	uint64_t resize_to; /* bytes of the data area; before WORKER_RESIZE */
	uint64_t attached;  /* the device is or gets on the vDPA bus */
};

/* This process's view; the sizes are copies that were checked. */
struct shared {
	void *map;
	size_t len;
	unsigned nr_queues, queue_size;
	struct shared_head *head;
	struct vblk_stats *stats; /* one a queue */
	char *inflight;
};

size_t shared_size(unsigned nr_queues, unsigned queue_size);

/* Map @fd, whose contents are zeroes, and write the head. */
int shared_create(int fd, unsigned nr_queues, unsigned queue_size,
		  struct shared *ret);

/* Map what another process made: -EINVAL when it is not that. */
int shared_open(int fd, struct shared *ret);

void shared_unmap(struct shared *shared);

/* The in-flight log of queue @index, inflight_size(queue_size) bytes. */
void *shared_inflight(const struct shared *shared, unsigned index);

#endif
