/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The in-flight log: see inflight.h.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/why.h"
#include "virtio/inflight_int.h"

/*
 * What the log belongs to.  It stands behind the descriptors, of which those
 * of packed rings are the longer ones.
 */
struct binding {
	uint64_t features;
	uint64_t desc_addr;
	uint64_t driver_addr;
	uint64_t device_addr;
};

_Static_assert(sizeof(struct inflight_split_desc) == 16, "protocol layout");
_Static_assert(sizeof(struct inflight_split) == 16, "protocol layout");

static size_t binding_offset(unsigned num)
{
	return sizeof(struct inflight_packed) +
	       num * sizeof(struct inflight_packed_desc);
}

size_t inflight_size(unsigned num)
{
	size_t len = binding_offset(num) + sizeof(struct binding);

	return (len + 63) & ~(size_t)63;
}

void inflight_queue_init(struct inflight_queue *log, void *mem, unsigned num)
{
	*log = (struct inflight_queue){ .mem = mem, .num = num };
}

void inflight_queue_reset(struct inflight_queue *log)
{
	volatile uint16_t *version;

	if (!log)
		return;
	version = &((struct inflight_split *)log->mem)->version;
	*version = 0;
	inflight_order();
	memset(log->mem, 0, inflight_size(log->num));
	log->counter = 0;
}

static struct binding *binding_of(const struct inflight_queue *log)
{
	return (struct binding *)((char *)log->mem + binding_offset(log->num));
}

static struct binding binding_for(const struct virtq_setup *setup)
{
	return (struct binding){
		.features = setup->features,
		.desc_addr = setup->desc_addr,
		.driver_addr = setup->driver_addr,
		.device_addr = setup->device_addr,
	};
}

void inflight_begin(struct inflight_queue *log, const struct virtq_setup *setup)
{
	inflight_queue_reset(log);
	*binding_of(log) = binding_for(setup);
}

static void make_fresh(struct inflight_queue *log,
		       const struct virtq_setup *setup, uint16_t used)
{
	struct inflight_split *s = log->mem;

	inflight_begin(log, setup);
	s->desc_num = (uint16_t)setup->num;
	s->used_idx = used;
	inflight_order();
	s->version = INFLIGHT_VERSION;
}

bool inflight_bound_to(const struct inflight_queue *log,
		       const struct virtq_setup *setup)
{
	/* version and desc_num stand at the same place in both layouts. */
	const struct inflight_split *s = log->mem;
	struct binding want = binding_for(setup);

	return s->desc_num == setup->num &&
	       !memcmp(binding_of(log), &want, sizeof(want));
}

/*
 * The last batch was published if the used index moved, but its marks may
 * still be there: take them away, on the private copy in @entry.
 */
static int drop_last_batch(const struct inflight_split *s, unsigned num,
			   struct inflight_split_desc *entry, uint16_t used,
			   struct why *why)
{
	unsigned left = (uint16_t)(used - s->used_idx);
	uint16_t i = s->last_batch_head;

	if (left > num)
		return why_set(why, -EUCLEAN,
			       "in-flight log: used index %u, ring has %u",
			       s->used_idx, used);
	for (; left; left--) {
		/* Padding marks those seen: a second visit is a loop. */
		if (i >= num || entry[i].padding[0])
			return why_set(why, -EUCLEAN,
				       "in-flight log: bad batch list");
		entry[i].padding[0] = 1;
		entry[i].inflight = 0;
		i = entry[i].next;
	}
	return 0;
}

static int by_counter(const void *a, const void *b)
{
	const struct inflight_fetched *x = a, *y = b;

	return (x->counter > y->counter) - (x->counter < y->counter);
}

int inflight_sort(struct inflight_queue *log, struct inflight_fetched *list,
		  unsigned nr, struct inflight_recovery *rec, struct why *why)
{
	unsigned i;

	qsort(list, nr, sizeof(*list), by_counter);
	for (i = 0; i < nr; i++) {
		if (i && list[i].counter == list[i - 1].counter)
			return why_set(why, -EUCLEAN,
				       "in-flight log: counter twice");
		rec->head[i] = list[i].head;
	}
	log->counter = nr ? list[nr - 1].counter + 1 : 0;
	rec->nr = nr;
	return 0;
}

/* What is marked in @entry, in the order of fetching. */
static int collect(struct inflight_queue *log,
		   const struct inflight_split_desc *entry, unsigned num,
		   struct inflight_fetched *list, struct inflight_recovery *rec,
		   struct why *why)
{
	unsigned i, nr = 0;

	for (i = 0; i < num; i++) {
		if (entry[i].inflight > 1)
			return why_set(why, -EUCLEAN,
				       "in-flight log: bad mark");
		if (entry[i].inflight)
			list[nr++] =
				(struct inflight_fetched){ entry[i].counter,
							   (uint16_t)i };
	}
	return inflight_sort(log, list, nr, rec, why);
}

/* Make the log say what was found, so that a death from here on is covered. */
static void settle(struct inflight_split *s,
		   const struct inflight_split_desc *entry, unsigned num,
		   uint16_t used)
{
	unsigned i;

	for (i = 0; i < num; i++)
		s->desc[i].inflight = entry[i].inflight;
	inflight_order();
	s->used_idx = used;
}

static int resume(struct inflight_queue *log, unsigned num, uint16_t used,
		  uint16_t avail, struct inflight_split_desc *entry,
		  struct inflight_fetched *list, struct inflight_recovery *rec,
		  struct why *why)
{
	struct inflight_split *s = log->mem;
	int err;

	memcpy(entry, s->desc, num * sizeof(*entry));
	for (unsigned i = 0; i < num; i++)
		entry[i].padding[0] = 0;
	err = drop_last_batch(s, num, entry, used, why);
	if (!err)
		err = collect(log, entry, num, list, rec, why);
	if (err)
		return err;
	if ((uint16_t)(avail - used) < rec->nr ||
	    (uint16_t)(avail - used) - rec->nr > num)
		return why_set(why, -EUCLEAN,
			       "in-flight log: %u in flight, ring has %u",
			       rec->nr, (uint16_t)(avail - used));
	settle(s, entry, num, used);
	rec->resumed = true;
	return 0;
}

int inflight_split_bind(struct inflight_queue *log,
			const struct virtq_setup *setup, uint16_t used,
			uint16_t avail, struct inflight_recovery *rec,
			struct why *why)
{
	const struct inflight_split *s = log->mem;
	struct inflight_split_desc *entry;
	struct inflight_fetched *list;
	int err = -ENOMEM;

	rec->resumed = false;
	rec->nr = 0;
	if (setup->num > log->num)
		return why_set(why, -EINVAL, "in-flight log: too small");
	if (!s->version || !inflight_bound_to(log, setup)) {
		make_fresh(log, setup, used);
		return 0;
	}
	if (s->version != INFLIGHT_VERSION || s->features)
		return why_set(why, -EUCLEAN,
			       "in-flight log: unknown version %u", s->version);
	entry = calloc(setup->num, sizeof(*entry));
	list = calloc(setup->num, sizeof(*list));
	if (entry && list)
		err = resume(log, setup->num, used, avail, entry, list, rec,
			     why);
	free(list);
	free(entry);
	return err;
}

void inflight_split_fetch(struct inflight_queue *log, uint16_t head)
{
	struct inflight_split *s = log->mem;

	s->desc[head].counter = log->counter++;
	inflight_order();
	s->desc[head].inflight = 1;
	inflight_order();
}

void inflight_split_batch(struct inflight_queue *log, const uint16_t *head,
			  unsigned nr)
{
	struct inflight_split *s = log->mem;
	unsigned i;

	for (i = 0; i < nr; i++) {
		s->desc[head[i]].next = s->last_batch_head;
		inflight_order();
		s->last_batch_head = head[i];
		inflight_order();
	}
}

void inflight_split_done(struct inflight_queue *log, const uint16_t *head,
			 unsigned nr, uint16_t used)
{
	struct inflight_split *s = log->mem;
	unsigned i;

	inflight_order();
	for (i = 0; i < nr; i++)
		s->desc[head[i]].inflight = 0;
	inflight_order();
	s->used_idx = used;
	inflight_order();
}
