/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * One virtqueue, the device's side (virtio 1.3, sections 2.6 to 2.8), of
 * whatever format: requests come out of virtq_pop, answers go back through
 * virtq_push, in any order.  It does not know what a request means.
 *
 * Nothing that the driver wrote is trusted: descriptors are copied once and
 * checked on the copy; every access to driver memory here may fail.
 *
 * A queue belongs to one thread.
 */
#ifndef VIRTIO_VIRTQ_H
#define VIRTIO_VIRTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "virtio/transport.h"

struct virtq;
struct why;

enum virtq_result {
	VIRTQ_EMPTY,
	VIRTQ_REQUEST,
	/*
	 * What stands in the ring cannot be understood: see virtq_broken.
	 * The queue gives out nothing more until it is started again; what
	 * is in flight can still be pushed.
	 */
	VIRTQ_BROKEN,
};

/*
 * A request.  @iov lists what the device reads, then what it writes, without
 * empty pieces; the caller may change it, until it pushes @id.
 */
struct virtq_chain {
	uint16_t id;	  /* < num; unique among those in flight */
	bool replayed;	  /* an earlier process had fetched it */
	int err;	  /* 0, or why it must not be served: @iov is void */
	unsigned nr_out;  /* iovecs the device reads */
	unsigned nr_in;	  /* iovecs the device writes */
	uint32_t out_len; /* bytes */
	uint32_t in_len;  /* bytes; with @err, how many were zeroed */
	struct iovec *iov;
	uint8_t *last_in; /* the last byte to write, or NULL: none, unmapped */
};

/*
 * For rings of up to @size entries, and @iov_max pieces of memory a request.
 * 0 or -ENOMEM.
 */
int virtq_new(unsigned size, unsigned iov_max, struct virtq **ret);
void virtq_free(struct virtq *vq);

/* See vblk_queue_start for @setup and the errors. */
int virtq_start(struct virtq *vq, const struct virtq_setup *setup,
		struct why *why);

/* Nothing is in flight.  The ring is not touched from here on. */
void virtq_stop(struct virtq *vq);

/*
 * The next request.  Errors of the request itself (memory that is not mapped,
 * a wrong order) are in chain->err, and want an answer like any other:
 *	-EFAULT	some of it is not mapped
 *	-EINVAL	writable before readable descriptors, or 4 GiB or more
 *	-E2BIG	more than iov_max pieces
 */
enum virtq_result virtq_pop(struct virtq *vq, struct virtq_chain *chain);

/* Requests of an earlier process that virtq_pop has yet to give out. */
unsigned virtq_nr_replay(const struct virtq *vq);

/*
 * Whether the transport wants to know what was written; and tell it.  Rings,
 * and what virtq_pop cleared, it knows of.
 */
bool virtq_logs(const struct virtq *vq);
void virtq_wrote(struct virtq *vq, const void *mem, uint64_t len);

/*
 * Answer request @id, @len bytes of which were written.  The driver sees it
 * at the next virtq_publish.
 */
void virtq_push(struct virtq *vq, uint16_t id, uint32_t len);

/*
 * Show the driver what was pushed, all at once, and interrupt it unless it
 * asked not to be.  Returns the number of interrupts sent, 0 or 1.
 */
unsigned virtq_publish(struct virtq *vq);

/*
 * Ask the driver not to kick.  It may still do.
 */
void virtq_disable_kick(struct virtq *vq);

/*
 * Ask it to kick for the next request.  True if there are requests already,
 * for which there may be no kick.
 */
bool virtq_enable_kick(struct virtq *vq);

/*
 * Whether there are requests: a look at the ring, which asks for nothing.
 * False when the queue is broken.
 */
bool virtq_pending(struct virtq *vq);

/* Why the queue is broken, or NULL. */
const char *virtq_broken(const struct virtq *vq);

/* Requests popped and not yet pushed. */
unsigned virtq_in_flight(const struct virtq *vq);

/* Where the ring goes on; nothing is in flight. */
struct virtq_state virtq_state(const struct virtq *vq);

/*
 * Copy bytes that the other side may be changing: each is read once, what
 * comes out is up to it.  Call under a guard.
 */
void virtq_copy_in(void *dst, const void *src, size_t len);

#endif
