/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The in-flight log: which requests a queue has taken and not yet answered,
 * in memory that outlives the process, so that the next one can take them up.
 *
 * The layout is the one of the vhost-user protocol ("Inflight I/O tracking",
 * QueueRegionSplit and QueueRegionPacked), followed by what the log belongs to: features and ring
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

/* Of a descriptor in flight; or free. */
struct inflight_packed_desc {
	uint8_t inflight; /* of the first in a chain, like last to counter */
	uint8_t padding;
	uint16_t next;
	uint16_t last;	  /* entry of the chain */
	uint16_t num;	  /* entries of the chain */
	uint64_t counter; /* order of fetching */
	uint16_t id;	  /* as in the ring, and so on */
	uint16_t flags;
	uint32_t len;
	uint64_t addr;
};

struct inflight_packed {
	uint64_t features; /* of this region: 0 */
	uint16_t version;  /* 1; 0: not in use */
	uint16_t desc_num;
	uint16_t free_head;
	uint16_t old_free_head;
	uint16_t used_idx;
	uint16_t old_used_idx;
	uint8_t used_wrap_counter;
	uint8_t old_used_wrap_counter;
	uint8_t padding[7];
	struct inflight_packed_desc desc[];
};

/* One queue's log in this process. */
struct inflight_queue {
	void *mem;    /* inflight_size(num) bytes, aligned to 8 */
	unsigned num; /* entries that fit */
	uint64_t counter;
	/* Packed, kept here since the memory is not to be trusted: */
	unsigned ring;	   /* entries in use */
	uint16_t free;	   /* the first free entry */
	uint16_t used_idx; /* where the ring goes on */
	bool used_wrap;
	uint16_t next, last, nr; /* the chain that is being added */
};

/* Bytes for a queue of either format and up to @num entries, in units of 64. */
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
	/* Packed only; the heads are entries of the log. */
	unsigned nr_desc;  /* of all of them together */
	uint16_t used_idx; /* the next descriptor to use */
	bool used_wrap;
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

/*
 * Packed ring: the descriptor, of @num, whose flags tell whether the answer
 * that a dead process was about to publish was published.
 */
unsigned inflight_packed_witness(const struct inflight_queue *log,
				 unsigned num);

/* Like inflight_split_bind; @flags are those of the witness. */
int inflight_packed_bind(struct inflight_queue *log,
			 const struct virtq_setup *setup, uint16_t flags,
			 struct inflight_recovery *rec, struct why *why);

/*
 * Packed ring: what is in flight.  The number of descriptors of the chain that
 * begins at entry @head, and one of its entries, which leads to the next.
 * -EUCLEAN: there is no such entry.
 */
unsigned inflight_packed_num(const struct inflight_queue *log, uint16_t head);
int inflight_packed_read(const struct inflight_queue *log, uint16_t at,
			 struct inflight_packed_desc *ret);

/*
 * Packed ring: a chain was fetched; before anything is done with it.  Its
 * first entry, then each descriptor (id to addr), then the end.
 */
uint16_t inflight_packed_first(struct inflight_queue *log);
void inflight_packed_add(struct inflight_queue *log,
			 const struct inflight_packed_desc *desc);
void inflight_packed_fetch(struct inflight_queue *log);

/*
 * Packed ring: the chain at entry @head is about to be published, after which
 * the ring goes on at @used_idx and @used_wrap; then, it was.  One at a time.
 */
void inflight_packed_batch(struct inflight_queue *log, uint16_t head,
			   uint16_t used_idx, bool used_wrap);
void inflight_packed_done(struct inflight_queue *log, uint16_t head);

#endif
