/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The IOTLB of one queue: which IOVAs stand where in this process.
 *
 * Regions are asked of the kernel on the first use of an address
 * (VDUSE_IOTLB_GET_FD) and mapped until they are dropped.  Each queue has a
 * table of its own, so that a look-up takes no lock.
 *
 * Requests in flight hold addresses that they got here, so no region makes
 * room for another one: the table grows.  The kernel bounds it: it has no
 * more regions than max_iotlb_entries of its module vduse (2048).
 */
#ifndef VDUSE_IOTLB_H
#define VDUSE_IOTLB_H

#include <stdbool.h>
#include <stdint.h>

struct iotlb_region {
	uint64_t start, last; /* IOVA, inclusive */
	char *host;	      /* where start stands */
	void *map;	      /* what mmap returned */
	uint64_t map_len;
	uint8_t perm; /* VDUSE_ACCESS_* */
};

/*
 * How the table asks for the region of an IOVA: ioctl(VDUSE_IOTLB_GET_FD),
 * or a test's stand-in.  @entry: in, start = last = the address; out, the
 * region.  Returns a file descriptor or -errno.
 */
struct vduse_iotlb_entry;
typedef int (*iotlb_ask_fn)(void *arg, struct vduse_iotlb_entry *entry);

struct iotlb {
	iotlb_ask_fn ask;
	void *arg;
	unsigned nr, room, last_hit;
	struct iotlb_region *regions; /* in the order of their IOVAs */
};

void iotlb_init(struct iotlb *tlb, iotlb_ask_fn ask, void *arg);

/*
 * As virtq_host_ops.translate.  NULL also when the region cannot be mapped
 * or noted, for want of memory.
 */
void *iotlb_translate(struct iotlb *tlb, uint64_t iova, uint64_t *len,
		      bool write);

/*
 * Unmap every region that overlaps the IOVAs @start to @last, inclusive.
 * All of them: the table gives its memory back as well.
 */
void iotlb_drop(struct iotlb *tlb, uint64_t start, uint64_t last);

#endif
