/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * How the device touches ring memory that the driver reads and writes at any
 * moment: each access is a single one, with its order spelled out.
 */
#ifndef VIRTIO_VIRTQ_MEM_H
#define VIRTIO_VIRTQ_MEM_H

#include "lib/endian.h"

/* @order: __ATOMIC_RELAXED, or __ATOMIC_ACQUIRE. */
static inline uint16_t ring_load16(const le16 *p, int order)
{
	le16 v = { __atomic_load_n(&p->raw, order) };

	return le16_get(v);
}

static inline uint32_t ring_load32(const le32 *p, int order)
{
	le32 v = { __atomic_load_n(&p->raw, order) };

	return le32_get(v);
}

/* @order: __ATOMIC_RELAXED, or __ATOMIC_RELEASE. */
static inline void ring_store16(le16 *p, uint16_t value, int order)
{
	__atomic_store_n(&p->raw, le16_put(value).raw, order);
}

static inline void ring_store32(le32 *p, uint32_t value, int order)
{
	__atomic_store_n(&p->raw, le32_put(value).raw, order);
}

/*
 * What was stored before is seen by the other side before anything is loaded
 * after.  Nothing less does: neither release nor acquire keep a load from
 * passing a store.
 */
static inline void ring_full_fence(void)
{
	__sync_synchronize();
}

#endif
