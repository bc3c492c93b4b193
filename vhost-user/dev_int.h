/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Between dev.c, which has the device's life, and the files of the
 * messages (requests.h).  Nobody else includes this.
 */
#ifndef VHOST_USER_DEV_INT_H
#define VHOST_USER_DEV_INT_H

#include "lib/loop.h"
#include "vhost-user/conn.h"
#include "vhost-user/dev.h"
#include "vhost-user/dirty.h"
#include "vhost-user/log_mem.h"
#include "vhost-user/memory.h"
#include "vhost-user/ring.h"

struct why;

/*
 * What a step of a message ends with, besides 0 (done) and -errno: -EPROTO,
 * the front end has to go; others, it can be told that it did not work.
 */
#define VHOST_WAIT 1 /* for the queues; then dev->then goes on */

struct vhost_dev {
	struct vhost_dev_params params;
	struct loop *loop;
	struct loop_op readable, tick;
	bool polling; /* readable is under way, on one of the sockets */
	bool ending, ended;
	struct vhost_conn conn;
	int backend_fd; /* for messages to the front end; -1: none */
	int tick_fd;	/* -1: no queue is waited for */
	uint64_t tick_count;
	bool ticking;
	int (*then)(struct vhost_dev *dev, struct why *why); /* NULL: no wait */
	/* What is done while the queues are paused. */
	int (*change)(struct vhost_dev *dev, struct why *why);
	bool replied;
	uint64_t features;	    /* accepted; 0: none yet */
	uint64_t protocol_features; /* accepted */
	uint8_t status;		    /* as in SET_STATUS */
	struct vhost_memory memory;
	struct vhost_log_mem log_mem;
	struct vhost_dirty dirty;
	struct vhost_ring rings[];
};

/* Carry out the message in hand, whole and with its descriptors. */
int vhost_handle(struct vhost_dev *dev, struct why *why);

/* Whether the sender of the message in hand wants to know how it went. */
bool vhost_wants_ack(const struct vhost_dev *dev);

/* dev.c: begin to stop every queue that runs; how many those are. */
unsigned vhost_stop_all(struct vhost_dev *dev);
void vhost_stop(struct vhost_dev *dev, struct vhost_ring *ring);

/* Tell the owner what is to be known. */
void vhost_tell_status(struct vhost_dev *dev);

#endif
