/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A processor with a store buffer, for tests: what a ring format stores is
 * seen by the driver only when a full fence, or the end of the function, lets
 * it out, and at a chosen access the driver comes in between.  So every order
 * that a real processor may show once in a while is tried, each time.
 *
 * A test that includes this and then virtio/virtq_split.c (or _packed.c) has
 * that format run on it, instead of on virtio/virtq_mem.h.
 */
#ifndef STORE_BUFFER_H
#define STORE_BUFFER_H

#include "lib/endian.h"

#define VIRTIO_VIRTQ_MEM_H /* these are in place of those */

uint16_t ring_load16(const le16 *p, int order);
uint32_t ring_load32(const le32 *p, int order);
void ring_store16(le16 *p, uint16_t value, int order);
void ring_store32(le32 *p, uint32_t value, int order);
void ring_full_fence(void);

/*
 * From here on stores are buffered, and @other is called before access number
 * @at (from 0); sb_end calls it if there were fewer accesses, lets all stores
 * out, and returns how many accesses there were.
 */
void sb_begin(unsigned at, void (*other)(void *arg), void *arg);
unsigned sb_end(void);

#endif
