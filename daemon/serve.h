/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The queue threads of a worker and the transport that drives them: what the
 * transport asks for is ordered of the queues, and it goes on when they are
 * done.
 *
 * All of this is for the worker's main thread, which waits for nothing.
 */
#ifndef DAEMON_SERVE_H
#define DAEMON_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/volume.h"

struct loop;
struct queue;
struct queue_thread;
struct serve;
struct shared;
struct vblk;
struct virtq_setup;

/* How a transport is driven; all are required. */
struct serve_transport {
	/* Make the device of @fd, in @loop. */
	int (*make)(struct serve *serve, struct loop *loop, int fd);
	/* Begin to answer, as another worker left it. */
	void (*start)(struct serve *serve);
	/* What the queues were asked for is done. */
	void (*go_on)(struct serve *serve);
	/* Publish a new configuration space; 0 or -errno. */
	int (*set_capacity)(struct serve *serve, uint64_t nr_sectors);
	/* The worker is to end: call serve->ended when it can. */
	void (*end)(struct serve *serve);
	/* No queue runs; the device may be NULL. */
	void (*free)(struct serve *serve);
};

extern const struct serve_transport serve_vduse;
extern const struct serve_transport serve_vhost;

struct serve {
	const struct serve_transport *transport;
	unsigned nr_queues;
	const struct shared *shared;
	struct vblk *vblk;
	/* The driver set DRIVER_OK. */
	void (*running)(void *arg);
	void (*ended)(void *arg);
	void *arg;

	/* The rest is its own. */
	void *dev; /* the transport's */
	struct queue_thread *threads[VOLUME_MAX_QUEUES];
	unsigned nr_threads;
	struct queue *queues[VOLUME_MAX_QUEUES];
	bool runs[VOLUME_MAX_QUEUES];
	bool pending; /* the device waits for queues */
};

/*
 * Start the queues' threads: one for each queue, but no more than there are
 * CPUs for them.  The eventfd @done_fd is added to when a queue has done what
 * it was told: then call serve_on_done.  Errors are those of
 * queue_thread_new; serve_free frees what there is.
 */
int serve_make_queues(struct serve *serve, int done_fd);
void serve_on_done(struct serve *serve);

/* For transports: order, then wait until all orders are carried out. */
void serve_start_queue(struct serve *serve, unsigned index,
		       const struct virtq_setup *setup);
void serve_stop_queue(struct serve *serve, unsigned index);
void serve_wait(struct serve *serve);

/* Note what is known about the device for others. */
void serve_note_status(struct serve *serve, uint8_t status, uint64_t features);

/* Whether no queue runs, starts or drains. */
bool serve_is_idle(const struct serve *serve);

void serve_free(struct serve *serve);

#endif
