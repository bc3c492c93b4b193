/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Between inflight.c, which holds what the logs of both ring formats have in
 * common, and inflight_packed.c.  Nobody else includes this.
 */
#ifndef VIRTIO_INFLIGHT_INT_H
#define VIRTIO_INFLIGHT_INT_H

#include <stdatomic.h>

#include "virtio/inflight.h"
#include "virtio/transport.h"

#define INFLIGHT_VERSION 1

/*
 * Everything before is in memory before anything after, should the process
 * die in between.  Nobody reads the log while it lives.
 */
static inline void inflight_order(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

/* Whether the log belongs to the ring of @setup; it must have room. */
bool inflight_bound_to(const struct inflight_queue *log,
		       const struct virtq_setup *setup);

/* Forget all and belong to @setup; the version is still to be set. */
void inflight_begin(struct inflight_queue *log,
		    const struct virtq_setup *setup);

struct inflight_fetched {
	uint64_t counter;
	uint16_t head;
};

/*
 * The order of fetching: sorts @list into rec->head.  0, or -EUCLEAN when a
 * counter is there twice.
 */
int inflight_sort(struct inflight_queue *log, struct inflight_fetched *list,
		  unsigned nr, struct inflight_recovery *rec, struct why *why);

#endif
