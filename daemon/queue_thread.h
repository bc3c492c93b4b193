/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A thread that serves queues, with one loop for all of them.  What a queue is
 * told to do is in queue.h.
 */
#ifndef DAEMON_QUEUE_THREAD_H
#define DAEMON_QUEUE_THREAD_H

#include <stdint.h>

struct queue;
struct queue_thread;
struct vblk;
struct vblk_stats;

struct queue_params {
	struct vblk *vblk;
	unsigned index;
	struct vblk_stats *stats;
	void *inflight; /* the queue's log, as inflight_queue_init wants it */
	int done_fd;	/* eventfd, written after every order */
};

/*
 * Make a thread with the @nr queues of @params, which is copied, and wait
 * until its ring is set up and sealed (which has to be before the sandbox).
 * 0 with the queues, which are the thread's, in @ret_queues; or -errno.
 */
int queue_thread_new(const struct queue_params params[], unsigned nr,
		     struct queue_thread **ret, struct queue *ret_queues[]);

/* End the thread; its queues are stopped.  NULL is allowed. */
void queue_thread_free(struct queue_thread *qt);

#endif
