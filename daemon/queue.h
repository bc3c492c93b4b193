/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A queue that a thread serves (queue_thread.h).  The worker's main thread
 * gives it one order at a time and learns of the end through an eventfd.
 * Nobody waits for anybody.
 */
#ifndef DAEMON_QUEUE_H
#define DAEMON_QUEUE_H

#include <stdbool.h>

#include "virtio/transport.h"

struct queue;

/* The eventfd that the driver kicks this queue with, unless it has its own. */
int queue_kick_fd(const struct queue *q);

/*
 * Orders; the one before is done.  @setup is copied; a kick_fd of -1 and an
 * inflight of NULL become those of the queue.
 */
void queue_start(struct queue *q, const struct virtq_setup *setup);
void queue_stop(struct queue *q);

/* Whether an order is being carried out. */
bool queue_busy(const struct queue *q);

/* Whether the queue was started and not stopped; no order is under way. */
bool queue_runs(const struct queue *q);

/* Where the ring goes on; the queue is stopped. */
struct virtq_state queue_state(const struct queue *q);

/* The driver reset the device; the queue is stopped. */
void queue_reset(struct queue *q);

#endif
