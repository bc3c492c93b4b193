/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The back end of one vhost-user device: waits for a front end, answers it,
 * lets go of it, waits for the next one.
 *
 * The thread that runs this waits for nothing: what takes time (starting and
 * stopping queues) is asked of the owner, which calls vhost_dev_continue when
 * it is done.  One message is worked off at a time; the socket keeps the next.
 *
 * A front end that breaks the protocol is disconnected, with the reason in the
 * log, and so is one that asks for what cannot be and wants no answer.
 */
#ifndef VHOST_USER_DEV_H
#define VHOST_USER_DEV_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct vblk;
struct vhost_dev;
struct virtq_setup;
struct virtq_state;

/* What the owner does for the device; all required. */
struct vhost_owner_ops {
	/* Begin to start or to stop queue @index; @setup is copied. */
	void (*start_queue)(void *owner, unsigned index,
			    const struct virtq_setup *setup);
	void (*stop_queue)(void *owner, unsigned index);
	/*
	 * Call vhost_dev_continue when all that was begun is done; at once is
	 * allowed.
	 */
	void (*wait)(void *owner);
	/* Whether it runs; false when it could not be started. */
	bool (*queue_runs)(void *owner, unsigned index);
	/* Where the ring of a stopped queue goes on. */
	struct virtq_state (*queue_state)(void *owner, unsigned index);
	/* What there is to know about the device has changed. */
	void (*status)(void *owner, uint8_t status, uint64_t features);
	/* After vhost_dev_end: no front end is connected, no queue runs. */
	void (*ended)(void *owner);
};

struct vhost_dev_params {
	int listen_fd; /* listens, and does not block; the caller closes it */
	unsigned nr_queues;
	struct vblk *vblk; /* outlives the device */
	const struct vhost_owner_ops *ops;
	void *owner;
};

/* -ENOMEM, -EMFILE.  The caller frees it with vhost_dev_free. */
int vhost_dev_new(const struct vhost_dev_params *params, struct loop *loop,
		  struct vhost_dev **ret);

/* No queue runs.  NULL is allowed. */
void vhost_dev_free(struct vhost_dev *dev);

/* Begin to take front ends. */
void vhost_dev_start(struct vhost_dev *dev);

/* What was asked of the owner (wait) is done. */
void vhost_dev_continue(struct vhost_dev *dev);

/* Disconnect the front end and take no other; then ops->ended is called. */
void vhost_dev_end(struct vhost_dev *dev);

/* The configuration space has changed: tell the driver, if that can be done. */
void vhost_dev_config_changed(struct vhost_dev *dev);

#endif
