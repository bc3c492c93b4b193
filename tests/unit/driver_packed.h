/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The driver's side of a packed ring, for tests: what driver_split.h does for
 * a driver that negotiated VIRTIO_F_RING_PACKED.
 */
#ifndef DRIVER_PACKED_H
#define DRIVER_PACKED_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

struct driver;
struct driver_seg;

#define DRIVER_PACKED_MAX 1024

/* A place in the ring. */
struct driver_pos {
	uint16_t idx;
	bool wrap;
};

struct driver_packed {
	struct vring_packed_desc *desc; /* NULL: the ring is split */
	struct vring_packed_desc_event *driver, *device;
	struct driver_pos next, published, used;
	uint16_t count[DRIVER_PACKED_MAX]; /* by id: descriptors it takes */
	unsigned nr_desc;		   /* descriptors that are free */
	/* First descriptors that are not visible yet. */
	struct {
		uint16_t at, flags;
	} hidden[DRIVER_PACKED_MAX];
	unsigned nr_hidden;
};

void driver_packed_init(struct driver *d);
void driver_packed_reset(struct driver *d);
uint16_t driver_packed_add(struct driver *d, bool indirect,
			   const struct driver_seg *seg, unsigned nr);
bool driver_packed_publish(struct driver *d);
bool driver_packed_has_used(const struct driver *d);
void driver_packed_collect(struct driver *d, uint16_t *id, uint32_t *len);
void driver_packed_want_interrupt(struct driver *d, bool want);

/* Write anything; as if available in the lap that the driver is in. */
void driver_packed_raw(struct driver *d, unsigned i, uint64_t addr,
		       uint32_t len, uint16_t flags, uint16_t id);

#endif
