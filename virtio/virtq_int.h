/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Between what the ring formats have in common (virtq.c, virtq_map.c) and the
 * formats (virtq_split*.c, virtq_packed*.c).  Nobody else includes this.
 */
#ifndef VIRTIO_VIRTQ_INT_H
#define VIRTIO_VIRTQ_INT_H

#include "virtio/transport.h"
#include "virtio/virtq.h"

/*
 * The longest indirect table, in descriptors.  A table may be longer than its
 * ring: Linux builds them by seg_max alone.
 */
#define VIRTQ_TABLE_MAX 1024

/* A descriptor, checked where the format knows how, in host byte order. */
struct virtq_desc {
	uint64_t addr; /* IOVA */
	uint32_t len;
	bool write; /* the device writes */
};

/* An answer that waits to be published. */
struct virtq_used {
	uint16_t id;
	uint32_t len;
};

struct split_desc;
struct split_avail;
struct split_used;

struct virtq_split {
	const struct split_desc *desc; /* setup.num of them */
	struct split_avail *avail;
	struct split_used *used;
	uint16_t last_avail; /* the next to fetch */
	uint16_t avail_idx;  /* the driver's index when last read */
	uint16_t used_idx;   /* published */
	bool no_kick;	     /* the flag as last written */
};

struct packed_desc;
struct packed_event;

/* A place in a packed ring. */
struct packed_pos {
	uint16_t idx;
	bool wrap; /* the wrap counter */
};

/* What is known of a chain in flight; the ring may have lost it. */
struct packed_chain {
	uint16_t len; /* descriptors it takes in the ring */
	uint16_t log; /* its first entry in the log */
};

struct virtq_packed {
	struct packed_desc *desc; /* setup.num of them */
	const struct packed_event *driver;
	struct packed_event *device;
	struct packed_pos avail, used; /* the next to fetch, to use */
	unsigned owned;		       /* descriptors from used to avail */
	unsigned to_replay;	       /* those of chains still to recall */
	bool no_kick;		       /* the device's flags as last written */
};

struct virtq_format {
	int (*start)(struct virtq *vq, struct why *why);
	/*
	 * Fetch the next chain: its id, and its descriptors in vq->desc.
	 * -EFAULT in chain->err when an indirect table is not mapped.
	 */
	enum virtq_result (*fetch)(struct virtq *vq, struct virtq_chain *chain);
	/*
	 * Publish vq->batch.  0 with *@interrupt: whether the driver wants
	 * one, or -EFAULT.
	 */
	int (*publish)(struct virtq *vq, bool *interrupt);
	int (*disable_kick)(struct virtq *vq);
	/* 1 when there are requests already, 0, or -EFAULT. */
	int (*enable_kick)(struct virtq *vq);
	/* 1 when there are requests, 0, or -EFAULT. */
	int (*pending)(struct virtq *vq);
	void (*state)(const struct virtq *vq, struct virtq_state *ret);
	/* virtq_wrote, for all of the ring that the device writes. */
	void (*wrote)(struct virtq *vq);
};

struct virtq {
	unsigned size, iov_max;
	const struct virtq_format *format; /* NULL: not started */
	struct virtq_setup setup;
	bool event_idx, indirect;
	struct iovec *iov; /* iov_max for each id */
	bool *taken;	   /* for each id: popped, not published */
	unsigned in_flight;
	struct virtq_desc *desc;    /* the chain being fetched */
	struct packed_desc *raw;    /* packed: a copy of it as it stands */
	struct packed_chain *chain; /* packed: for each id taken */
	unsigned nr_desc, max_desc;
	char *table; /* private copy of an indirect table */
	struct virtq_used *batch;
	uint16_t *batch_id; /* the ids of batch, for the log */
	unsigned nr_batch;
	uint16_t *replay; /* heads to give out first */
	unsigned nr_replay, next_replay;
	bool interrupt_first; /* whatever the driver asked for */
	bool interrupt_now;   /* even if nothing was pushed */
	const char *broken;
	struct virtq_split split;
	struct virtq_packed packed;
};

extern const struct virtq_format virtq_split_format;
extern const struct virtq_format virtq_packed_format;

/* Bytes of a descriptor, in either format. */
#define VIRTQ_DESC_SIZE 16

/*
 * Translate a ring area, which must be contiguous.  0, or -EINVAL, -EFAULT
 * with the reason.
 */
int virtq_map_area(struct virtq *vq, const char *name, uint64_t addr,
		   uint64_t len, unsigned align, bool write, void **ret,
		   struct why *why);

/*
 * From vq->desc to chain->iov, which has room: the lengths, the pieces, the
 * place of the last byte.  0, or an error of the request (see virtq_pop).
 */
int virtq_map_chain(struct virtq *vq, struct virtq_chain *chain);

/*
 * A chain that cannot be served is answered all the same, as far as possible:
 * what the driver will look at must be nothing old.
 */
void virtq_map_unservable(struct virtq *vq, struct virtq_chain *chain);

/* Copy @len bytes of driver memory at @addr to vq->table: 0 or -EFAULT. */
int virtq_copy_table(struct virtq *vq, uint64_t addr, uint32_t len);

/*
 * Why an indirect descriptor of a ring cannot be, or NULL; @next: it has a
 * next one.
 */
const char *virtq_check_indirect(const struct virtq *vq, bool next,
				 uint32_t len);

/* The queue is broken from here on; @reason is static. */
enum virtq_result virtq_break(struct virtq *vq, const char *reason);

#endif
