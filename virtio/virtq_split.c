/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The split virtqueue (virtio 1.3, section 2.7), the device's side: start,
 * used ring, notifications.  Requests are read in virtq_split_fetch.c.
 */
#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "lib/guard.h"
#include "lib/log.h"
#include "lib/why.h"
#include "virtio/inflight.h"
#include "virtio/virtq_split_int.h"

static le16 *used_event(struct virtq *vq)
{
	return &vq->split.avail->ring[vq->setup.num];
}

static le16 *avail_event(struct virtq *vq)
{
	return (le16 *)&vq->split.used->ring[vq->setup.num];
}

/* Indices as they stand in the rings, and the flags as they are at first. */
static void first_look(void *arg)
{
	struct virtq *vq = arg;
	struct virtq_split *s = &vq->split;

	s->used_idx = ring_load16(&s->used->idx, __ATOMIC_RELAXED);
	s->avail_idx = ring_load16(&s->avail->idx, __ATOMIC_ACQUIRE);
	ring_store16(&s->used->flags, 0, __ATOMIC_RELAXED);
}

static uint64_t used_len(const struct virtq *vq)
{
	return sizeof(struct split_used) +
	       vq->setup.num * sizeof(struct split_used_elem) +
	       (vq->event_idx ? 2 : 0);
}

static int map_rings(struct virtq *vq, struct why *why)
{
	const struct virtq_setup *setup = &vq->setup;
	uint64_t num = setup->num, event = vq->event_idx ? 2 : 0;
	void *desc, *avail, *used;
	int err;

	if (num & (num - 1))
		return why_set(why, -EINVAL,
			       "split queue of %u entries (no power of two)",
			       setup->num);
	err = virtq_map_area(vq, "descriptor table", setup->desc_addr,
			     num * sizeof(struct split_desc), 16, false, &desc,
			     why);
	if (!err)
		err = virtq_map_area(vq, "available ring", setup->driver_addr,
				     sizeof(struct split_avail) + num * 2 +
					     event,
				     2, false, &avail, why);
	if (!err)
		err = virtq_map_area(vq, "used ring", setup->device_addr,
				     used_len(vq), 4, true, &used, why);
	if (err)
		return err;
	vq->split.desc = desc;
	vq->split.avail = avail;
	vq->split.used = used;
	return 0;
}

/*
 * Where the log leaves off.  A log that cannot be trusted does no harm when
 * nothing was answered yet, or nothing is left to answer: then the used index
 * says all.  In between only the log knows; a guess could replay a write
 * whose buffer holds something else by now.
 */
static int take_up(struct virtq *vq, struct why *why)
{
	struct virtq_split *s = &vq->split;
	struct inflight_recovery rec = { .head = vq->replay };
	struct inflight_queue *log = vq->setup.inflight;
	struct why bad = { "" };
	int err;

	s->last_avail = vq->setup.state.avail_index;
	if (!log)
		return 0;
	err = inflight_split_bind(log, &vq->setup, s->used_idx, s->avail_idx,
				  &rec, &bad);
	if (err == -EUCLEAN && (s->used_idx == s->avail_idx ||
				s->used_idx == vq->setup.state.avail_index)) {
		log_warn("%s; it is not needed and made anew", bad.text);
		inflight_queue_reset(log);
		err = inflight_split_bind(log, &vq->setup, s->used_idx,
					  s->avail_idx, &rec, &bad);
		rec.resumed = true;
	}
	if (err)
		return why_set(why, err, "%s", bad.text);
	if (rec.resumed) {
		s->last_avail = (uint16_t)(s->used_idx + rec.nr);
		vq->nr_replay = rec.nr;
		/* The last interrupt may have died with the process. */
		vq->interrupt_now = true;
	}
	return 0;
}

static int split_start(struct virtq *vq, struct why *why)
{
	struct virtq_split *s = &vq->split;
	int err;

	memset(s, 0, sizeof(*s));
	err = map_rings(vq, why);
	if (err)
		return err;
	if (guard_run(first_look, vq))
		return why_set(why, -EFAULT,
			       "the rings are not backed by memory");
	err = take_up(vq, why);
	/* The first pop reads the index again, and checks it. */
	s->avail_idx = s->last_avail;
	return err;
}

struct publish {
	struct virtq *vq;
	bool interrupt;
};

static void write_used(void *arg)
{
	struct publish *p = arg;
	struct virtq *vq = p->vq;
	struct virtq_split *s = &vq->split;
	uint16_t old = s->used_idx, new = (uint16_t)(old + vq->nr_batch);
	unsigned i;

	for (i = 0; i < vq->nr_batch; i++) {
		struct split_used_elem *e =
			&s->used->ring[(old + i) & (vq->setup.num - 1)];

		e->id = le32_put(vq->batch[i].id);
		e->len = le32_put(vq->batch[i].len);
	}
	/* Release: the driver reads the index, then elements and buffers. */
	ring_store16(&s->used->idx, new, __ATOMIC_RELEASE);
	s->used_idx = new;
	/*
	 * The driver, about to wait, writes used_event or its flag, then has
	 * a full barrier, then looks at the used index again.  With one here
	 * as well, either it sees the index or we see that it wants to know.
	 */
	ring_full_fence();
	if (vq->event_idx)
		p->interrupt = vring_need_event(ring_load16(used_event(vq),
							    __ATOMIC_RELAXED),
						new, old);
	else
		p->interrupt =
			!(ring_load16(&s->avail->flags, __ATOMIC_RELAXED) &
			  VRING_AVAIL_F_NO_INTERRUPT);
}

static int split_publish(struct virtq *vq, bool *interrupt)
{
	struct publish p = { .vq = vq };
	struct inflight_queue *log = vq->setup.inflight;
	int err;

	if (log)
		inflight_split_batch(log, vq->batch_id, vq->nr_batch);
	err = guard_run(write_used, &p);
	if (err)
		return err;
	if (log)
		inflight_split_done(log, vq->batch_id, vq->nr_batch,
				    vq->split.used_idx);
	*interrupt = p.interrupt;
	return 0;
}

static void write_no_kick(void *arg)
{
	struct virtq *vq = arg;

	/* An index that the driver has passed is 65536 requests away. */
	if (vq->event_idx)
		ring_store16(avail_event(vq),
			     (uint16_t)(vq->split.last_avail - 1),
			     __ATOMIC_RELAXED);
	else
		ring_store16(&vq->split.used->flags, VRING_USED_F_NO_NOTIFY,
			     __ATOMIC_RELAXED);
}

static int split_disable_kick(struct virtq *vq)
{
	if (vq->split.no_kick)
		return 0;
	vq->split.no_kick = true;
	return guard_run(write_no_kick, vq);
}

static void write_kick(void *arg)
{
	struct virtq *vq = arg;

	if (vq->event_idx)
		ring_store16(avail_event(vq), vq->split.last_avail,
			     __ATOMIC_RELAXED);
	else
		ring_store16(&vq->split.used->flags, 0, __ATOMIC_RELAXED);
	/*
	 * The driver writes its index, then has a full barrier, then looks
	 * whether we want a kick.  With one here as well, either we see the
	 * index or it kicks.
	 */
	ring_full_fence();
	split_read_avail_idx(vq);
}

static int split_enable_kick(struct virtq *vq)
{
	/* Unfetched requests are known: no need to look. */
	if (vq->split.avail_idx != vq->split.last_avail)
		return 1;
	vq->split.no_kick = false;
	if (guard_run(write_kick, vq))
		return -EFAULT;
	if (vq->split.avail_idx == vq->split.last_avail)
		return 0;
	/* The next pop reads the index again, and checks it. */
	vq->split.avail_idx = vq->split.last_avail;
	return 1;
}

static int split_pending(struct virtq *vq)
{
	struct virtq_split *s = &vq->split;

	if (s->avail_idx == s->last_avail) {
		if (guard_run(split_read_avail_idx, vq))
			return -EFAULT;
		if (s->avail_idx == s->last_avail)
			return 0;
		/* The next pop reads the index again, and checks it. */
		s->avail_idx = s->last_avail;
	}
	return 1;
}

static void split_state(const struct virtq *vq, struct virtq_state *ret)
{
	ret->avail_index = vq->split.last_avail;
}

static void split_wrote(struct virtq *vq)
{
	virtq_wrote(vq, vq->split.used, used_len(vq));
}

const struct virtq_format virtq_split_format = {
	.start = split_start,
	.fetch = split_fetch,
	.publish = split_publish,
	.disable_kick = split_disable_kick,
	.enable_kick = split_enable_kick,
	.pending = split_pending,
	.state = split_state,
	.wrote = split_wrote,
};
