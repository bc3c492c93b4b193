/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The memory of a test driver: an IOVA space with a few mappings and gaps
 * between them, and the transport's side of it (struct virtq_host_ops).
 * Every mapping is an allocation of its own, so that the address sanitizer
 * sees a touch outside.
 */
#ifndef DRIVER_MEM_H
#define DRIVER_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "virtio/transport.h"

#define DRIVER_MAPS 16

struct driver_map {
	uint64_t iova, len;
	uint8_t *host;
	bool readonly; /* for the device */
	bool borrowed; /* host is not freed */
};

/* Where memory comes from; a member that is 0: as it is in unit tests. */
struct driver_place {
	uint64_t base; /* in front of every IOVA */
	/* Zeroes, which the caller need not free. */
	void *(*alloc)(void *arg, uint64_t iova, uint64_t len);
	void *arg;
};

struct driver_mem {
	struct driver_place place;
	struct driver_map map[DRIVER_MAPS];
	unsigned nr;
	unsigned interrupts; /* the device sent */
};

/* @host: memory to use, or NULL for an allocation of zeroes. */
struct driver_map *driver_mem_map(struct driver_mem *mem, uint64_t iova,
				  uint64_t len, void *host);
void driver_mem_unmap(struct driver_mem *mem, uint64_t iova);
void driver_mem_free(struct driver_mem *mem);

/* Where @iova stands; the test fails if it does not. */
void *driver_mem_at(const struct driver_mem *mem, uint64_t iova);

/* For struct virtq_setup; the host is the struct driver_mem. */
extern const struct virtq_host_ops driver_mem_ops;

#endif
