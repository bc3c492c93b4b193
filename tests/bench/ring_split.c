// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The driver's side of a split ring (virtio 1.3, section 2.7). */
#include <linux/virtio_ring.h>
#include <stddef.h>

#include "tests/bench/ring.h"

static uint32_t driver_len(unsigned int size)
{
	return sizeof(struct vring_avail) + size * 2 + 2;
}

static uint32_t device_len(unsigned int size)
{
	return sizeof(struct vring_used) +
	       size * sizeof(struct vring_used_elem) + 2;
}

/* Descriptors follow each other: in the table, or from the slot's first on. */
static void prepare(struct ring *ring, unsigned int slot)
{
	const struct piece *piece = ring->pieces[slot];
	unsigned int n = ring->chain, first = ring->indirect ? 0 : slot * n, i;
	uint64_t offset = (uint64_t)slot * n * sizeof(struct vring_desc);
	struct vring_desc *desc = ring->desc;

	if (ring->indirect) {
		desc[slot] = (struct vring_desc){
			.addr = ring->tables_addr + offset,
			.len = n * sizeof(*desc),
			.flags = VRING_DESC_F_INDIRECT,
		};
		desc = (void *)(ring->tables + offset);
	}
	for (i = 0; i < n; i++)
		desc[first + i] = (struct vring_desc){
			.addr = piece[i].addr,
			.len = piece[i].len,
			.flags = (piece[i].write ? VRING_DESC_F_WRITE : 0) |
				 (i + 1 < n ? VRING_DESC_F_NEXT : 0),
			.next = i + 1 < n ? first + i + 1 : 0,
		};
}

static void put(struct ring *ring, unsigned int slot)
{
	struct vring_avail *avail = ring->driver;

	avail->ring[ring->next & (ring->size - 1)] = slot * ring_cost(ring);
	ring->next++;
	/* The device reads the entry after it saw the index. */
	__atomic_store_n(&avail->idx, ring->next, __ATOMIC_RELEASE);
}

static bool want_kick(struct ring *ring)
{
	struct vring_used *used = ring->device;
	uint16_t old = ring->published, event;

	ring->published = ring->next;
	/* The device writes its wish, then looks at the index once more. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!ring->event_idx)
		return !(__atomic_load_n(&used->flags, __ATOMIC_RELAXED) &
			 VRING_USED_F_NO_NOTIFY);
	event = __atomic_load_n((uint16_t *)&used->ring[ring->size],
				__ATOMIC_RELAXED);
	return vring_need_event(event, ring->next, old);
}

static int get(struct ring *ring)
{
	struct vring_used *used = ring->device;

	if (__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE) == ring->last_used)
		return -1;
	return used->ring[ring->last_used++ & (ring->size - 1)].id /
	       ring_cost(ring);
}

static uint16_t *used_event(struct ring *ring)
{
	struct vring_avail *avail = ring->driver;

	return &avail->ring[ring->size];
}

/* With event_idx: an index far from what the device publishes next. */
static void calls_off(struct ring *ring)
{
	struct vring_avail *avail = ring->driver;

	if (ring->event_idx)
		__atomic_store_n(used_event(ring), ring->last_used + 0x8000,
				 __ATOMIC_RELAXED);
	else
		__atomic_store_n(&avail->flags, VRING_AVAIL_F_NO_INTERRUPT,
				 __ATOMIC_RELAXED);
}

static bool calls_on(struct ring *ring)
{
	struct vring_avail *avail = ring->driver;
	struct vring_used *used = ring->device;

	if (ring->event_idx)
		__atomic_store_n(used_event(ring), ring->last_used,
				 __ATOMIC_RELAXED);
	else
		__atomic_store_n(&avail->flags, 0, __ATOMIC_RELAXED);
	/* The device publishes, then looks whether a call is wanted. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&used->idx, __ATOMIC_ACQUIRE) == ring->last_used;
}

const struct ring_ops ring_split_ops = {
	.driver_len = driver_len,
	.device_len = device_len,
	.prepare = prepare,
	.put = put,
	.want_kick = want_kick,
	.get = get,
	.calls_off = calls_off,
	.calls_on = calls_on,
};
