/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The VDUSE device of a worker with its queue threads: what the device asks
 * for (see struct vduse_owner_ops) is ordered of the queues, and the device
 * goes on when they are done.
 *
 * All of this is for the worker's main thread, which waits for nothing.
 */
#ifndef DAEMON_SERVE_H
#define DAEMON_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/volume.h"

struct loop;
struct queue_thread;
struct shared;
struct vblk;
struct vduse_dev;

struct serve {
	unsigned nr_queues;
	const struct shared *shared;
	struct vblk *vblk;
	/* The driver set DRIVER_OK. */
	void (*running)(void *arg);
	void *arg;

	/* The rest is its own. */
	struct vduse_dev *dev;
	struct queue_thread *queues[VOLUME_MAX_QUEUES];
	bool runs[VOLUME_MAX_QUEUES];
	bool pending; /* the device waits for queues */
};

/*
 * Start the queue threads, each of which adds to the eventfd @done_fd when it
 * has done what it was told: then call serve_on_done.  Errors are those of
 * queue_thread_new; serve_free frees what there is.
 */
int serve_make_queues(struct serve *serve, int done_fd);
void serve_on_done(struct serve *serve);

/* Make the device, in @loop; serve_start begins to answer messages. */
int serve_make_device(struct serve *serve, struct loop *loop, int vduse_fd);

/* As another worker left it; see vduse_dev_start. */
void serve_start(struct serve *serve);

/* Whether no queue runs, starts or drains. */
bool serve_is_idle(const struct serve *serve);

/* Tell the driver that the device has so many sectors of 512 bytes. */
int serve_set_capacity(struct serve *serve, uint64_t nr_sectors);

void serve_free(struct serve *serve);

#endif
