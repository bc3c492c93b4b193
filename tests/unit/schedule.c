/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Random requests, and what they must come to: see schedule.h. */
#include <check.h>
#include <linux/virtio_blk.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/schedule.h"

#define OK	VIRTIO_BLK_S_OK
#define IOERR	VIRTIO_BLK_S_IOERR
#define UNSUPP	VIRTIO_BLK_S_UNSUPP
#define UNKNOWN 99 /* a type that is none */

/* Each slot has memory of its own, and its tables too. */
#define SLOT_LEN    (DRIVER_DATA_LEN / SCHEDULE_SLOTS / 4096 * 4096)
#define SLOT_TABLE  (SLOT_LEN - 1024)
#define MAX_SECTORS 24

unsigned schedule_random(struct schedule *s, unsigned n)
{
	return (unsigned)rand_r(&s->seed) / 7 % n;
}

static bool changes(uint32_t type)
{
	return type == VIRTIO_BLK_T_OUT || type == VIRTIO_BLK_T_DISCARD ||
	       type == VIRTIO_BLK_T_WRITE_ZEROES;
}

static bool is_ranges(uint32_t type)
{
	return type == VIRTIO_BLK_T_DISCARD ||
	       type == VIRTIO_BLK_T_WRITE_ZEROES;
}

/* What is in flight together must not depend on who is first. */
static bool free_to_use(const struct schedule *s, uint32_t type,
			const struct schedule_range *r)
{
	uint64_t i;

	for (i = r->sector; i < r->sector + r->nr; i++)
		if (s->writer[i] || (changes(type) && s->readers[i]))
			return false;
	return true;
}

static void use(struct schedule *s, uint32_t type,
		const struct schedule_range *r, bool on)
{
	uint64_t i;

	for (i = r->sector; i < r->sector + r->nr; i++)
		if (changes(type))
			s->writer[i] = on;
		else
			s->readers[i] += on ? 1 : -1U;
}

static void use_all(struct schedule *s, const struct schedule_req *r, bool on)
{
	unsigned i;

	for (i = 0; r->want == OK && i < r->nr_ranges; i++)
		use(s, r->type, &r->range[i], on);
}

bool schedule_uses(const struct schedule *s, uint64_t sector)
{
	unsigned i;

	for (i = 0; i < SCHEDULE_SLOTS; i++)
		if (s->req[i].busy && s->req[i].beyond)
			return true;
	for (; sector < SCHEDULE_SECTORS; sector++)
		if (s->readers[sector] || s->writer[sector])
			return true;
	return false;
}

/* Ranges that are free, or one that is not all on the disk. */
static bool choose_ranges(struct schedule *s, struct schedule_req *r)
{
	unsigned n = is_ranges(r->type) ? 1 + schedule_random(s, 4) : 1;

	r->nr_ranges = 0;
	r->beyond = !schedule_random(s, 40);
	r->want = r->beyond ? IOERR : OK;
	while (r->nr_ranges < n) {
		struct schedule_range *range = &r->range[r->nr_ranges];

		range->nr = 1 + schedule_random(s, MAX_SECTORS);
		range->sector = schedule_random(s, (unsigned)s->nr_sectors);
		if (r->beyond)
			range->sector = s->nr_sectors - range->nr + 1;
		else if (range->nr > s->nr_sectors - range->sector)
			range->nr = (uint32_t)(s->nr_sectors - range->sector);
		if (!r->beyond && !free_to_use(s, r->type, range))
			return false;
		/* The next one must not be about the same. */
		r->nr_ranges++;
		if (!r->beyond)
			use(s, r->type, range, true);
	}
	return true;
}

/* What the driver sends or expects behind the header. */
static uint32_t choose_data(struct schedule *s, struct schedule_req *r,
			    uint8_t *data)
{
	struct virtio_blk_discard_write_zeroes seg;
	unsigned i;

	if (r->type == VIRTIO_BLK_T_GET_ID)
		return 20;
	if (!r->nr_ranges)
		return 0;
	if (!is_ranges(r->type)) {
		for (i = 0; i < r->range[0].nr * 512; i++)
			data[i] = (uint8_t)schedule_random(s, 256);
		return r->range[0].nr * 512;
	}
	for (i = 0; i < r->nr_ranges; i++) {
		seg = (struct virtio_blk_discard_write_zeroes){
			r->range[i].sector, r->range[i].nr,
			r->type == VIRTIO_BLK_T_WRITE_ZEROES &&
				schedule_random(s, 2)
		};
		memcpy(data + i * sizeof(seg), &seg, sizeof(seg));
	}
	return r->nr_ranges * (uint32_t)sizeof(seg);
}

struct layout {
	struct schedule *s;
	struct schedule_req *r;
	uint64_t at; /* the next free byte of the slot */
};

/* @len bytes in up to @max pieces, with gaps in between, or not. */
static void lay(struct layout *l, const uint8_t *src, uint32_t len,
		unsigned max, bool write)
{
	struct schedule_req *r = l->r;
	uint32_t n;

	for (; len; len -= n, src += n, max--) {
		n = max > 1 ? 1 + schedule_random(l->s, len) : len;
		l->at += schedule_random(l->s, 2) * schedule_random(l->s, 70);
		memcpy(driver_blk_at(l->s->b, l->at), src, n);
		r->seg[r->nr_seg++] = (struct driver_seg){ l->at, n, write };
		l->at += n;
	}
}

static void make(struct schedule *s, struct schedule_req *r, unsigned slot)
{
	struct layout l = { s, r, DRIVER_DATA + slot * SLOT_LEN };
	struct virtio_blk_outhdr hdr = { .type = r->type };
	static uint8_t data[MAX_SECTORS * 512];
	static const uint8_t untouched = 0xee;
	bool in = r->type == VIRTIO_BLK_T_IN || r->type == VIRTIO_BLK_T_GET_ID;

	r->nr_seg = 0;
	if (!is_ranges(r->type) && r->nr_ranges)
		hdr.sector = r->range[0].sector;
	r->data_len = choose_data(s, r, data);
	lay(&l, (uint8_t *)&hdr, sizeof(hdr), 1 + schedule_random(s, 3), false);
	r->first_data = r->nr_seg;
	lay(&l, data, r->data_len, 1 + schedule_random(s, 6), in);
	r->end_data = r->nr_seg;
	lay(&l, &untouched, 1, 1, true);
	r->status = l.at - 1;
}

static uint32_t choose_type(struct schedule *s)
{
	static const uint32_t types[] = {
		VIRTIO_BLK_T_IN,      VIRTIO_BLK_T_IN,
		VIRTIO_BLK_T_OUT,     VIRTIO_BLK_T_OUT,
		VIRTIO_BLK_T_OUT,     VIRTIO_BLK_T_FLUSH,
		VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES,
		VIRTIO_BLK_T_GET_ID,  UNKNOWN,
	};

	return types[schedule_random(s, sizeof(types) / sizeof(*types))];
}

static unsigned room(const struct driver *d)
{
	unsigned n = d->packed.desc ? d->packed.nr_desc : d->nr_free;

	/* In a packed ring every chain takes an id as well. */
	return d->nr_free ? n : 0;
}

void schedule_add(struct schedule *s)
{
	struct driver *d = &s->b->d;
	enum driver_shape shape = schedule_random(s, DRIVER_NR_SHAPES);
	struct schedule_req *r;
	unsigned slot = 0, i;

	while (slot < SCHEDULE_SLOTS && s->req[slot].busy)
		slot++;
	if (slot == SCHEDULE_SLOTS || room(d) < 12)
		return;
	if (!(d->setup.features & 1ULL << VIRTIO_RING_F_INDIRECT_DESC))
		shape = DRIVER_DIRECT;
	r = &s->req[slot];
	r->type = choose_type(s);
	r->nr_ranges = 0;
	r->beyond = false;
	r->want = r->type == UNKNOWN ? UNSUPP : OK;
	if (r->type != UNKNOWN && r->type != VIRTIO_BLK_T_FLUSH &&
	    r->type != VIRTIO_BLK_T_GET_ID && !choose_ranges(s, r)) {
		for (i = 0; i < r->nr_ranges; i++)
			use(s, r->type, &r->range[i], false);
		return;
	}
	make(s, r, slot);
	d->next_data = DRIVER_DATA + slot * SLOT_LEN + SLOT_TABLE;
	r->head = driver_add(d, shape, r->seg, r->nr_seg);
	r->busy = true;
	s->nr_busy++;
}

/* The data of @r, as it stands in the driver's memory, in one piece. */
static const uint8_t *gather(struct schedule *s, const struct schedule_req *r)
{
	static uint8_t data[MAX_SECTORS * 512];
	uint8_t *to = data;
	unsigned i;

	for (i = r->first_data; i < r->end_data; i++) {
		memcpy(to, driver_blk_at(s->b, r->seg[i].iova), r->seg[i].len);
		to += r->seg[i].len;
	}
	return data;
}

/* Into the model, or held against it. */
static void apply(struct schedule *s, const struct schedule_req *r)
{
	const uint8_t *data = gather(s, r);
	unsigned i;

	switch (r->type) {
	case VIRTIO_BLK_T_IN:
		ck_assert_msg(!memcmp(s->model[r->range[0].sector], data,
				      r->data_len),
			      "%u sectors read at %u are not as written",
			      r->range[0].nr, (unsigned)r->range[0].sector);
		break;
	case VIRTIO_BLK_T_OUT:
		memcpy(s->model[r->range[0].sector], data, r->data_len);
		break;
	case VIRTIO_BLK_T_GET_ID:
		ck_assert(!memcmp(data, "a serial of 20 bytes", 20));
		break;
	case VIRTIO_BLK_T_DISCARD: /* the device below makes them zeroes */
	case VIRTIO_BLK_T_WRITE_ZEROES:
		for (i = 0; i < r->nr_ranges; i++)
			memset(s->model[r->range[i].sector], 0,
			       r->range[i].nr * 512);
		break;
	}
}

static struct schedule_req *find(struct schedule *s, uint16_t head)
{
	unsigned i;

	for (i = 0; i < SCHEDULE_SLOTS; i++)
		if (s->req[i].busy && s->req[i].head == head)
			return &s->req[i];
	ck_abort_msg("an answer to nothing");
	return NULL;
}

void schedule_collect(struct schedule *s)
{
	struct schedule_req *r;
	uint16_t head;
	uint32_t len;
	bool in;

	while (driver_collect(&s->b->d, &head, &len)) {
		r = find(s, head);
		in = r->type == VIRTIO_BLK_T_IN ||
		     r->type == VIRTIO_BLK_T_GET_ID;
		ck_assert_uint_eq(*driver_blk_at(s->b, r->status), r->want);
		ck_assert_uint_eq(len, 1 + (in ? r->data_len : 0));
		if (r->want == OK)
			apply(s, r);
		use_all(s, r, false);
		r->busy = false;
		s->nr_busy--;
		s->nr_done[r->type % 16]++;
	}
}

void schedule_forget_all(struct schedule *s)
{
	unsigned i;

	for (i = 0; i < SCHEDULE_SLOTS; i++) {
		if (!s->req[i].busy)
			continue;
		use_all(s, &s->req[i], false);
		s->req[i].busy = false;
		s->nr_busy--;
	}
}
