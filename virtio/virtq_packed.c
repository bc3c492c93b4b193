/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The packed virtqueue (virtio 1.3, section 2.8), the device's side: start,
 * answers, notifications.  Requests are read in virtq_packed_fetch.c.
 *
 * Answers are written over the descriptors in the order of answering, so what
 * is in flight may no longer stand in the ring: all that is needed of it is
 * kept here, by buffer id.
 */
#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "lib/guard.h"
#include "lib/why.h"
#include "virtio/inflight.h"
#include "virtio/virtq_packed_int.h"

static void store_event(struct virtq *vq, uint16_t off_wrap, unsigned flags)
{
	ring_store32(&vq->packed.device->both, off_wrap | (uint32_t)flags << 16,
		     __ATOMIC_RELAXED);
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

	l->flags = packed_load_flags(&l->vq->packed.desc[l->at]);
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
	packed_advance(vq, &p->avail, rec.nr_desc);
	p->owned = rec.nr_desc;
	p->to_replay = rec.nr_desc;
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

/* One answer, over descriptors that the driver has given away. */
static void write_used(struct virtq *vq, const struct virtq_used *u)
{
	const struct packed_chain *c = &vq->chain[u->id];
	struct inflight_queue *log = vq->setup.inflight;
	struct virtq_packed *p = &vq->packed;
	struct packed_desc *d = &p->desc[p->used.idx];
	uint16_t flags = p->used.wrap ? PACKED_AVAIL | PACKED_USED : 0;

	if (u->len)
		flags |= VRING_DESC_F_WRITE;
	d->id = le16_put(u->id);
	d->len = le32_put(u->len);
	packed_advance(vq, &p->used, c->len);
	p->owned -= c->len;
	if (log)
		inflight_packed_batch(log, c->log, p->used.idx, p->used.wrap);
	/* Release: the driver reads the flags, then the rest and buffers. */
	ring_store16(&d->flags, flags, __ATOMIC_RELEASE);
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
	ring_full_fence();
	both = ring_load32(&vq->packed.driver->both, __ATOMIC_RELAXED);
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

	l->avail = packed_is_avail(
		packed_load_flags(&l->vq->packed.desc[at->idx]), at->wrap);
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
	ring_full_fence();
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

static int packed_pending(struct virtq *vq)
{
	struct look look = { .vq = vq };

	return guard_run(look_again, &look) ? -EFAULT : look.avail;
}

static void packed_state(const struct virtq *vq, struct virtq_state *ret)
{
	const struct virtq_packed *p = &vq->packed;

	ret->last_avail_idx = p->avail.idx;
	ret->last_avail_counter = p->avail.wrap;
	ret->last_used_idx = p->used.idx;
	ret->last_used_counter = p->used.wrap;
}

static void packed_wrote(struct virtq *vq)
{
	virtq_wrote(vq, vq->packed.desc,
		    vq->setup.num * sizeof(*vq->packed.desc));
	virtq_wrote(vq, vq->packed.device, sizeof(*vq->packed.device));
}

const struct virtq_format virtq_packed_format = {
	.start = packed_start,
	.fetch = packed_fetch,
	.publish = packed_publish,
	.disable_kick = packed_disable_kick,
	.enable_kick = packed_enable_kick,
	.pending = packed_pending,
	.state = packed_state,
	.wrote = packed_wrote,
};
