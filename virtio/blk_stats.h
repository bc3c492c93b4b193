/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What one queue of a virtio-blk device has done, for status.
 *
 * It stands in memory that the process which answers status shares.  The
 * queue's thread alone writes it, so plain loads and stores that cannot tear
 * are enough; zeroes are a valid start, and a new owner counts on.
 */
#ifndef VIRTIO_BLK_STATS_H
#define VIRTIO_BLK_STATS_H

#include <stdint.h>

#define VBLK_REASON_MAX 128

/* What requests are counted by. */
enum vblk_op {
	VBLK_READ,
	VBLK_WRITE,
	VBLK_FLUSH,
	VBLK_DISCARD,
	VBLK_WRITE_ZEROES,
	VBLK_GET_ID,
	VBLK_OTHER, /* unknown, and what could not be parsed */
	VBLK_NR_OPS,
};

struct vblk_op_stats {
	uint64_t requests; /* answered */
	uint64_t bytes;	   /* of data, of those that succeeded */
	uint64_t errors;   /* answered with anything but OK */
};

struct vblk_stats {
	struct vblk_op_stats op[VBLK_NR_OPS];
	uint64_t kicks;	     /* wakes by the driver; several may make one */
	uint64_t polls;	     /* times that requests were found without one */
	uint64_t interrupts; /* sent to the driver */
	uint64_t in_flight;  /* requests, now */
	uint64_t replayed;   /* requests that an earlier process had taken */
	uint64_t registered; /* 1: its buffers are, with the kernel */
	uint64_t broken;     /* 1: the queue stands still, see reason */
	char reason[VBLK_REASON_MAX]; /* valid while broken is set */
};

static inline uint64_t vblk_stat_get(const uint64_t *stat)
{
	/* Acquire: reason is written before broken is set. */
	return __atomic_load_n(stat, __ATOMIC_ACQUIRE);
}

static inline void vblk_stat_set(uint64_t *stat, uint64_t value)
{
	__atomic_store_n(stat, value, __ATOMIC_RELEASE);
}

static inline void vblk_stat_add(uint64_t *stat, uint64_t n)
{
	vblk_stat_set(stat, __atomic_load_n(stat, __ATOMIC_RELAXED) + n);
}

#endif
