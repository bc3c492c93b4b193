/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Serving through vhost-user: what the device asks for (see struct
 * vhost_owner_ops), in orders to the queue threads.
 */
#include "daemon/queue.h"
#include "daemon/serve.h"
#include "vhost-user/dev.h"
#include "virtio/transport.h"

static void owner_start_queue(void *owner, unsigned index,
			      const struct virtq_setup *setup)
{
	serve_start_queue(owner, index, setup);
}

static void owner_stop_queue(void *owner, unsigned index)
{
	serve_stop_queue(owner, index);
}

static void owner_wait(void *owner)
{
	serve_wait(owner);
}

static void owner_reset_queue(void *owner, unsigned index)
{
	struct serve *s = owner;

	queue_reset(s->queues[index]);
}

static bool owner_queue_runs(void *owner, unsigned index)
{
	struct serve *s = owner;

	s->runs[index] = queue_runs(s->queues[index]);
	return s->runs[index];
}

static struct virtq_state owner_queue_state(void *owner, unsigned index)
{
	struct serve *s = owner;

	return queue_state(s->queues[index]);
}

static void owner_status(void *owner, uint8_t status, uint64_t features)
{
	serve_note_status(owner, status, features);
}

static void owner_ended(void *owner)
{
	struct serve *s = owner;

	s->ended(s->arg);
}

static const struct vhost_owner_ops owner_ops = {
	.start_queue = owner_start_queue,
	.stop_queue = owner_stop_queue,
	.wait = owner_wait,
	.reset_queue = owner_reset_queue,
	.queue_runs = owner_queue_runs,
	.queue_state = owner_queue_state,
	.status = owner_status,
	.ended = owner_ended,
};

static int transport_make(struct serve *s, struct loop *loop, int fd)
{
	struct vhost_dev_params params = {
		.listen_fd = fd,
		.nr_queues = s->nr_queues,
		.vblk = s->vblk,
		.ops = &owner_ops,
		.owner = s,
	};
	struct vhost_dev *dev;
	int err = vhost_dev_new(&params, loop, &dev);

	if (!err)
		s->dev = dev;
	return err;
}

/* A worker that died took the connection with it: there is nothing to resume. */
static void transport_start(struct serve *s)
{
	vhost_dev_start(s->dev);
}

static void transport_go_on(struct serve *s)
{
	vhost_dev_continue(s->dev);
}

/* The device reads the capacity of its disk. */
static int transport_set_capacity(struct serve *s, uint64_t nr_sectors)
{
	vhost_dev_config_changed(s->dev);
	return 0;
}

/* The front end sees it go, and may come back to another server. */
static void transport_end(struct serve *s)
{
	vhost_dev_end(s->dev);
}

static void transport_free(struct serve *s)
{
	vhost_dev_free(s->dev);
}

const struct serve_transport serve_vhost = {
	.make = transport_make,
	.start = transport_start,
	.go_on = transport_go_on,
	.set_capacity = transport_set_capacity,
	.end = transport_end,
	.free = transport_free,
};
