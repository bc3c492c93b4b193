/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The packed virtqueue (virtio 1.3, section 2.8), the device's side.
 *
 * Answers are written over the descriptors in the order of answering, so what
 * is in flight may no longer stand in the ring: all that is needed of it is
 * kept here, by buffer id.
 */
#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "lib/endian.h"
#include "lib/guard.h"
#include "lib/why.h"
#include "virtio/inflight.h"
#include "virtio/virtq_int.h"

#define F_AVAIL (1U << VRING_PACKED_DESC_F_AVAIL)
#define F_USED	(1U << VRING_PACKED_DESC_F_USED)

struct packed_desc {
	le64 addr;
	le32 len;
	le16 id; /* of a chain, in its last descriptor */
	le16 flags;
};

_Static_assert(sizeof(struct packed_desc) == VIRTQ_DESC_SIZE, "as in the ring");

/* Event suppression: off_wrap in the low half, flags in the high one. */
struct packed_event {
	le32 both;
};

/* The other side may read or write at any moment: no plain access. */
static uint16_t load_flags(const struct packed_desc *d)
{
	/*
	 * Acquire: the driver writes the chain, then its write barrier, then
	 * the flags of the first descriptor.
	 */
	le16 v = { __atomic_load_n(&d->flags.raw, __ATOMIC_ACQUIRE) };

	return le16_get(v);
}

static void store_flags(struct packed_desc *d, uint16_t flags)
{
	/* Release: the driver reads the flags, then the rest and buffers. */
	__atomic_store_n(&d->flags.raw, le16_put(flags).raw, __ATOMIC_RELEASE);
}

static void store_event(struct virtq *vq, uint16_t off_wrap, unsigned flags)
{
	uint32_t both = off_wrap | (uint32_t)flags << 16;

	__atomic_store_n(&vq->packed.device->both.raw, le32_put(both).raw,
			 __ATOMIC_RELAXED);
}

static void advance(const struct virtq *vq, struct packed_pos *pos, unsigned n)
{
	unsigned idx = pos->idx + n;

	if (idx >= vq->setup.num) {
		idx -= vq->setup.num;
		pos->wrap = !pos->wrap;
	}
	pos->idx = (uint16_t)idx;
}

static bool is_avail(uint16_t flags, bool wrap)
{
	return !!(flags & F_AVAIL) == wrap && !!(flags & F_USED) != wrap;
}

static int map_areas(struct virtq *vq, struct why *why)
{
	const struct virtq_setup *setup = &vq->setup;
	void *desc, *driver, *device;
	int err;

	err = virtq_map_area(vq, "descriptor ring", setup->desc_addr,
			     (uint64_t)setup->num * sizeof(struct packed_desc),
			     16, true, &desc, why);
	if (!err)
		err = virtq_map_area(vq, "driver event area",
				     setup->driver_addr,
				     sizeof(struct packed_event), 4, false,
				     &driver, why);
	if (!err)
		err = virtq_map_area(vq, "device event area",
				     setup->device_addr,
				     sizeof(struct packed_event), 4, true,
				     &device, why);
	if (err)
		return err;
	vq->packed.desc = desc;
	vq->packed.driver = driver;
	vq->packed.device = device;
	return 0;
}

struct first_look {
	struct virtq *vq;
	unsigned at; /* the descriptor whose flags are wanted */
	uint16_t flags;
};

static void first_look(void *arg)
{
	struct first_look *l = arg;

	l->flags = load_flags(&l->vq->packed.desc[l->at]);
	store_event(l->vq, 0, VRING_PACKED_EVENT_FLAG_ENABLE);
}

/*
 * Where the log leaves off.  The ring alone does not tell where it goes on, so
 * a log that contradicts itself cannot be done without.
 */
static int take_up(struct virtq *vq, uint16_t flags, struct why *why)
{
	struct inflight_recovery rec = { .head = vq->replay };
	struct virtq_packed *p = &vq->packed;
	int err;

	err = inflight_packed_bind(vq->setup.inflight, &vq->setup, flags, &rec,
				   why);
	if (err)
		return err;
	if (!rec.resumed)
		return 0;
	p->used.idx = rec.used_idx;
	p->used.wrap = rec.used_wrap;
	p->avail = p->used;
	advance(vq, &p->avail, rec.nr_desc);
	p->owned = rec.nr_desc;
	vq->nr_replay = rec.nr;
	/* The last interrupt may have died with the process. */
	vq->interrupt_now = true;
	return 0;
}

static int packed_start(struct virtq *vq, struct why *why)
{
	const struct virtq_state *state = &vq->setup.state;
	struct virtq_packed *p = &vq->packed;
	struct first_look look = { .vq = vq };
	int err;

	memset(p, 0, sizeof(*p));
	/* What lies in between would never be answered. */
	if (state->last_avail_idx >= vq->setup.num ||
	    state->last_avail_idx != state->last_used_idx ||
	    state->last_avail_counter != state->last_used_counter)
		return why_set(why, -EINVAL,
			       "a start at descriptors %u and %u of %u",
			       state->last_avail_idx, state->last_used_idx,
			       vq->setup.num);
	p->avail.idx = state->last_avail_idx;
	p->avail.wrap = state->last_avail_counter;
	p->used = p->avail;
	err = map_areas(vq, why);
	if (err)
		return err;
	if (vq->setup.inflight)
		look.at = inflight_packed_witness(vq->setup.inflight,
						  vq->setup.num);
	if (guard_run(first_look, &look))
		return why_set(why, -EFAULT,
			       "the rings are not backed by memory");
	return vq->setup.inflight ? take_up(vq, look.flags, why) : 0;
}

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
	uint16_t flags = load_flags(&p->desc[pos.idx]);
	struct packed_desc *d;

	if (!is_avail(flags, pos.wrap))
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
		advance(vq, &pos, 1);
	}
}

/* A chain of a predecessor, which the log remembers. */
static void recall_chain(struct fetch *f, uint16_t at)
{
	struct inflight_packed_desc e;
	struct virtq *vq = f->vq;
	unsigned nr = inflight_packed_num(vq->setup.inflight, at);

	if (!nr || nr > vq->setup.num)
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
		return;
	}
	if (vq->setup.inflight)
		write_log(vq, c);
	vq->packed.owned += nr;
	advance(vq, &vq->packed.avail, nr);
}

static enum virtq_result packed_fetch(struct virtq *vq,
				      struct virtq_chain *chain)
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

/* One answer, over descriptors that the driver has given away. */
static void write_used(struct virtq *vq, const struct virtq_used *u)
{
	const struct packed_chain *c = &vq->chain[u->id];
	struct inflight_queue *log = vq->setup.inflight;
	struct virtq_packed *p = &vq->packed;
	struct packed_desc *d = &p->desc[p->used.idx];
	uint16_t flags = p->used.wrap ? F_AVAIL | F_USED : 0;

	if (u->len)
		flags |= VRING_DESC_F_WRITE;
	d->id = le16_put(u->id);
	d->len = le32_put(u->len);
	advance(vq, &p->used, c->len);
	p->owned -= c->len;
	if (log)
		inflight_packed_batch(log, c->log, p->used.idx, p->used.wrap);
	store_flags(d, flags);
	if (log)
		inflight_packed_done(log, c->log);
}

/* Whether the driver's event lies in the last @moved used descriptors. */
static bool event_passed(const struct virtq *vq, uint16_t off_wrap,
			 unsigned moved)
{
	const struct packed_pos *used = &vq->packed.used;
	unsigned event = off_wrap & 0x7fff;

	/* Of the lap before, as one of this lap it is negative. */
	if (off_wrap >> VRING_PACKED_EVENT_F_WRAP_CTR != used->wrap)
		event -= vq->setup.num;
	return used->idx - event - 1 < moved;
}

struct publish {
	struct virtq *vq;
	bool interrupt;
};

static void write_batch(void *arg)
{
	struct publish *p = arg;
	struct virtq *vq = p->vq;
	unsigned i, moved = 0;
	uint32_t both;
	le32 v;

	/*
	 * Each is complete when its flags are stored, and the driver takes
	 * them in this order: a batch needs nothing more to be safe.
	 */
	for (i = 0; i < vq->nr_batch; i++) {
		moved += vq->chain[vq->batch[i].id].len;
		write_used(vq, &vq->batch[i]);
	}
	/*
	 * The driver, about to wait, writes its event area, then has a full
	 * barrier, then looks at the next used descriptor again.  With one
	 * here as well, either it sees the descriptor or we see that it wants
	 * to know.
	 */
	__sync_synchronize();
	v.raw = __atomic_load_n(&vq->packed.driver->both.raw, __ATOMIC_RELAXED);
	both = le32_get(v);
	switch (both >> 16 & 3) {
	case VRING_PACKED_EVENT_FLAG_DISABLE:
		p->interrupt = false;
		break;
	case VRING_PACKED_EVENT_FLAG_DESC:
		p->interrupt = !vq->event_idx ||
			       event_passed(vq, (uint16_t)both, moved);
		break;
	default:
		p->interrupt = true;
		break;
	}
}

static int packed_publish(struct virtq *vq, bool *interrupt)
{
	struct publish p = { .vq = vq };
	int err = guard_run(write_batch, &p);

	if (err)
		return err;
	*interrupt = p.interrupt;
	return 0;
}

static void write_no_kick(void *arg)
{
	store_event(arg, 0, VRING_PACKED_EVENT_FLAG_DISABLE);
}

static int packed_disable_kick(struct virtq *vq)
{
	if (vq->packed.no_kick)
		return 0;
	vq->packed.no_kick = true;
	return guard_run(write_no_kick, vq);
}

struct look {
	struct virtq *vq;
	bool avail;
};

static void look_again(void *arg)
{
	struct look *l = arg;
	const struct packed_pos *at = &l->vq->packed.avail;

	l->avail = is_avail(load_flags(&l->vq->packed.desc[at->idx]), at->wrap);
}

static void write_kick(void *arg)
{
	struct virtq *vq = ((struct look *)arg)->vq;
	const struct packed_pos *at = &vq->packed.avail;
	unsigned wrap = (unsigned)at->wrap << VRING_PACKED_EVENT_F_WRAP_CTR;

	if (vq->event_idx)
		store_event(vq, (uint16_t)(at->idx | wrap),
			    VRING_PACKED_EVENT_FLAG_DESC);
	else
		store_event(vq, 0, VRING_PACKED_EVENT_FLAG_ENABLE);
	/*
	 * The driver makes descriptors available, then has a full barrier,
	 * then looks whether we want a kick.  With one here as well, either we
	 * see the descriptor or it kicks.
	 */
	__sync_synchronize();
	look_again(arg);
}

static int packed_enable_kick(struct virtq *vq)
{
	struct look look = { .vq = vq };

	/* With work at hand there is no need to ask for a kick. */
	if (guard_run(look_again, &look))
		return -EFAULT;
	if (look.avail)
		return 1;
	vq->packed.no_kick = false;
	return guard_run(write_kick, &look) ? -EFAULT : look.avail;
}

static void packed_state(const struct virtq *vq, struct virtq_state *ret)
{
	const struct virtq_packed *p = &vq->packed;

	ret->last_avail_idx = p->avail.idx;
	ret->last_avail_counter = p->avail.wrap;
	ret->last_used_idx = p->used.idx;
	ret->last_used_counter = p->used.wrap;
}

const struct virtq_format virtq_packed_format = {
	.start = packed_start,
	.fetch = packed_fetch,
	.publish = packed_publish,
	.disable_kick = packed_disable_kick,
	.enable_kick = packed_enable_kick,
	.state = packed_state,
};
