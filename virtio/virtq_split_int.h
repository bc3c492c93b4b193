/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The split ring as it stands in memory, between virtq_split.c and
 * virtq_split_fetch.c.  Nobody else includes this.
 */
#ifndef VIRTIO_VIRTQ_SPLIT_INT_H
#define VIRTIO_VIRTQ_SPLIT_INT_H

#include "virtio/virtq_int.h"
#include "virtio/virtq_mem.h"

struct split_desc {
	le64 addr;
	le32 len;
	le16 flags;
	le16 next;
};

/* The driver writes it; behind the ring stands used_event. */
struct split_avail {
	le16 flags;
	le16 idx;
	le16 ring[];
};

struct split_used_elem {
	le32 id;
	le32 len;
};

/* The device writes it; behind the ring stands avail_event. */
struct split_used {
	le16 flags;
	le16 idx;
	struct split_used_elem ring[];
};

/* Read the driver's index into vq->split; @arg is the queue.  Under a guard. */
static inline void split_read_avail_idx(void *arg)
{
	struct virtq *vq = arg;

	/*
	 * Acquire: the driver writes ring entry and descriptors, then its
	 * write barrier, then the index.
	 */
	vq->split.avail_idx =
		ring_load16(&vq->split.avail->idx, __ATOMIC_ACQUIRE);
}

/* See struct virtq_format. */
enum virtq_result split_fetch(struct virtq *vq, struct virtq_chain *chain);

#endif
