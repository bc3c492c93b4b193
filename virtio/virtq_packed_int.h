/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The packed ring as it stands in memory, between virtq_packed.c and
 * virtq_packed_fetch.c.  Nobody else includes this.
 */
#ifndef VIRTIO_VIRTQ_PACKED_INT_H
#define VIRTIO_VIRTQ_PACKED_INT_H

#include <linux/virtio_ring.h>

#include "virtio/virtq_int.h"
#include "virtio/virtq_mem.h"

#define PACKED_AVAIL (1U << VRING_PACKED_DESC_F_AVAIL)
#define PACKED_USED  (1U << VRING_PACKED_DESC_F_USED)

struct packed_desc {
	le64 addr;
	le32 len;
	le16 id; /* of a chain, in its last descriptor */
	le16 flags;
};

_Static_assert(sizeof(struct packed_desc) == VIRTQ_DESC_SIZE, "as in the ring");

/* Event suppression: off_wrap in the low half, flags in the high one. */
struct packed_event {
	le32 both;
};

static inline uint16_t packed_load_flags(const struct packed_desc *d)
{
	/*
	 * Acquire: the driver writes the chain, then its write barrier, then
	 * the flags of the first descriptor.
	 */
	return ring_load16(&d->flags, __ATOMIC_ACQUIRE);
}

static inline void packed_advance(const struct virtq *vq,
				  struct packed_pos *pos, unsigned n)
{
	unsigned idx = pos->idx + n;

	if (idx >= vq->setup.num) {
		idx -= vq->setup.num;
		pos->wrap = !pos->wrap;
	}
	pos->idx = (uint16_t)idx;
}

static inline bool packed_is_avail(uint16_t flags, bool wrap)
{
	return !!(flags & PACKED_AVAIL) == wrap &&
	       !!(flags & PACKED_USED) != wrap;
}

/* See struct virtq_format. */
enum virtq_result packed_fetch(struct virtq *vq, struct virtq_chain *chain);

#endif
