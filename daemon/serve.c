/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The queue threads of a worker: see serve.h.
 */
#include <linux/virtio_config.h>

#include "daemon/queue.h"
#include "daemon/serve.h"
#include "daemon/shared.h"

/* The device goes on when no queue has an order left. */
void serve_on_done(struct serve *s)
{
	unsigned i;

	for (i = 0; i < s->nr_queues; i++)
		if (queue_thread_busy(s->queues[i]))
			return;
	if (s->pending) {
		s->pending = false;
		s->transport->go_on(s);
	}
}

void serve_start_queue(struct serve *s, unsigned index,
		       const struct virtq_setup *setup)
{
	s->runs[index] = true;
	queue_thread_start(s->queues[index], setup);
}

void serve_stop_queue(struct serve *s, unsigned index)
{
	if (s->runs[index])
		queue_thread_stop(s->queues[index]);
	s->runs[index] = false;
}

void serve_wait(struct serve *s)
{
	s->pending = true;
	serve_on_done(s);
}

void serve_note_status(struct serve *s, uint8_t status, uint64_t features)
{
	struct shared_head *head = s->shared->head;

	vblk_stat_set(&head->features, features);
	vblk_stat_set(&head->status, status);
	vblk_stat_set(&head->broken, 0);
	if (status & VIRTIO_CONFIG_S_DRIVER_OK)
		s->running(s->arg);
}

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

bool serve_is_idle(const struct serve *s)
{
	unsigned i;

	for (i = 0; i < s->nr_queues; i++)
		/* One that drains or starts is not idle either. */
		if (s->runs[i] || queue_thread_busy(s->queues[i]))
			return false;
	return true;
}

void serve_free(struct serve *s)
{
	unsigned i;

	for (i = 0; i < s->nr_queues; i++)
		queue_thread_free(s->queues[i]);
	s->transport->free(s);
}
