/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The messages about rings, and starting and stopping them.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/why.h"
#include "vhost-user/dev_int.h"
#include "vhost-user/fd.h"
#include "vhost-user/requests.h"
#include "virtio/blk_dev.h"

static int find_ring(struct vhost_dev *dev, uint32_t index,
		     struct vhost_ring **ret, struct why *why)
{
	if (index >= dev->params.nr_queues) {
		why_set(why, 0, "there is no ring %u", index);
		return -EPROTO;
	}
	*ret = &dev->rings[index];
	return 0;
}

/* A ring whose place or size is about to change. */
static int find_idle(struct vhost_dev *dev, uint32_t index,
		     struct vhost_ring **ret, struct why *why)
{
	int err = find_ring(dev, index, ret, why);

	if (!err && (*ret)->runs)
		return why_set(why, -EPROTO, "ring %u runs", index);
	return err;
}

bool vhost_any_runs(const struct vhost_dev *dev)
{
	unsigned i;

	for (i = 0; i < dev->params.nr_queues; i++)
		if (dev->rings[i].runs)
			return true;
	return false;
}

/* The queues that were begun run now, or they could not be started. */
int vhost_check_started(struct vhost_dev *dev, struct why *why)
{
	int err = 0;
	unsigned i;

	for (i = 0; i < dev->params.nr_queues; i++) {
		struct vhost_ring *r = &dev->rings[i];

		if (!r->runs ||
		    dev->params.ops->queue_runs(dev->params.owner, i))
			continue;
		r->runs = false;
		vhost_ring_set_kick(r, -1);
		err = why_set(why, -EINVAL, "ring %u cannot be started", i);
	}
	vhost_tell_status(dev);
	return err;
}

int vhost_begin_start(struct vhost_dev *dev, struct vhost_ring *r,
		      struct why *why)
{
	struct virtq_setup setup;
	int err;

	err = vhost_ring_setup(r, dev->features, &dev->log_mem, &setup, why);
	if (err) {
		vhost_ring_set_kick(r, -1);
		return err;
	}
	r->runs = true;
	dev->params.ops->start_queue(dev->params.owner, r->index, &setup);
	return 0;
}

/* Start the ring if all has been said, stop it if it is not wanted. */
static int follow(struct vhost_dev *dev, struct vhost_ring *r,
		  int (*stopped)(struct vhost_dev *dev, struct why *why),
		  struct why *why)
{
	bool wanted = vhost_ring_wanted(r, dev->features);
	int err;

	if (wanted == r->runs)
		return 0;
	if (!wanted) {
		vhost_stop(dev, r);
		dev->then = stopped;
		return VHOST_WAIT;
	}
	err = vhost_begin_start(dev, r, why);
	if (err)
		return err;
	dev->then = vhost_check_started;
	return VHOST_WAIT;
}

void vhost_note_stopped(struct vhost_dev *dev, struct vhost_ring *r)
{
	struct virtq_state state;

	if (!r->runs)
		return;
	state = dev->params.ops->queue_state(dev->params.owner, r->index);
	r->runs = false;
	vhost_ring_keep_state(r, dev->features, &state);
}

/*
 * The queues that were paused go on, with the memory that there is now: all
 * of them, or none.
 */
static int resume(struct vhost_dev *dev, struct why *why)
{
	struct vhost_ring *r, *end = dev->rings + dev->params.nr_queues;
	struct virtq_setup setup;

	for (r = dev->rings; r < end; r++)
		if (r->paused && vhost_ring_setup(r, dev->features,
						  &dev->log_mem, &setup, why))
			return -EPROTO;
	for (r = dev->rings; r < end; r++) {
		if (r->paused)
			vhost_begin_start(dev, r, why);
		r->paused = false;
	}
	dev->then = vhost_check_started;
	return VHOST_WAIT;
}

static int paused(struct vhost_dev *dev, struct why *why)
{
	unsigned i;
	int err;

	for (i = 0; i < dev->params.nr_queues; i++) {
		struct vhost_ring *r = &dev->rings[i];

		r->paused = r->runs;
		vhost_note_stopped(dev, r);
	}
	err = dev->change(dev, why);
	return err ? err : resume(dev, why);
}

int vhost_pause(struct vhost_dev *dev,
		int (*change)(struct vhost_dev *dev, struct why *why),
		struct why *why)
{
	if (!vhost_stop_all(dev))
		return change(dev, why);
	dev->change = change;
	dev->then = paused;
	return VHOST_WAIT;
}

int vhost_set_vring_num(struct vhost_dev *dev, struct why *why)
{
	const struct vhost_vring_state *s = &vhost_payload(dev)->state;
	unsigned max = vblk_queue_size(dev->params.vblk);
	struct vhost_ring *r;
	int err = find_idle(dev, s->index, &r, why);

	if (err)
		return err;
	if (!s->num || s->num > max)
		return why_set(why, -EINVAL, "ring %u of %u entries (1 to %u)",
			       s->index, s->num, max);
	r->num = s->num;
	return 0;
}

int vhost_set_vring_addr(struct vhost_dev *dev, struct why *why)
{
	const struct vhost_vring_addr *a = &vhost_payload(dev)->addr;
	struct vhost_ring *r;
	int err = find_ring(dev, a->index, &r, why);

	if (err)
		return err;
	if (a->flags & ~VHOST_VRING_F_LOG)
		return why_set(why, -EPROTO,
			       "ring %u: flags %#x of its addresses", a->index,
			       a->flags);
	/* One that runs is told of the log only: see VHOST_F_LOG_ALL. */
	if (r->runs && (r->addr.desc != a->desc || r->addr.used != a->used ||
			r->addr.avail != a->avail))
		return why_set(why, -EPROTO, "ring %u runs", a->index);
	r->addr = *a;
	r->has_addr = true;
	return 0;
}

int vhost_set_vring_base(struct vhost_dev *dev, struct why *why)
{
	const struct vhost_vring_state *s = &vhost_payload(dev)->state;
	struct vhost_ring *r;
	int err = find_idle(dev, s->index, &r, why);

	if (err)
		return err;
	r->base = s->num;
	return 0;
}

/* Its log is empty now, and need not be what the next start goes by. */
static int base_known(struct vhost_dev *dev, struct why *why)
{
	struct vhost_vring_state s = vhost_payload(dev)->state;
	struct vhost_ring *r = &dev->rings[s.index];

	if (r->runs) {
		vhost_note_stopped(dev, r);
		inflight_queue_reset(&r->log);
	}
	vhost_ring_set_kick(r, -1);
	vhost_tell_status(dev);
	s.num = vhost_ring_base(r, dev->features);
	return vhost_reply(dev, &s, sizeof(s), why);
}

int vhost_get_vring_base(struct vhost_dev *dev, struct why *why)
{
	struct vhost_ring *r;
	int err = find_ring(dev, vhost_payload(dev)->state.index, &r, why);

	if (err)
		return err;
	if (!r->runs)
		return base_known(dev, why);
	vhost_stop(dev, r);
	dev->then = base_known;
	return VHOST_WAIT;
}

/* The ring that SET_VRING_KICK, CALL or ERR is for, and what came with it. */
static int take_event(struct vhost_dev *dev, struct vhost_ring **ret,
		      int *ret_fd, struct why *why)
{
	const struct vhost_msg *msg = &dev->conn.msg;
	uint64_t value = vhost_payload(dev)->u64;
	unsigned want = value & VHOST_VRING_NOFD ? 0 : 1;
	int err;

	err = find_ring(dev, value & VHOST_VRING_INDEX_MASK, ret, why);
	if (err)
		return err;
	if (value & ~(uint64_t)(VHOST_VRING_INDEX_MASK | VHOST_VRING_NOFD) ||
	    msg->nr_fds != want)
		return why_set(why, -EPROTO,
			       "ring %u: %#llx with %u descriptors",
			       (*ret)->index, (unsigned long long)value,
			       msg->nr_fds);
	if (want && !vhost_fd_is_event(msg->fds[0]))
		return why_set(why, -EPROTO, "ring %u: what is no eventfd",
			       (*ret)->index);
	*ret_fd = want ? vhost_conn_take(&dev->conn, 0) : -1;
	return 0;
}

static int disabled(struct vhost_dev *dev, struct why *why)
{
	struct vhost_ring *r = &dev->rings[vhost_payload(dev)->state.index];

	vhost_note_stopped(dev, r);
	vhost_tell_status(dev);
	return 0;
}

int vhost_set_vring_kick(struct vhost_dev *dev, struct why *why)
{
	struct vhost_ring *r;
	int fd, err;

	err = take_event(dev, &r, &fd, why);
	if (err)
		return err;
	if (r->runs) {
		if (fd >= 0)
			close(fd);
		return why_set(why, -EPROTO, "ring %u runs", r->index);
	}
	if (fd < 0)
		fd = vhost_fd_ticks();
	if (fd < 0)
		return why_set(why, fd, "no timer: %s", strerror(-fd));
	vhost_ring_set_kick(r, fd);
	dev->params.ops->reset_queue(dev->params.owner, r->index);
	return follow(dev, r, disabled, why);
}

int vhost_set_vring_call(struct vhost_dev *dev, struct why *why)
{
	struct vhost_ring *r;
	int fd, err;

	err = take_event(dev, &r, &fd, why);
	if (!err)
		vhost_ring_set_call(r, fd);
	return err;
}

int vhost_set_vring_err(struct vhost_dev *dev, struct why *why)
{
	struct vhost_ring *r;
	int fd, err;

	err = take_event(dev, &r, &fd, why);
	if (!err)
		vhost_ring_set_err(r, fd);
	return err;
}

int vhost_set_vring_enable(struct vhost_dev *dev, struct why *why)
{
	const struct vhost_vring_state *s = &vhost_payload(dev)->state;
	struct vhost_ring *r;
	int err = find_ring(dev, s->index, &r, why);

	if (err)
		return err;
	if (s->num > 1)
		return why_set(why, -EPROTO, "ring %u is enabled with %u",
			       s->index, s->num);
	r->enabled = s->num ? VHOST_ENABLED : VHOST_DISABLED;
	return follow(dev, r, disabled, why);
}
