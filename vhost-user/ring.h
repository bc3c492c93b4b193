/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * One ring as the front end sets it up, and what its queue asks of the
 * transport.
 */
#ifndef VHOST_USER_RING_H
#define VHOST_USER_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "vhost-user/dirty.h"
#include "vhost-user/log_mem.h"
#include "vhost-user/memory.h"
#include "vhost-user/proto.h"
#include "virtio/inflight.h"
#include "virtio/transport.h"

enum vhost_enabled {
	VHOST_BY_FEATURES, /* not said: as the features have it */
	VHOST_DISABLED,
	VHOST_ENABLED,
};

struct vhost_ring {
	unsigned index;
	const struct vhost_memory *mem;
	const struct vhost_dirty *dirty;
	unsigned hint; /* for the look-up in mem; the queue's */
	/*
	 * The queue writes to these numbers at any time: what they stand for
	 * is changed, by dup3(2), and never closed.
	 */
	int call_fd;
	int err_fd;
	int kick_fd; /* -1: the ring is not started */
	enum vhost_enabled enabled;
	uint32_t num; /* 0: not set */
	bool has_addr;
	struct vhost_vring_addr addr;
	uint32_t base; /* as in SET_VRING_BASE; VHOST_BASE_NONE */
	bool runs;
	bool paused; /* ran until a change of memory, and will again */
	void *own_log;
	unsigned own_entries;
	struct inflight_queue log;
};

/* No base was set: the ring begins where a new one does. */
#define VHOST_BASE_NONE UINT32_MAX

/* While no dirty pages are logged. */
extern const struct virtq_host_ops vhost_ring_ops;

/* For up to @entries; -ENOMEM, -EMFILE. */
int vhost_ring_init(struct vhost_ring *ring, unsigned index,
		    const struct vhost_memory *mem,
		    const struct vhost_dirty *dirty, unsigned entries);
void vhost_ring_free(struct vhost_ring *ring);

/* As no front end has touched it; the queue has stopped. */
void vhost_ring_reset(struct vhost_ring *ring);

/* Takes @fd, or -1. */
void vhost_ring_set_kick(struct vhost_ring *ring, int fd);

/* That the ring is broken is said to @fd from now on (-1: nowhere). */
void vhost_ring_set_err(struct vhost_ring *ring, int fd);

/*
 * Interrupts go to @fd from now on (-1: nowhere).  One is sent, if the queue
 * runs: the last one may have gone to the descriptor before.
 */
void vhost_ring_set_call(struct vhost_ring *ring, int fd);

/* Let go of a queue that waits because nobody reads what it says. */
void vhost_ring_release(struct vhost_ring *ring);

/* Whether it is to run, by what the front end has said. */
bool vhost_ring_wanted(const struct vhost_ring *ring, uint64_t features);

/*
 * How to start it.  @log_mem may hold its log.  -EINVAL with the reason: it is
 * not set up, or not in shared memory.
 */
int vhost_ring_setup(struct vhost_ring *ring, uint64_t features,
		     const struct vhost_log_mem *log_mem,
		     struct virtq_setup *ret, struct why *why);

/* The driver starts from nothing: so does the log, there or here. */
void vhost_ring_forget(struct vhost_ring *ring,
		       const struct vhost_log_mem *log_mem);

/* It has stopped at @state. */
void vhost_ring_keep_state(struct vhost_ring *ring, uint64_t features,
			   const struct virtq_state *state);

/* Where it goes on, as GET_VRING_BASE has it. */
uint32_t vhost_ring_base(const struct vhost_ring *ring, uint64_t features);

#endif
