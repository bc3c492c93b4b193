/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Memory for the in-flight logs of all rings, which the front end keeps while
 * the server is away (GET_INFLIGHT_FD, SET_INFLIGHT_FD).  Behind the logs stands
 * what else a successor has to know and no front end tells it: the cache mode.
 */
#ifndef VHOST_USER_LOG_MEM_H
#define VHOST_USER_LOG_MEM_H

#include <stddef.h>

#include "vhost-user/proto.h"

struct why;

struct vhost_log_mem {
	void *map; /* NULL: there is none */
	size_t map_len;
	struct vhost_inflight at;
};

/*
 * New memory for want->nr_queues rings of want->queue_size entries, and a
 * descriptor for it, which the caller closes.  -errno.
 */
int vhost_log_mem_new(struct vhost_log_mem *mem,
		      const struct vhost_inflight *want, int *ret_fd,
		      struct why *why);

/*
 * Use what a front end kept; @fd stays the caller's.  The logs are written
 * without a guard, so it must be a memfd that can get no smaller (F_SEAL_SHRINK)
 * and has the size that @at says.  -EINVAL with the reason, or of mmap(2).
 */
int vhost_log_mem_open(struct vhost_log_mem *mem,
		       const struct vhost_inflight *at, int fd,
		       struct why *why);

void vhost_log_mem_close(struct vhost_log_mem *mem);

/* As a driver chose it; in memory that others made it is not known. */
enum vhost_cache_mode {
	VHOST_CACHE_UNKNOWN,
	VHOST_CACHE_WRITETHROUGH,
	VHOST_CACHE_WRITEBACK,
};

void vhost_log_mem_set_mode(struct vhost_log_mem *mem,
			    enum vhost_cache_mode mode);
enum vhost_cache_mode vhost_log_mem_mode(const struct vhost_log_mem *mem);

/* The log of ring @index, or NULL: it has none here. */
void *vhost_log_mem_ring(const struct vhost_log_mem *mem, unsigned index);

#endif
