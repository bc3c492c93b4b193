// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The driver's side of a packed ring (virtio 1.3, section 2.8). */
#include <linux/virtio_ring.h>
#include <stddef.h>

#include "tests/bench/ring.h"

#define AVAIL (1 << VRING_PACKED_DESC_F_AVAIL)
#define USED  (1 << VRING_PACKED_DESC_F_USED)

static uint32_t event_len(unsigned int size)
{
	return sizeof(struct vring_packed_desc_event);
}

static uint64_t table_offset(const struct ring *ring, unsigned int slot)
{
	return (uint64_t)slot * ring->chain * sizeof(struct vring_packed_desc);
}

static void prepare(struct ring *ring, unsigned int slot)
{
	const struct piece *piece = ring->pieces[slot];
	struct vring_packed_desc *desc;
	unsigned int i;

	if (!ring->indirect)
		return;
	desc = (void *)(ring->tables + table_offset(ring, slot));
	for (i = 0; i < ring->chain; i++)
		desc[i] = (struct vring_packed_desc){
			.addr = piece[i].addr,
			.len = piece[i].len,
			.flags = piece[i].write ? VRING_DESC_F_WRITE : 0,
		};
}

static uint16_t wrap_flags(const struct ring *ring)
{
	return ring->next_wrap ? AVAIL : USED;
}

static void step(struct ring *ring)
{
	ring->pending++;
	if (++ring->next == ring->size) {
		ring->next = 0;
		ring->next_wrap = !ring->next_wrap;
	}
}

static void put_indirect(struct ring *ring, unsigned int slot)
{
	struct vring_packed_desc *desc = ring->desc;

	desc += ring->next;
	desc->addr = ring->tables_addr + table_offset(ring, slot);
	desc->len = ring->chain * sizeof(*desc);
	desc->id = slot;
	/* The device reads the rest after it saw the flags. */
	__atomic_store_n(&desc->flags, wrap_flags(ring) | VRING_DESC_F_INDIRECT,
			 __ATOMIC_RELEASE);
	step(ring);
}

static void put(struct ring *ring, unsigned int slot)
{
	const struct piece *piece = ring->pieces[slot];
	struct vring_packed_desc *desc = ring->desc, *head;
	uint16_t flags, head_flags = 0;
	unsigned int i;

	if (ring->indirect) {
		put_indirect(ring, slot);
		return;
	}
	head = desc + ring->next;
	for (i = 0; i < ring->chain; i++) {
		desc[ring->next].addr = piece[i].addr;
		desc[ring->next].len = piece[i].len;
		desc[ring->next].id = slot;
		flags = wrap_flags(ring) |
			(piece[i].write ? VRING_DESC_F_WRITE : 0) |
			(i + 1 < ring->chain ? VRING_DESC_F_NEXT : 0);
		if (i)
			desc[ring->next].flags = flags;
		else
			head_flags = flags;
		step(ring);
	}
	/* The first one's flags make all of the chain available. */
	__atomic_store_n(&head->flags, head_flags, __ATOMIC_RELEASE);
}

static bool want_kick(struct ring *ring)
{
	struct vring_packed_desc_event *area = ring->device;
	uint16_t pending = ring->pending, flags, off_wrap, event;

	ring->pending = 0;
	/* The device writes its wish, then looks at the ring once more. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	flags = __atomic_load_n(&area->flags, __ATOMIC_ACQUIRE);
	if (flags != VRING_PACKED_EVENT_FLAG_DESC)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	off_wrap = __atomic_load_n(&area->off_wrap, __ATOMIC_RELAXED);
	event = off_wrap & ~(1 << VRING_PACKED_EVENT_F_WRAP_CTR);
	if (off_wrap >> VRING_PACKED_EVENT_F_WRAP_CTR != ring->next_wrap)
		event -= ring->size;
	return vring_need_event(event, ring->next, ring->next - pending);
}

static bool is_used(struct ring *ring)
{
	struct vring_packed_desc *desc = ring->desc;
	uint16_t flags;

	flags = __atomic_load_n(&desc[ring->last_used].flags, __ATOMIC_ACQUIRE);
	return !!(flags & AVAIL) == ring->used_wrap &&
	       !!(flags & USED) == ring->used_wrap;
}

static int get(struct ring *ring)
{
	struct vring_packed_desc *desc = ring->desc;
	int slot;

	if (!is_used(ring))
		return -1;
	slot = desc[ring->last_used].id;
	ring->last_used += ring_cost(ring);
	if (ring->last_used >= ring->size) {
		ring->last_used -= ring->size;
		ring->used_wrap = !ring->used_wrap;
	}
	return slot;
}

static void calls_off(struct ring *ring)
{
	struct vring_packed_desc_event *area = ring->driver;

	__atomic_store_n(&area->flags, VRING_PACKED_EVENT_FLAG_DISABLE,
			 __ATOMIC_RELAXED);
}

static bool calls_on(struct ring *ring)
{
	struct vring_packed_desc_event *area = ring->driver;
	uint16_t flags = VRING_PACKED_EVENT_FLAG_ENABLE;

	if (ring->event_idx) {
		area->off_wrap = ring->last_used |
				 ring->used_wrap
					 << VRING_PACKED_EVENT_F_WRAP_CTR;
		flags = VRING_PACKED_EVENT_FLAG_DESC;
	}
	__atomic_store_n(&area->flags, flags, __ATOMIC_RELEASE);
	/* The device marks as used, then looks whether a call is wanted. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !is_used(ring);
}

const struct ring_ops ring_packed_ops = {
	.driver_len = event_len,
	.device_len = event_len,
	.prepare = prepare,
	.put = put,
	.want_kick = want_kick,
	.get = get,
	.calls_off = calls_off,
	.calls_on = calls_on,
};
