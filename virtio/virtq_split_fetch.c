/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Requests out of a split ring: the available ring, and chains of descriptors
 * in the table and in indirect tables.
 */
#include <linux/virtio_ring.h>

#include "lib/guard.h"
#include "virtio/inflight.h"
#include "virtio/virtq_split_int.h"

/* What is fetched under the guard. */
struct fetch {
	struct virtq *vq;
	const char *bad; /* why the ring is broken, or NULL */
	uint16_t head;
	bool replayed;
	uint64_t table; /* IOVA of the indirect table, when table_len is set */
	uint32_t table_len;
};

/* Into vq->desc, from a private copy. */
static void add_desc(struct virtq *vq, const struct split_desc *d)
{
	vq->desc[vq->nr_desc++] = (struct virtq_desc){
		.addr = le64_get(d->addr),
		.len = le32_get(d->len),
		.write = le16_get(d->flags) & VRING_DESC_F_WRITE,
	};
}

/* The chain from f->head in the descriptor table; ends at an indirect one. */
static void walk_ring(struct fetch *f)
{
	struct virtq *vq = f->vq;
	unsigned num = vq->setup.num;
	uint16_t i = f->head, flags;
	struct split_desc d;

	do {
		if (vq->nr_desc == num) {
			f->bad = "a descriptor chain is a loop";
			return;
		}
		if (i >= num) {
			f->bad = "a descriptor index is out of range";
			return;
		}
		virtq_copy_in(&d, &vq->split.desc[i], sizeof(d));
		flags = le16_get(d.flags);
		if (flags & VRING_DESC_F_INDIRECT) {
			f->table = le64_get(d.addr);
			f->table_len = le32_get(d.len);
			f->bad = virtq_check_indirect(
				vq, flags & VRING_DESC_F_NEXT, f->table_len);
			return;
		}
		add_desc(vq, &d);
		i = le16_get(d.next);
	} while (flags & VRING_DESC_F_NEXT);
}

static void read_chain(void *arg)
{
	struct fetch *f = arg;
	struct virtq *vq = f->vq;
	struct virtq_split *s = &vq->split;
	unsigned at = s->last_avail & (vq->setup.num - 1);

	if (!f->replayed)
		f->head = ring_load16(&s->avail->ring[at], __ATOMIC_RELAXED);
	if (f->head >= vq->setup.num)
		f->bad = "a head index is out of range";
	else if (vq->taken[f->head])
		f->bad = "a head was made available twice";
	else
		walk_ring(f);
}

/* The chain through an indirect table, which is a private copy. */
static const char *walk_table(struct virtq *vq, uint32_t len)
{
	const struct split_desc *table = (const void *)vq->table;
	unsigned nr = len / sizeof(*table), left = nr, i = 0;
	uint16_t flags;

	do {
		if (!left--)
			return "a chain in an indirect table is a loop";
		if (i >= nr)
			return "an index in an indirect table is out of range";
		flags = le16_get(table[i].flags);
		if (flags & VRING_DESC_F_INDIRECT)
			return "an indirect table is nested";
		add_desc(vq, &table[i]);
		i = le16_get(table[i].next);
	} while (flags & VRING_DESC_F_NEXT);
	return NULL;
}

/* Whether there is something to fetch. */
static enum virtq_result look(struct virtq *vq)
{
	struct virtq_split *s = &vq->split;

	if (s->avail_idx == s->last_avail) {
		if (guard_run(split_read_avail_idx, vq))
			return virtq_break(
				vq, "the available ring is not backed by "
				    "memory");
		if (s->avail_idx == s->last_avail)
			return VIRTQ_EMPTY;
		if ((uint16_t)(s->avail_idx - s->last_avail) > vq->setup.num)
			return virtq_break(
				vq, "the available index moved by more than "
				    "the queue size");
	}
	return VIRTQ_REQUEST;
}

enum virtq_result split_fetch(struct virtq *vq, struct virtq_chain *chain)
{
	struct fetch f = { .vq = vq };
	enum virtq_result res;

	f.replayed = vq->next_replay < vq->nr_replay;
	if (f.replayed)
		f.head = vq->replay[vq->next_replay];
	else if ((res = look(vq)) != VIRTQ_REQUEST)
		return res;
	vq->nr_desc = 0;
	if (guard_run(read_chain, &f))
		return virtq_break(vq, "the descriptors are not backed by "
				       "memory");
	if (!f.bad && f.table_len) {
		chain->err = virtq_copy_table(vq, f.table, f.table_len);
		if (!chain->err)
			f.bad = walk_table(vq, f.table_len);
	}
	if (f.bad)
		return virtq_break(vq, f.bad);
	if (f.replayed)
		vq->next_replay++;
	else
		vq->split.last_avail++;
	if (vq->setup.inflight && !f.replayed)
		inflight_split_fetch(vq->setup.inflight, f.head);
	chain->id = f.head;
	chain->replayed = f.replayed;
	return VIRTQ_REQUEST;
}
