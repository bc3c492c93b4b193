/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The driver's side of a ring, for tests: honest (driver_add, driver_publish,
 * driver_collect) and not (driver_raw_...).  The ring is split, unless the
 * features have VIRTIO_F_RING_PACKED: then driver_packed.c does the work.
 */
#ifndef DRIVER_SPLIT_H
#define DRIVER_SPLIT_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/unit/driver_mem.h"
#include "tests/unit/driver_packed.h"

/* Where things are, with gaps in between. */
#define DRIVER_DESC	0x10000ULL
#define DRIVER_AVAIL	0x40000ULL
#define DRIVER_USED	0x60000ULL
#define DRIVER_DATA	0x1000000ULL
#define DRIVER_DATA_LEN (4U << 20)

#define DRIVER_MAX 1024

struct driver_seg {
	uint64_t iova;
	uint32_t len;
	bool write; /* the device writes */
};

enum driver_shape {
	DRIVER_DIRECT,
	DRIVER_INDIRECT,
	DRIVER_MIXED, /* first segment direct, others indirect; packed: none */
	DRIVER_NR_SHAPES,
};

struct driver {
	struct driver_mem mem;
	struct virtq_setup setup; /* ready to start a queue with */
	unsigned num;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t avail_idx; /* added; published by driver_publish */
	uint16_t published;
	uint16_t used_seen;
	uint16_t free[DRIVER_MAX]; /* descriptors */
	unsigned nr_free;
	bool busy[DRIVER_MAX]; /* heads the device has */
	uint64_t next_data;    /* bump allocator */
	struct driver_packed packed;
};

/* @num entries; @features besides VERSION_1 and ACCESS_PLATFORM. */
void driver_init(struct driver *d, unsigned num, uint64_t features);
/* The same, in memory of the caller's choice. */
void driver_init_at(struct driver *d, unsigned num, uint64_t features,
		    const struct driver_place *place);
void driver_free(struct driver *d);

/* Map memory for the ring, @at being one of the constants above. */
void *driver_map(struct driver *d, uint64_t at, uint64_t len);

/* Empty the rings, as a driver does after a reset. */
void driver_reset(struct driver *d);

/* Data memory, @align a power of two; never given back but by a reset. */
uint64_t driver_alloc(struct driver *d, uint32_t len, uint32_t align);
void *driver_at(struct driver *d, uint64_t iova);

/*
 * Make a chain of @seg available; not yet visible.  Returns its head, or in a
 * packed ring its buffer id.
 */
uint16_t driver_add(struct driver *d, enum driver_shape shape,
		    const struct driver_seg *seg, unsigned nr);

/* Show what was added.  True if the device wants a kick. */
bool driver_publish(struct driver *d);

/* Write to the kick descriptor, if driver_publish said so. */
void driver_kick(struct driver *d);

/* Whether something is used that was not yet collected. */
bool driver_has_used(const struct driver *d);

/* The next used element, whose head must be one that the device has. */
bool driver_collect(struct driver *d, uint16_t *head, uint32_t *len);

/* Ask for an interrupt at the next used element, or for none. */
void driver_want_interrupt(struct driver *d, bool want);

/* Write anything; only for split rings. */
void driver_raw_desc(struct driver *d, unsigned i, uint64_t addr, uint32_t len,
		     uint16_t flags, uint16_t next);
void driver_raw_avail(struct driver *d, uint16_t head);

#endif
