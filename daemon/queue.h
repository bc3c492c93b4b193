/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A queue's thread.  It owns a loop and a device queue; the worker's main
 * thread gives it one order at a time and learns of the end through an
 * eventfd.  Nobody waits for anybody.
 */
#ifndef DAEMON_QUEUE_H
#define DAEMON_QUEUE_H

#include <stdint.h>

#include "virtio/transport.h"

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
 * Make the thread and wait until its ring is set up and sealed (which has to
 * be before the sandbox).  0 or -errno.
 */
int queue_thread_new(const struct queue_params *params,
		     struct queue_thread **ret);

/* The eventfd that the driver kicks this queue with, unless it has its own. */
int queue_thread_kick_fd(const struct queue_thread *qt);

/*
 * Orders; the one before is done.  @setup is copied; a kick_fd of -1 and an
 * inflight of NULL become those of the thread.
 */
void queue_thread_start(struct queue_thread *qt,
			const struct virtq_setup *setup);
void queue_thread_stop(struct queue_thread *qt);

/* Whether an order is being carried out. */
bool queue_thread_busy(const struct queue_thread *qt);

/* Whether the queue was started and not stopped; no order is under way. */
bool queue_thread_runs(const struct queue_thread *qt);

/* Where the ring goes on; the queue is stopped. */
struct virtq_state queue_thread_state(const struct queue_thread *qt);

/* The driver reset the device; the queue is stopped. */
void queue_thread_reset(struct queue_thread *qt);

/* End and free the thread; the queue is stopped. */
void queue_thread_free(struct queue_thread *qt);

#endif
