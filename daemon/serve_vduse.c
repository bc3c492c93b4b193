/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Serving through VDUSE: what the device asks for (see struct
 * vduse_owner_ops), in orders to the queue threads.
 */
#include <stddef.h>
#include <string.h>

#include <linux/virtio_blk.h>

#include "daemon/queue.h"
#include "daemon/serve.h"
#include "daemon/shared.h"
#include "lib/endian.h"
#include "lib/log.h"
#include "lib/why.h"
#include "vduse/dev.h"
#include "virtio/blk_dev.h"

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
				 queue_kick_fd(s->queues[index]));
	if (err)
		log_error("queue %u: VDUSE_VQ_SETUP_KICKFD: %s", index,
			  strerror(-err));
	serve_start_queue(s, index, setup);
}

static void owner_start_done(void *owner)
{
	serve_wait(owner);
}

static void owner_stop_queues(void *owner)
{
	struct serve *s = owner;
	unsigned i;

	for (i = 0; i < s->nr_queues; i++)
		serve_stop_queue(s, i);
	serve_wait(s);
}

static struct virtq_state owner_queue_state(void *owner, unsigned index)
{
	struct serve *s = owner;

	return queue_state(s->queues[index]);
}

static void owner_reset(void *owner)
{
	struct serve *s = owner;
	unsigned i;

	for (i = 0; i < s->nr_queues; i++)
		queue_reset(s->queues[i]);
}

static void owner_status(void *owner, uint8_t status, uint64_t features)
{
	serve_note_status(owner, status, features);
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

static int transport_make(struct serve *s, struct loop *loop, int fd)
{
	struct vduse_dev_params params = {
		.fd = fd,
		.nr_queues = s->nr_queues,
		.ops = &owner_ops,
		.owner = s,
	};
	struct vduse_dev *dev;
	int err = vduse_dev_new(&params, loop, &dev);

	if (!err)
		s->dev = dev;
	return err;
}

static void transport_start(struct serve *s)
{
	vduse_dev_start(s->dev,
			(uint8_t)vblk_stat_get(&s->shared->head->status));
}

static void transport_go_on(struct serve *s)
{
	vduse_dev_continue(s->dev);
}

static int transport_set_capacity(struct serve *s, uint64_t nr_sectors)
{
	const le64 capacity = le64_put(nr_sectors);

	return vduse_dev_set_config(
		s->dev, offsetof(struct virtio_blk_config, capacity), &capacity,
		sizeof(capacity));
}

/* To end while the device is in use would hang everybody who uses it. */
static void transport_end(struct serve *s)
{
	if (serve_is_idle(s))
		s->ended(s->arg);
	else
		log_warn("asked to end while the device is in use: going on");
}

static void transport_free(struct serve *s)
{
	vduse_dev_free(s->dev);
}

const struct serve_transport serve_vduse = {
	.make = transport_make,
	.start = transport_start,
	.go_on = transport_go_on,
	.set_capacity = transport_set_capacity,
	.end = transport_end,
	.free = transport_free,
};
