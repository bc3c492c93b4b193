/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The front end's memory: regions of files, mapped in this process.  Rings are
 * named by addresses of the front end's process, buffers by physical addresses
 * of the guest.
 *
 * The table changes only while no queue runs; queues read it at any time.
 */
#ifndef VHOST_USER_MEMORY_H
#define VHOST_USER_MEMORY_H

#include <stdint.h>

#include "vhost-user/proto.h"

struct why;

#define VHOST_MAX_SLOTS 256

struct vhost_mapping {
	struct vhost_region at;
	char *host; /* where at.guest stands */
	void *map;  /* what mmap returned */
	uint64_t map_len;
};

struct vhost_memory {
	unsigned nr;
	struct vhost_mapping mapping[VHOST_MAX_SLOTS]; /* in guest's order */
};

/*
 * Map @region of @fd, which stays the caller's.  -EINVAL with the reason: it
 * is empty, wraps, overlaps, is not in the file, is not shared memory (a
 * memfd, or a file of tmpfs or hugetlbfs: nothing that could be slow, or keep
 * what was in it); or what mmap(2) said.
 */
int vhost_memory_add(struct vhost_memory *mem,
		     const struct vhost_region *region, int fd,
		     struct why *why);

/* Unmap the region that is this one.  -EINVAL: there is none. */
int vhost_memory_remove(struct vhost_memory *mem,
			const struct vhost_region *region, struct why *why);

void vhost_memory_clear(struct vhost_memory *mem);

/*
 * As virtq_host_ops.translate, for a guest's physical address; *@hint, which
 * begins as anything, makes the next look-up near the last one faster.
 */
void *vhost_memory_translate(const struct vhost_memory *mem, uint64_t guest,
			     uint64_t *len, unsigned *hint);

/* Back from what translate returned, which is still mapped. */
uint64_t vhost_memory_back(const struct vhost_memory *mem, const void *host);

/* From an address of the front end's process.  -EFAULT: it is not shared. */
int vhost_memory_guest(const struct vhost_memory *mem, uint64_t user,
		       uint64_t *ret_guest);

#endif
