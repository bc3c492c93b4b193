/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The in-flight log: which requests a queue has taken and not yet answered,
 * in memory that outlives the process, so that the next one can take them up.
 *
 * The layout is the one of the vhost-user protocol ("Inflight I/O tracking",
 * QueueRegionSplit), followed by what the log belongs to: features and ring
 * addresses.  The stores are ordered so that the log is right wherever the
 * process dies; only process death matters, so the order of the compiler is
 * enough (a machine that dies takes the driver's ring with it).
 *
 * The memory may be written by others (a vhost-user front end): what is read
 * back is checked.
 */
#ifndef VIRTIO_INFLIGHT_H
#define VIRTIO_INFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct virtq_setup;
struct why;

/* Layout of the vhost-user protocol; in the byte order of the host. */
struct inflight_split_desc {
	uint8_t inflight;
	uint8_t padding[5];
	uint16_t next;	  /* of the last batch */
	uint64_t counter; /* order of fetching */
};

struct inflight_split {
	uint64_t features; /* of this region: 0 */
	uint16_t version;  /* 1; 0: not in use */
	uint16_t desc_num;
	uint16_t last_batch_head;
	uint16_t used_idx;
	struct inflight_split_desc desc[];
};

/* One queue's log in this process. */
struct inflight_queue {
	void *mem;    /* inflight_size(num) bytes, aligned to 8 */
	unsigned num; /* entries that fit */
	uint64_t counter;
};

/* Bytes for a queue of up to @num entries, a multiple of 64. */
size_t inflight_size(unsigned num);

/*
 * Use @mem, of inflight_size(@num) bytes, as it is: zeroes, or the log of a
 * process that died.
 */
void inflight_queue_init(struct inflight_queue *log, void *mem, unsigned num);

/*
 * Forget all, when the driver resets the device.  The queue has stopped.
 * NULL is allowed.
 */
void inflight_queue_reset(struct inflight_queue *log);

/* What a log says about a ring that is about to start. */
struct inflight_recovery {
	bool resumed;	/* the log goes on; else it is fresh */
	unsigned nr;	/* requests to take up again */
	uint16_t *head; /* in: room for setup->num; the order of fetching */
};

/*
 * Bind the log to the split ring of @setup, whose used index is @used and
 * whose available index is @avail.  A log that is empty, or belongs to
 * another ring, is made fresh.  0 with *@rec filled, or -EUCLEAN with the
 * reason: the log contradicts itself or the ring.  Then it is left alone.
 */
int inflight_split_bind(struct inflight_queue *log,
			const struct virtq_setup *setup, uint16_t used,
			uint16_t avail, struct inflight_recovery *rec,
			struct why *why);

/* Split ring: @head was fetched; before anything is done with it. */
void inflight_split_fetch(struct inflight_queue *log, uint16_t head);

/*
 * Split ring: the @nr heads at @head are about to be published, in one batch;
 * then, after the used index is @used, they were.
 */
void inflight_split_batch(struct inflight_queue *log, const uint16_t *head,
			  unsigned nr);
void inflight_split_done(struct inflight_queue *log, const uint16_t *head,
			 unsigned nr, uint16_t used);

#endif
