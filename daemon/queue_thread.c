/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The threads of queues: see queue_thread.h.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/queue_int.h"
#include "lib/log.h"

#define LOOP_ENTRIES 256

struct queue_thread {
	struct loop *loop;
	pthread_t thread;
	sem_t ready;
	int ready_err;
	unsigned nr;
	struct queue queues[];
};

static void close_queues(struct queue_thread *qt, unsigned nr)
{
	while (nr)
		queue_close(&qt->queues[--nr]);
}

static int set_up(struct queue_thread *qt)
{
	unsigned i;
	int err;

	err = loop_new(LOOP_ENTRIES, &qt->loop);
	if (err)
		return err;
	for (i = 0; i < qt->nr; i++) {
		err = queue_open(&qt->queues[i], qt->loop);
		if (err)
			goto close_queues;
	}
	err = loop_seal(qt->loop);
	if (err)
		goto close_queues;
	return 0;
close_queues:
	close_queues(qt, i);
	loop_free(qt->loop);
	return err;
}

static void *thread_main(void *arg)
{
	struct queue_thread *qt = arg;
	unsigned i;
	int err;

	qt->ready_err = set_up(qt);
	err = qt->ready_err;
	sem_post(&qt->ready);
	if (err)
		return NULL;
	for (i = 0; i < qt->nr; i++)
		queue_take_orders(&qt->queues[i]);
	err = loop_run(qt->loop);
	if (err) {
		/* The ring is gone: the successor has to take over. */
		log_error("queue %u: io_uring: %s", qt->queues[0].params.index,
			  strerror(-err));
		_exit(1);
	}
	close_queues(qt, qt->nr);
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

static void free_thread(struct queue_thread *qt)
{
	while (qt->nr)
		queue_end(&qt->queues[--qt->nr]);
	sem_destroy(&qt->ready);
	free(qt);
}

int queue_thread_new(const struct queue_params params[], unsigned nr,
		     struct queue_thread **ret, struct queue *ret_queues[])
{
	struct queue_thread *qt;
	int err = 0;
	unsigned i;

	qt = calloc(1, sizeof(*qt) + nr * sizeof(qt->queues[0]));
	if (!qt)
		return -ENOMEM;
	sem_init(&qt->ready, 0, 0);
	for (; !err && qt->nr < nr; qt->nr += !err)
		err = queue_init(&qt->queues[qt->nr], &params[qt->nr]);
	if (!err)
		err = start_thread(qt);
	if (err) {
		free_thread(qt);
		return err;
	}
	for (i = 0; i < nr; i++)
		ret_queues[i] = &qt->queues[i];
	*ret = qt;
	return 0;
}

void queue_thread_free(struct queue_thread *qt)
{
	if (!qt)
		return;
	queue_end_loop(&qt->queues[0]);
	pthread_join(qt->thread, NULL);
	free_thread(qt);
}
