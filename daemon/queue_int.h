/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Between a queue (queue.c) and its thread (queue_thread.c).  Nobody else
 * includes this.
 */
#ifndef DAEMON_QUEUE_INT_H
#define DAEMON_QUEUE_INT_H

#include <stdatomic.h>

#include "daemon/queue.h"
#include "daemon/queue_thread.h"
#include "lib/loop.h"
#include "virtio/inflight.h"

struct queue {
	struct queue_params params;
	struct inflight_queue inflight;
	struct vblk_queue *vblk; /* the thread's, like the loop */
	struct loop *loop;
	struct loop_op wake;
	uint64_t wake_count;
	int order_fd, kick_fd;
	atomic_int order; /* 0: none is being carried out */
	struct virtq_setup setup;
	bool stands; /* it is broken, and is not to start before a reset */
};

/* In the main thread; zeroes before.  0 or -EMFILE, then it is as before. */
int queue_init(struct queue *q, const struct queue_params *params);
void queue_end(struct queue *q);

/* In the thread, before the loop is sealed: 0 or -errno. */
int queue_open(struct queue *q, struct loop *loop);
void queue_close(struct queue *q);

/* In the thread: take orders from here on. */
void queue_take_orders(struct queue *q);

/* The last order to any queue of a thread: its loop ends. */
void queue_end_loop(struct queue *q);

#endif
