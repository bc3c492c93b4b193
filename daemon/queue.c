/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A queue and its orders: see queue.h.
 */
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/queue_int.h"
#include "lib/log.h"
#include "lib/why.h"
#include "virtio/blk_dev.h"

enum order {
	ORDER_NONE,
	ORDER_START,
	ORDER_STOP,
	ORDER_END_LOOP
};

void queue_take_orders(struct queue *q)
{
	io_uring_prep_read(loop_sqe(q->loop, &q->wake), q->order_fd,
			   &q->wake_count, sizeof(q->wake_count), 0);
}

static void order_done(void *arg)
{
	struct queue *q = arg;

	atomic_store_explicit(&q->order, ORDER_NONE, memory_order_release);
	eventfd_write(q->params.done_fd, 1);
}

static void stopped(void *arg)
{
	struct queue *q = arg;

	q->stands = vblk_stat_get(&q->params.stats->broken);
	order_done(q);
}

/*
 * A queue that cannot start stands still like one that broke, and so does one
 * that broke before a pause.
 */
static void start(struct queue *q)
{
	struct vblk_stats *stats = q->params.stats;
	struct why why = { "" };

	if (!q->stands && vblk_queue_start(q->vblk, &q->setup, &why)) {
		log_error("queue %u cannot start: %s", q->params.index,
			  why.text);
		snprintf(stats->reason, sizeof(stats->reason), "%.*s",
			 VBLK_REASON_MAX - 1, why.text);
		vblk_stat_set(&stats->broken, 1);
		q->stands = true;
	}
	order_done(q);
}

static void on_order(struct loop_op *op, int res)
{
	struct queue *q =
		(struct queue *)((char *)op - offsetof(struct queue, wake));

	switch (atomic_load_explicit(&q->order, memory_order_acquire)) {
	case ORDER_START:
		start(q);
		break;
	case ORDER_STOP:
		vblk_queue_stop(q->vblk, stopped, q);
		break;
	case ORDER_END_LOOP:
		loop_stop(q->loop);
		return;
	}
	queue_take_orders(q);
}

int queue_init(struct queue *q, const struct queue_params *params)
{
	q->params = *params;
	inflight_queue_init(&q->inflight, params->inflight,
			    vblk_queue_size(params->vblk));
	q->wake.done = on_order;
	atomic_init(&q->order, ORDER_NONE);
	q->order_fd = eventfd(0, EFD_CLOEXEC);
	q->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->order_fd >= 0 && q->kick_fd >= 0)
		return 0;
	queue_end(q);
	return -EMFILE;
}

void queue_end(struct queue *q)
{
	close(q->order_fd);
	close(q->kick_fd);
}

int queue_open(struct queue *q, struct loop *loop)
{
	int err = vblk_queue_new(q->params.vblk, q->params.index, loop,
				 q->params.stats, &q->vblk);

	q->loop = loop;
	/* The queues of a loop have their buffers together. */
	vblk_stat_set(&q->params.stats->registered, loop_has_memory(loop));
	return err;
}

void queue_close(struct queue *q)
{
	vblk_queue_free(q->vblk);
}

int queue_kick_fd(const struct queue *q)
{
	return q->kick_fd;
}

static void give_order(struct queue *q, enum order order)
{
	atomic_store_explicit(&q->order, order, memory_order_release);
	eventfd_write(q->order_fd, 1);
}

void queue_start(struct queue *q, const struct virtq_setup *setup)
{
	q->setup = *setup;
	if (q->setup.kick_fd < 0)
		q->setup.kick_fd = q->kick_fd;
	if (!q->setup.inflight)
		q->setup.inflight = &q->inflight;
	give_order(q, ORDER_START);
}

void queue_stop(struct queue *q)
{
	give_order(q, ORDER_STOP);
}

void queue_end_loop(struct queue *q)
{
	give_order(q, ORDER_END_LOOP);
}

bool queue_busy(const struct queue *q)
{
	return atomic_load_explicit(&q->order, memory_order_acquire) !=
	       ORDER_NONE;
}

bool queue_runs(const struct queue *q)
{
	return vblk_queue_runs(q->vblk);
}

struct virtq_state queue_state(const struct queue *q)
{
	return vblk_queue_state(q->vblk);
}

void queue_reset(struct queue *q)
{
	inflight_queue_reset(&q->inflight);
	q->stands = false;
}
