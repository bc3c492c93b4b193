/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The driver's side of a packed ring: see driver_packed.h. */
#include <check.h>
#include <string.h>

#include "tests/unit/driver_packed.h"
#include "tests/unit/driver_split.h"

#define F_AVAIL (1U << VRING_PACKED_DESC_F_AVAIL)
#define F_USED	(1U << VRING_PACKED_DESC_F_USED)

static void advance(const struct driver *d, struct driver_pos *pos, unsigned n)
{
	pos->idx = (uint16_t)(pos->idx + n);
	if (pos->idx >= d->num) {
		pos->idx = (uint16_t)(pos->idx - d->num);
		pos->wrap = !pos->wrap;
	}
}

void driver_packed_reset(struct driver *d)
{
	struct driver_packed *p = &d->packed;
	unsigned i;

	memset(p->desc, 0, d->num * sizeof(*p->desc));
	memset(p->driver, 0, sizeof(*p->driver));
	memset(p->device, 0, sizeof(*p->device));
	p->next = p->published = p->used = (struct driver_pos){ 0, true };
	p->nr_desc = d->num;
	p->nr_hidden = 0;
	for (i = 0; i < d->num; i++)
		d->free[i] = (uint16_t)i;
	d->setup.state = (struct virtq_state){
		.last_avail_counter = true,
		.last_used_counter = true,
	};
}

void driver_packed_init(struct driver *d)
{
	struct driver_packed *p = &d->packed;

	/* Exactly as long as they must be. */
	p->desc = driver_map(d, DRIVER_DESC, 16 * d->num);
	p->driver = driver_map(d, DRIVER_AVAIL, 4);
	p->device = driver_map(d, DRIVER_USED, 4);
	d->mem.map[1].readonly = true;
}

static uint16_t stamp(const struct driver_pos *pos)
{
	return pos->wrap ? F_AVAIL : F_USED;
}

void driver_packed_raw(struct driver *d, unsigned i, uint64_t addr,
		       uint32_t len, uint16_t flags, uint16_t id)
{
	d->packed.desc[i] =
		(struct vring_packed_desc){ addr, len, id,
					    flags | stamp(&d->packed.next) };
}

/* Ids and links in a table mean nothing: they are wrong ones. */
static uint64_t make_table(struct driver *d, const struct driver_seg *seg,
			   unsigned nr)
{
	uint64_t iova = driver_alloc(d, 16 * nr, 16);
	struct vring_packed_desc *table = driver_at(d, iova);
	unsigned i;

	for (i = 0; i < nr; i++)
		table[i] = (struct vring_packed_desc){
			seg[i].iova, seg[i].len, 0xffff,
			(uint16_t)((seg[i].write ? VRING_DESC_F_WRITE : 0) |
				   (i % 2 ? VRING_DESC_F_NEXT : 0))
		};
	return iova;
}

/* The id stands in the last descriptor only. */
static void put(struct driver *d, const struct driver_seg *seg, uint16_t id,
		unsigned flags, bool first)
{
	struct driver_packed *p = &d->packed;
	struct vring_packed_desc *e = &p->desc[p->next.idx];
	bool last = !(flags & VRING_DESC_F_NEXT);

	ck_assert_uint_gt(p->nr_desc, 0);
	p->nr_desc--;
	flags |= stamp(&p->next) | (seg->write ? VRING_DESC_F_WRITE : 0);
	e->addr = seg->iova;
	e->len = seg->len;
	e->id = last ? id : (uint16_t)~id;
	if (first) {
		p->hidden[p->nr_hidden].at = p->next.idx;
		p->hidden[p->nr_hidden++].flags = (uint16_t)flags;
	} else {
		e->flags = (uint16_t)flags;
	}
	advance(d, &p->next, 1);
}

uint16_t driver_packed_add(struct driver *d, bool indirect,
			   const struct driver_seg *seg, unsigned nr)
{
	struct driver_seg table;
	uint16_t id;
	unsigned i;

	ck_assert_uint_gt(d->nr_free, 0);
	id = d->free[--d->nr_free];
	d->busy[id] = true;
	d->packed.count[id] = (uint16_t)(indirect ? 1 : nr);
	if (indirect) {
		table.iova = make_table(d, seg, nr);
		table.len = 16 * nr;
		/* It says nothing of the buffers. */
		table.write = nr % 2;
		put(d, &table, id, VRING_DESC_F_INDIRECT, true);
	}
	for (i = 0; !indirect && i < nr; i++)
		put(d, &seg[i], id, i + 1 < nr ? VRING_DESC_F_NEXT : 0, !i);
	return id;
}

bool driver_packed_publish(struct driver *d)
{
	struct driver_packed *p = &d->packed;
	unsigned i, moved, event, flags;
	uint32_t both;

	for (i = 0; i < p->nr_hidden; i++)
		__atomic_store_n(&p->desc[p->hidden[i].at].flags,
				 p->hidden[i].flags, __ATOMIC_RELEASE);
	moved = p->next.idx - p->published.idx;
	if (p->next.wrap != p->published.wrap)
		moved += d->num;
	p->published = p->next;
	p->nr_hidden = 0;
	__sync_synchronize();
	both = __atomic_load_n((uint32_t *)p->device, __ATOMIC_RELAXED);
	flags = both >> 16;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC)
		return flags == VRING_PACKED_EVENT_FLAG_ENABLE;
	event = both & 0x7fff;
	if ((both >> 15 & 1) != p->next.wrap)
		event -= d->num;
	return p->next.idx - event - 1 < moved;
}

bool driver_packed_has_used(const struct driver *d)
{
	const struct driver_packed *p = &d->packed;
	uint16_t flags =
		__atomic_load_n(&p->desc[p->used.idx].flags, __ATOMIC_ACQUIRE);

	return !!(flags & F_AVAIL) == p->used.wrap &&
	       !!(flags & F_USED) == p->used.wrap;
}

void driver_packed_collect(struct driver *d, uint16_t *id, uint32_t *len)
{
	struct driver_packed *p = &d->packed;
	const struct vring_packed_desc *e = &p->desc[p->used.idx];

	ck_assert_uint_lt(e->id, d->num);
	ck_assert(d->busy[e->id]);
	ck_assert_int_eq(!!(e->flags & VRING_DESC_F_WRITE), e->len != 0);
	d->busy[e->id] = false;
	d->free[d->nr_free++] = e->id;
	p->nr_desc += p->count[e->id];
	*id = e->id;
	if (len)
		*len = e->len;
	advance(d, &p->used, p->count[e->id]);
}

void driver_packed_want_interrupt(struct driver *d, bool want)
{
	struct driver_packed *p = &d->packed;
	uint32_t both = VRING_PACKED_EVENT_FLAG_DISABLE << 16;

	if (want && d->setup.features & (1ULL << VIRTIO_RING_F_EVENT_IDX))
		both = VRING_PACKED_EVENT_FLAG_DESC << 16 | p->used.idx |
		       (uint32_t)p->used.wrap << 15;
	else if (want)
		both = VRING_PACKED_EVENT_FLAG_ENABLE;
	__atomic_store_n((uint32_t *)p->driver, both, __ATOMIC_RELAXED);
	__sync_synchronize();
}
