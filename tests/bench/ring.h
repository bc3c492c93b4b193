/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The driver's side of a virtqueue, fast enough to measure a device with: a
 * fixed set of requests ("slots"), each with a chain of descriptors that stays
 * what it is and is only made available again and again (virtio 1.3, sections
 * 2.7 and 2.8).  One thread owns a ring.
 */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include <stdbool.h>
#include <stdint.h>

/* One piece of a request, as the device addresses it. */
struct piece {
	uint64_t addr;
	uint32_t len;
	bool write; /* the device writes */
};

struct ring_ops;

struct ring {
	const struct ring_ops *ops;
	unsigned int size;
	unsigned int chain; /* pieces of each request */
	bool event_idx;
	bool indirect;
	/* Of @size * 16 bytes, and what follows it by format. */
	void *desc;
	void *driver; /* avail ring, or driver event area */
	void *device; /* used ring, or device event area */
	/* Tables of @chain descriptors, one for each slot. */
	uint8_t *tables;
	uint64_t tables_addr;
	const struct piece **pieces; /* of each slot; the caller's */

	uint16_t next;	    /* split: avail index; packed: position */
	uint16_t last_used; /* the same for what the device returns */
	uint16_t published; /* of next, when a kick was last considered */
	bool next_wrap;
	bool used_wrap;
	uint16_t pending; /* packed: descriptors since then */
};

struct ring_ops {
	/* Sizes in bytes of the driver's and the device's part. */
	uint32_t (*driver_len)(unsigned int size);
	uint32_t (*device_len)(unsigned int size);
	/* The pieces of a slot were set or changed; it is not in flight. */
	void (*prepare)(struct ring *ring, unsigned int slot);
	/* Make the request of a slot available. */
	void (*put)(struct ring *ring, unsigned int slot);
	/* Does the device want a kick for what was put since the last call? */
	bool (*want_kick)(struct ring *ring);
	/* The slot of a completed request, or -1. */
	int (*get)(struct ring *ring);
	void (*calls_off)(struct ring *ring);
	/* False if something completed meanwhile: then do not sleep. */
	bool (*calls_on)(struct ring *ring);
};

extern const struct ring_ops ring_split_ops, ring_packed_ops;

/* Descriptors in the ring that a request takes. */
static inline unsigned int ring_cost(const struct ring *ring)
{
	return ring->indirect ? 1 : ring->chain;
}

#endif
