/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Requests out of a packed ring, or out of the log of those that a predecessor
 * left: chains of descriptors, and indirect tables.
 */
#include <linux/virtio_ring.h>

#include "lib/guard.h"
#include "virtio/inflight.h"
#include "virtio/virtq_packed_int.h"

/* What is fetched under the guard, into vq->raw. */
struct fetch {
	struct virtq *vq;
	const char *bad; /* why the ring is broken, or NULL */
	unsigned nr;	 /* descriptors of the chain; 0: there is none */
};

static void read_chain(void *arg)
{
	struct fetch *f = arg;
	struct virtq *vq = f->vq;
	const struct virtq_packed *p = &vq->packed;
	struct packed_pos pos = p->avail;
	uint16_t flags = packed_load_flags(&p->desc[pos.idx]);
	struct packed_desc *d;

	if (!packed_is_avail(flags, pos.wrap))
		return;
	for (;;) {
		if (f->nr + p->owned == vq->setup.num) {
			f->bad = "a descriptor chain is longer than the ring "
				 "has room";
			return;
		}
		d = &vq->raw[f->nr];
		virtq_copy_in(d, &p->desc[pos.idx], sizeof(*d));
		/* The first flags count as they were when it was available. */
		if (!f->nr++)
			d->flags = le16_put(flags);
		if (!(le16_get(d->flags) & VRING_DESC_F_NEXT))
			return;
		packed_advance(vq, &pos, 1);
	}
}

/* A chain of a predecessor, which the log remembers. */
static void recall_chain(struct fetch *f, uint16_t at)
{
	struct inflight_packed_desc e;
	struct virtq *vq = f->vq;
	unsigned nr = inflight_packed_num(vq->setup.inflight, at);

	/* The log may have been changed since it was counted. */
	if (!nr || nr > vq->packed.to_replay)
		f->bad = "the in-flight log changed";
	while (!f->bad && f->nr < nr) {
		if (inflight_packed_read(vq->setup.inflight, at, &e)) {
			f->bad = "the in-flight log changed";
			break;
		}
		vq->raw[f->nr++] = (struct packed_desc){
			le64_put(e.addr),
			le32_put(e.len),
			le16_put(e.id),
			le16_put(e.flags),
		};
		at = e.next;
	}
}

static void add_desc(struct virtq *vq, const struct packed_desc *d)
{
	vq->desc[vq->nr_desc++] = (struct virtq_desc){
		.addr = le64_get(d->addr),
		.len = le32_get(d->len),
		.write = le16_get(d->flags) & VRING_DESC_F_WRITE,
	};
}

/* A table has no links: all of its entries are the chain. */
static const char *add_table(struct virtq *vq, const struct packed_desc *d,
			     int *ret_err)
{
	const struct packed_desc *table = (const void *)vq->table;
	uint32_t len = le32_get(d->len), i;
	const char *bad;

	bad = virtq_check_indirect(vq, le16_get(d->flags) & VRING_DESC_F_NEXT,
				   len);
	if (bad)
		return bad;
	*ret_err = virtq_copy_table(vq, le64_get(d->addr), len);
	for (i = 0; !*ret_err && i < len / sizeof(*table); i++) {
		if (le16_get(table[i].flags) & VRING_DESC_F_INDIRECT)
			return "an indirect table is nested";
		add_desc(vq, &table[i]);
	}
	return NULL;
}

/* From vq->raw to vq->desc.  Direct and indirect do not mix. */
static const char *add_chain(struct virtq *vq, unsigned nr, int *ret_err)
{
	unsigned i;

	vq->nr_desc = 0;
	for (i = 0; i < nr; i++) {
		const struct packed_desc *d = &vq->raw[i];

		if (!(le16_get(d->flags) & VRING_DESC_F_INDIRECT))
			add_desc(vq, d);
		else if (i)
			return "an indirect descriptor is part of a chain";
		else
			return add_table(vq, d, ret_err);
	}
	return NULL;
}

static void write_log(struct virtq *vq, struct packed_chain *c)
{
	struct inflight_queue *log = vq->setup.inflight;
	unsigned i;

	c->log = inflight_packed_first(log);
	for (i = 0; i < c->len; i++) {
		const struct packed_desc *d = &vq->raw[i];
		const struct inflight_packed_desc e = {
			.id = le16_get(d->id),
			.flags = le16_get(d->flags),
			.len = le32_get(d->len),
			.addr = le64_get(d->addr),
		};

		inflight_packed_add(log, &e);
	}
	inflight_packed_fetch(log);
}

/* The chain is taken: know all of it that the ring may lose. */
static void take(struct virtq *vq, uint16_t id, unsigned nr, bool replayed)
{
	struct packed_chain *c = &vq->chain[id];

	c->len = (uint16_t)nr;
	if (replayed) {
		c->log = vq->replay[vq->next_replay++];
		vq->packed.to_replay -= nr;
		return;
	}
	if (vq->setup.inflight)
		write_log(vq, c);
	vq->packed.owned += nr;
	packed_advance(vq, &vq->packed.avail, nr);
}

enum virtq_result packed_fetch(struct virtq *vq, struct virtq_chain *chain)
{
	bool replayed = vq->next_replay < vq->nr_replay;
	struct fetch f = { .vq = vq };
	uint16_t id;

	if (replayed)
		recall_chain(&f, vq->replay[vq->next_replay]);
	else if (guard_run(read_chain, &f))
		return virtq_break(vq, "the descriptors are not backed by "
				       "memory");
	if (f.bad)
		return virtq_break(vq, f.bad);
	if (!f.nr)
		return VIRTQ_EMPTY;
	id = le16_get(vq->raw[f.nr - 1].id);
	if (id >= vq->setup.num)
		return virtq_break(vq, "a buffer id is out of range");
	if (vq->taken[id])
		return virtq_break(vq, "a buffer id was made available twice");
	f.bad = add_chain(vq, f.nr, &chain->err);
	if (f.bad)
		return virtq_break(vq, f.bad);
	take(vq, id, f.nr, replayed);
	chain->id = id;
	chain->replayed = replayed;
	return VIRTQ_REQUEST;
}
