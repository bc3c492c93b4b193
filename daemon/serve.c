/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The queue threads of a worker: see serve.h.
 */
#include <linux/virtio_config.h>
#include <sched.h>

#include "daemon/queue.h"
#include "daemon/queue_thread.h"
#include "daemon/serve.h"
#include "daemon/shared.h"

/* The device goes on when no queue has an order left. */
void serve_on_done(struct serve *s)
{
	unsigned i;

	for (i = 0; i < s->nr_queues; i++)
		if (queue_busy(s->queues[i]))
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
	queue_start(s->queues[index], setup);
}

void serve_stop_queue(struct serve *s, unsigned index)
{
	if (s->runs[index])
		queue_stop(s->queues[index]);
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

/*
 * Two threads on one CPU would only take turns, each with half of what could
 * be done at once.
 */
static unsigned count_threads(const struct serve *s)
{
	unsigned nr = s->nr_queues;
	cpu_set_t cpus;

	if (!sched_getaffinity(0, sizeof(cpus), &cpus) &&
	    (unsigned)CPU_COUNT(&cpus) < nr)
		nr = (unsigned)CPU_COUNT(&cpus);
	return nr;
}

/* Every @of-th queue, from @first on. */
static int make_thread(struct serve *s, unsigned first, unsigned of,
		       int done_fd)
{
	struct queue_params params[VOLUME_MAX_QUEUES] = { 0 };
	struct queue *queues[VOLUME_MAX_QUEUES];
	unsigned i, nr = 0;
	int err;

	for (i = first; i < s->nr_queues; i += of)
		params[nr++] = (struct queue_params){
			.vblk = s->vblk,
			.index = i,
			.stats = &s->shared->stats[i],
			.inflight = shared_inflight(s->shared, i),
			.done_fd = done_fd,
		};
	err = queue_thread_new(params, nr, &s->threads[first], queues);
	if (err)
		return err;
	for (i = 0; i < nr; i++)
		s->queues[first + i * of] = queues[i];
	return 0;
}

int serve_make_queues(struct serve *s, int done_fd)
{
	unsigned nr = count_threads(s);
	int err = 0;

	for (; !err && s->nr_threads < nr; s->nr_threads += !err)
		err = make_thread(s, s->nr_threads, nr, done_fd);
	return err;
}

bool serve_is_idle(const struct serve *s)
{
	unsigned i;

	for (i = 0; i < s->nr_queues; i++)
		/* One that drains or starts is not idle either. */
		if (s->runs[i] || queue_busy(s->queues[i]))
			return false;
	return true;
}

void serve_free(struct serve *s)
{
	unsigned i;

	for (i = 0; i < s->nr_threads; i++)
		queue_thread_free(s->threads[i]);
	s->transport->free(s);
}
