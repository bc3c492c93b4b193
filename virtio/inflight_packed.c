/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The in-flight log of packed rings: see inflight.h.
 *
 * Entries form chains as long as those in the ring, or the list of free ones.
 * Two changes are prepared first and take effect by one store: a fetch, by
 * the store to old_free_head; an answer, by the flags of its descriptor in the
 * ring.  Until then the fields called old_... say what holds, and the list
 * that begins at old_free_head is not written.
 */
#include <errno.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "lib/why.h"
#include "virtio/inflight_int.h"

_Static_assert(sizeof(struct inflight_packed_desc) == 32, "protocol layout");
_Static_assert(sizeof(struct inflight_packed) == 32, "protocol layout");
_Static_assert(offsetof(struct inflight_packed, used_idx) == 16,
	       "one store for all of struct used");

/* The fields from used_idx on, which change in one store. */
struct used {
	uint16_t idx, old_idx;
	uint8_t wrap, old_wrap;
	uint8_t padding[2];
};

static void store_used(struct inflight_packed *p, struct used used)
{
	volatile uint64_t *to = (volatile uint64_t *)&p->used_idx;
	uint64_t v;

	memcpy(&v, &used, sizeof(v));
	*to = v;
	inflight_order();
}

static void store_heads(struct inflight_packed *p, uint16_t head)
{
	*(volatile uint16_t *)&p->free_head = head;
	inflight_order();
	*(volatile uint16_t *)&p->old_free_head = head;
	inflight_order();
}

/*
 * The entry at @at, a link that was read back: who changes the log while it
 * is in use gets a wrong one, but none outside.
 */
static struct inflight_packed_desc *entry_at(const struct inflight_queue *log,
					     unsigned at)
{
	struct inflight_packed *p = log->mem;

	return &p->desc[at < log->ring ? at : 0];
}

static void make_fresh(struct inflight_queue *log,
		       const struct virtq_setup *setup)
{
	const struct virtq_state *state = &setup->state;
	struct inflight_packed *p = log->mem;
	unsigned i;

	inflight_begin(log, setup);
	p->desc_num = (uint16_t)setup->num;
	for (i = 0; i < setup->num; i++)
		p->desc[i].next = (uint16_t)(i + 1);
	log->free = 0;
	log->used_idx = state->last_used_idx;
	log->used_wrap = state->last_used_counter;
	store_used(p, (struct used){ log->used_idx, log->used_idx,
				     log->used_wrap, log->used_wrap });
	*(volatile uint16_t *)&p->version = INFLIGHT_VERSION;
}

unsigned inflight_packed_witness(const struct inflight_queue *log, unsigned num)
{
	const struct inflight_packed *p = log->mem;
	unsigned at = *(const volatile uint16_t *)&p->old_used_idx;

	return at < num ? at : 0;
}

/* A private copy of a log, being checked. */
struct copy {
	struct inflight_packed_desc *desc;
	struct inflight_fetched *list;
	bool *seen;    /* entries that have their place */
	bool *id_used; /* buffer ids in flight */
	unsigned num, nr_seen;
	struct inflight_packed head; /* without descriptors */
};

static int bad(struct why *why, const char *what)
{
	return why_set(why, -EUCLEAN, "in-flight log: %s", what);
}

/*
 * What holds, of old and new: the last answer was published if its descriptor
 * is no longer available in the lap of old_used_wrap_counter.
 */
static int decide(struct copy *c, uint16_t flags, struct why *why)
{
	struct inflight_packed *h = &c->head;
	bool avail = flags >> VRING_PACKED_DESC_F_AVAIL & 1;
	bool used = flags >> VRING_PACKED_DESC_F_USED & 1;
	bool pending = h->used_idx != h->old_used_idx ||
		       h->used_wrap_counter != h->old_used_wrap_counter;

	if (h->used_idx >= c->num || h->old_used_idx >= c->num ||
	    h->used_wrap_counter > 1 || h->old_used_wrap_counter > 1)
		return bad(why, "bad used index");
	if (pending && !(avail == h->old_used_wrap_counter && used != avail)) {
		h->old_free_head = h->free_head;
		h->old_used_idx = h->used_idx;
		h->old_used_wrap_counter = h->used_wrap_counter;
	}
	return 0;
}

static bool see(struct copy *c, unsigned at)
{
	if (at >= c->num || c->seen[at])
		return false;
	c->seen[at] = true;
	c->nr_seen++;
	return true;
}

static int walk_free(struct copy *c, struct why *why)
{
	unsigned at;

	for (at = c->head.old_free_head; at != c->num; at = c->desc[at].next) {
		if (!see(c, at))
			return bad(why, "bad list of free entries");
		c->desc[at].inflight = 0;
	}
	return 0;
}

static int walk_chain(struct copy *c, unsigned head, struct why *why)
{
	const struct inflight_packed_desc *e = &c->desc[head];
	unsigned at = head, last = head, i;

	if (!e->num)
		return bad(why, "empty chain");
	for (i = 0; i < e->num; i++) {
		if (!see(c, at))
			return bad(why, "bad chain");
		last = at;
		at = c->desc[at].next;
	}
	if (last != e->last)
		return bad(why, "bad end of a chain");
	if (c->desc[last].id >= c->num || c->id_used[c->desc[last].id])
		return bad(why, "bad buffer id");
	c->id_used[c->desc[last].id] = true;
	return 0;
}

/* Every entry is free or part of one chain; the chains are in flight. */
static int collect(struct inflight_queue *log, struct copy *c,
		   struct inflight_recovery *rec, struct why *why)
{
	unsigned i, nr = 0;
	int err = walk_free(c, why);

	for (i = 0; !err && i < c->num; i++) {
		if (c->desc[i].inflight > 1)
			return bad(why, "bad mark");
		if (!c->desc[i].inflight)
			continue;
		c->list[nr++] = (struct inflight_fetched){ c->desc[i].counter,
							   (uint16_t)i };
		rec->nr_desc += c->desc[i].num;
		err = walk_chain(c, i, why);
	}
	if (err)
		return err;
	if (c->nr_seen != c->num)
		return bad(why, "lost entries");
	return inflight_sort(log, c->list, nr, rec, why);
}

/*
 * Make the log say what was found.  A death in here leaves a log from which
 * the same is found again.
 */
static void settle(struct inflight_queue *log, const struct copy *c)
{
	const struct inflight_packed *h = &c->head;
	struct inflight_packed *p = log->mem;
	unsigned i;

	for (i = 0; i < c->num; i++)
		p->desc[i].inflight = c->desc[i].inflight;
	inflight_order();
	store_heads(p, h->old_free_head);
	store_used(p, (struct used){ h->old_used_idx, h->old_used_idx,
				     h->old_used_wrap_counter,
				     h->old_used_wrap_counter });
	log->free = h->old_free_head;
	log->used_idx = h->old_used_idx;
	log->used_wrap = h->old_used_wrap_counter;
}

static int resume(struct inflight_queue *log, struct copy *c, uint16_t flags,
		  struct inflight_recovery *rec, struct why *why)
{
	const struct inflight_packed *p = log->mem;
	int err;

	memcpy(&c->head, p, sizeof(c->head));
	memcpy(c->desc, p->desc, c->num * sizeof(*c->desc));
	err = decide(c, flags, why);
	if (!err)
		err = collect(log, c, rec, why);
	if (err)
		return err;
	settle(log, c);
	rec->resumed = true;
	rec->used_idx = log->used_idx;
	rec->used_wrap = log->used_wrap;
	return 0;
}

int inflight_packed_bind(struct inflight_queue *log,
			 const struct virtq_setup *setup, uint16_t flags,
			 struct inflight_recovery *rec, struct why *why)
{
	const struct inflight_packed *p = log->mem;
	struct copy c = { .num = setup->num };
	int err = -ENOMEM;

	rec->resumed = false;
	rec->nr = 0;
	rec->nr_desc = 0;
	if (setup->num > log->num)
		return why_set(why, -EINVAL, "in-flight log: too small");
	log->ring = setup->num;
	if (!p->version || !inflight_bound_to(log, setup)) {
		make_fresh(log, setup);
		return 0;
	}
	if (p->version != INFLIGHT_VERSION || p->features)
		return why_set(why, -EUCLEAN,
			       "in-flight log: unknown version %u", p->version);
	c.desc = calloc(c.num, sizeof(*c.desc));
	c.list = calloc(c.num, sizeof(*c.list));
	c.seen = calloc(c.num, sizeof(*c.seen));
	c.id_used = calloc(c.num, sizeof(*c.id_used));
	if (c.desc && c.list && c.seen && c.id_used)
		err = resume(log, &c, flags, rec, why);
	else
		err = why_set(why, -ENOMEM, "out of memory");
	free(c.desc);
	free(c.list);
	free(c.seen);
	free(c.id_used);
	return err;
}

unsigned inflight_packed_num(const struct inflight_queue *log, uint16_t head)
{
	return entry_at(log, head)->num;
}

int inflight_packed_read(const struct inflight_queue *log, uint16_t at,
			 struct inflight_packed_desc *ret)
{
	if (at >= log->ring)
		return -EUCLEAN;
	memcpy(ret, entry_at(log, at), sizeof(*ret));
	return 0;
}

uint16_t inflight_packed_first(struct inflight_queue *log)
{
	log->next = log->free;
	log->nr = 0;
	return log->free;
}

void inflight_packed_add(struct inflight_queue *log,
			 const struct inflight_packed_desc *desc)
{
	struct inflight_packed_desc *e = entry_at(log, log->next);

	e->id = desc->id;
	e->flags = desc->flags;
	e->len = desc->len;
	e->addr = desc->addr;
	log->last = log->next;
	log->next = e->next;
	log->nr++;
}

void inflight_packed_fetch(struct inflight_queue *log)
{
	struct inflight_packed_desc *e = entry_at(log, log->free);

	e->last = log->last;
	e->num = log->nr;
	e->counter = log->counter++;
	inflight_order();
	e->inflight = 1;
	inflight_order();
	store_heads(log->mem, log->next);
	log->free = log->next;
}

void inflight_packed_batch(struct inflight_queue *log, uint16_t head,
			   uint16_t used_idx, bool used_wrap)
{
	struct inflight_packed_desc *e = entry_at(log, head);
	struct inflight_packed *p = log->mem;

	entry_at(log, e->last)->next = log->free;
	inflight_order();
	*(volatile uint16_t *)&p->free_head = head;
	inflight_order();
	store_used(p, (struct used){ used_idx, log->used_idx, used_wrap,
				     log->used_wrap });
	log->free = head;
	log->used_idx = used_idx;
	log->used_wrap = used_wrap;
}

void inflight_packed_done(struct inflight_queue *log, uint16_t head)
{
	inflight_order();
	entry_at(log, head)->inflight = 0;
	inflight_order();
	store_heads(log->mem, log->free);
	store_used(log->mem, (struct used){ log->used_idx, log->used_idx,
					    log->used_wrap, log->used_wrap });
}
