/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The VDUSE device of a worker with its queue threads: see serve.h.
 */
#include <stddef.h>
#include <string.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>

#include "daemon/queue.h"
#include "daemon/serve.h"
#include "daemon/shared.h"
#include "lib/endian.h"
#include "lib/log.h"
#include "lib/why.h"
#include "vduse/dev.h"
#include "virtio/blk_dev.h"

/* The device goes on when no queue has an order left. */
void serve_on_done(struct serve *s)
{
	unsigned i;

	for (i = 0; i < s->nr_queues; i++)
		if (queue_thread_busy(s->queues[i]))
			return;
	if (s->pending) {
		s->pending = false;
		vduse_dev_continue(s->dev);
	}
}

static int owner_check_features(void *owner, uint64_t features, struct why *why)
{
	struct serve *s = owner;

	return vblk_check_features(s->vblk, features, why);
}

static void owner_start_queue(void *owner, unsigned index,
			      const struct virtq_setup *setup)
{
	struct serve *s = owner;
	int err;

	/*
	 * A kick that came before is not lost: the queue looks at its ring
	 * when it starts, after this.
	 */
	err = vduse_dev_set_kick(s->dev, index,
				 queue_thread_kick_fd(s->queues[index]));
	if (err)
		log_error("queue %u: VDUSE_VQ_SETUP_KICKFD: %s", index,
			  strerror(-err));
	s->runs[index] = true;
	queue_thread_start(s->queues[index], setup);
}

static void owner_start_done(void *owner)
{
	struct serve *s = owner;

	s->pending = true;
	serve_on_done(s);
}

static void owner_stop_queues(void *owner)
{
	struct serve *s = owner;
	unsigned i;

	for (i = 0; i < s->nr_queues; i++) {
		if (s->runs[i])
			queue_thread_stop(s->queues[i]);
		s->runs[i] = false;
	}
	s->pending = true;
	serve_on_done(s);
}

static struct virtq_state owner_queue_state(void *owner, unsigned index)
{
	struct serve *s = owner;

	return queue_thread_state(s->queues[index]);
}

static void owner_reset(void *owner)
{
	struct serve *s = owner;
	unsigned i;

	for (i = 0; i < s->nr_queues; i++)
		queue_thread_reset(s->queues[i]);
}

static void owner_status(void *owner, uint8_t status, uint64_t features)
{
	struct serve *s = owner;
	struct shared_head *head = s->shared->head;

	vblk_stat_set(&head->features, features);
	vblk_stat_set(&head->status, status);
	vblk_stat_set(&head->broken, 0);
	if (status & VIRTIO_CONFIG_S_DRIVER_OK)
		s->running(s->arg);
}

static void owner_broken(void *owner, const char *reason)
{
	struct serve *s = owner;

	log_error("requests are not served: %s", reason);
	vblk_stat_set(&s->shared->head->broken, 1);
}

static const struct vduse_owner_ops owner_ops = {
	.check_features = owner_check_features,
	.start_queue = owner_start_queue,
	.start_done = owner_start_done,
	.stop_queues = owner_stop_queues,
	.queue_state = owner_queue_state,
	.reset = owner_reset,
	.status = owner_status,
	.broken = owner_broken,
};

int serve_make_queues(struct serve *s, int done_fd)
{
	struct queue_params params = {
		.vblk = s->vblk,
		.done_fd = done_fd,
	};
	int err = 0;
	unsigned i;

	for (i = 0; !err && i < s->nr_queues; i++) {
		params.index = i;
		params.stats = &s->shared->stats[i];
		params.inflight = shared_inflight(s->shared, i);
		err = queue_thread_new(&params, &s->queues[i]);
	}
	return err;
}

int serve_make_device(struct serve *s, struct loop *loop, int vduse_fd)
{
	struct vduse_dev_params params = {
		.fd = vduse_fd,
		.nr_queues = s->nr_queues,
		.ops = &owner_ops,
		.owner = s,
	};

	return vduse_dev_new(&params, loop, &s->dev);
}

void serve_start(struct serve *s)
{
	vduse_dev_start(s->dev,
			(uint8_t)vblk_stat_get(&s->shared->head->status));
}

bool serve_is_idle(const struct serve *s)
{
	unsigned i;

	for (i = 0; i < s->nr_queues; i++)
		/* One that drains or starts is not idle either. */
		if (s->runs[i] || queue_thread_busy(s->queues[i]))
			return false;
	return true;
}

int serve_set_capacity(struct serve *s, uint64_t nr_sectors)
{
	const le64 capacity = le64_put(nr_sectors);

	return vduse_dev_set_config(
		s->dev, offsetof(struct virtio_blk_config, capacity), &capacity,
		sizeof(capacity));
}

void serve_free(struct serve *s)
{
	unsigned i;

	for (i = 0; i < s->nr_queues; i++)
		queue_thread_free(s->queues[i]);
	vduse_dev_free(s->dev);
}
