/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A queue's thread: see queue.h.
 */
#include <errno.h>
#include <liburing.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/queue.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/why.h"
#include "virtio/blk_dev.h"
#include "virtio/inflight.h"

#define LOOP_ENTRIES 256

enum order {
	ORDER_NONE,
	ORDER_START,
	ORDER_STOP,
	ORDER_EXIT
};

struct queue_thread {
	struct queue_params params;
	struct inflight_queue inflight;
	struct vblk_queue *queue;
	struct loop *loop;
	struct loop_op wake;
	uint64_t wake_count;
	pthread_t thread;
	int order_fd, kick_fd;
	atomic_int order; /* not ORDER_NONE: being carried out */
	struct virtq_setup setup;
	bool stands; /* it is broken, and is not to start before a reset */
	sem_t ready;
	int ready_err;
};

static void wait_order(struct queue_thread *qt)
{
	io_uring_prep_read(loop_sqe(qt->loop, &qt->wake), qt->order_fd,
			   &qt->wake_count, sizeof(qt->wake_count), 0);
}

static void order_done(void *arg)
{
	struct queue_thread *qt = arg;

	atomic_store_explicit(&qt->order, ORDER_NONE, memory_order_release);
	eventfd_write(qt->params.done_fd, 1);
}

static void stopped(void *arg)
{
	struct queue_thread *qt = arg;

	qt->stands = vblk_stat_get(&qt->params.stats->broken);
	order_done(qt);
}

/*
 * A queue that cannot start stands still like one that broke, and so does one
 * that broke before a pause.
 */
static void start(struct queue_thread *qt)
{
	struct vblk_stats *stats = qt->params.stats;
	struct why why = { "" };

	if (!qt->stands && vblk_queue_start(qt->queue, &qt->setup, &why)) {
		log_error("queue %u cannot start: %s", qt->params.index,
			  why.text);
		snprintf(stats->reason, sizeof(stats->reason), "%.*s",
			 VBLK_REASON_MAX - 1, why.text);
		vblk_stat_set(&stats->broken, 1);
		qt->stands = true;
	}
	order_done(qt);
}

static void on_order(struct loop_op *op, int res)
{
	struct queue_thread *qt =
		(struct queue_thread *)((char *)op -
					offsetof(struct queue_thread, wake));

	switch (atomic_load_explicit(&qt->order, memory_order_acquire)) {
	case ORDER_START:
		start(qt);
		break;
	case ORDER_STOP:
		vblk_queue_stop(qt->queue, stopped, qt);
		break;
	case ORDER_EXIT:
		loop_stop(qt->loop);
		return;
	}
	wait_order(qt);
}

static int set_up(struct queue_thread *qt)
{
	int err;

	err = loop_new(LOOP_ENTRIES, &qt->loop);
	if (err)
		return err;
	err = vblk_queue_new(qt->params.vblk, qt->params.index, qt->loop,
			     qt->params.stats, &qt->queue);
	if (err)
		goto free_loop;
	err = loop_seal(qt->loop);
	if (err)
		goto free_queue;
	vblk_stat_set(&qt->params.stats->registered,
		      loop_has_any_memory(qt->loop));
	return 0;
free_queue:
	vblk_queue_free(qt->queue);
free_loop:
	loop_free(qt->loop);
	return err;
}

static void *thread_main(void *arg)
{
	struct queue_thread *qt = arg;
	int err;

	qt->ready_err = set_up(qt);
	err = qt->ready_err;
	sem_post(&qt->ready);
	if (err)
		return NULL;
	wait_order(qt);
	err = loop_run(qt->loop);
	if (err) {
		/* The ring is gone: the successor has to take over. */
		log_error("queue %u: io_uring: %s", qt->params.index,
			  strerror(-err));
		_exit(1);
	}
	vblk_queue_free(qt->queue);
	loop_free(qt->loop);
	return NULL;
}

static int start_thread(struct queue_thread *qt)
{
	int err;

	err = -pthread_create(&qt->thread, NULL, thread_main, qt);
	if (err)
		return err;
	while (sem_wait(&qt->ready))
		;
	if (qt->ready_err)
		pthread_join(qt->thread, NULL);
	return qt->ready_err;
}

int queue_thread_new(const struct queue_params *params,
		     struct queue_thread **ret)
{
	struct queue_thread *qt = calloc(1, sizeof(*qt));
	int err;

	if (!qt)
		return -ENOMEM;
	qt->params = *params;
	inflight_queue_init(&qt->inflight, params->inflight,
			    vblk_queue_size(params->vblk));
	qt->wake.done = on_order;
	atomic_init(&qt->order, ORDER_NONE);
	sem_init(&qt->ready, 0, 0);
	qt->order_fd = eventfd(0, EFD_CLOEXEC);
	qt->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = qt->order_fd < 0 || qt->kick_fd < 0 ? -EMFILE : start_thread(qt);
	if (err) {
		close(qt->order_fd);
		close(qt->kick_fd);
		sem_destroy(&qt->ready);
		free(qt);
		return err;
	}
	*ret = qt;
	return 0;
}

int queue_thread_kick_fd(const struct queue_thread *qt)
{
	return qt->kick_fd;
}

static void give_order(struct queue_thread *qt, enum order order)
{
	atomic_store_explicit(&qt->order, order, memory_order_release);
	eventfd_write(qt->order_fd, 1);
}

void queue_thread_start(struct queue_thread *qt,
			const struct virtq_setup *setup)
{
	qt->setup = *setup;
	if (qt->setup.kick_fd < 0)
		qt->setup.kick_fd = qt->kick_fd;
	if (!qt->setup.inflight)
		qt->setup.inflight = &qt->inflight;
	give_order(qt, ORDER_START);
}

void queue_thread_stop(struct queue_thread *qt)
{
	give_order(qt, ORDER_STOP);
}

bool queue_thread_busy(const struct queue_thread *qt)
{
	return atomic_load_explicit(&qt->order, memory_order_acquire) !=
	       ORDER_NONE;
}

bool queue_thread_runs(const struct queue_thread *qt)
{
	return vblk_queue_runs(qt->queue);
}

struct virtq_state queue_thread_state(const struct queue_thread *qt)
{
	return vblk_queue_state(qt->queue);
}

void queue_thread_reset(struct queue_thread *qt)
{
	inflight_queue_reset(&qt->inflight);
	qt->stands = false;
}

void queue_thread_free(struct queue_thread *qt)
{
	if (!qt)
		return;
	give_order(qt, ORDER_EXIT);
	pthread_join(qt->thread, NULL);
	close(qt->order_fd);
	close(qt->kick_fd);
	sem_destroy(&qt->ready);
	free(qt);
}
