/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What the files of the messages share: the handlers that the table in
 * requests.c names, and starting and stopping rings.  Nobody else includes
 * this.  What a handler returns stands at VHOST_WAIT.
 */
#ifndef VHOST_USER_REQUESTS_H
#define VHOST_USER_REQUESTS_H

#include <stddef.h>

#include "vhost-user/dev_int.h"

/* Of the message in hand. */
static inline const union vhost_payload *
vhost_payload(const struct vhost_dev *dev)
{
	return &dev->conn.msg.payload;
}

/* requests.c: answer it. */
int vhost_reply(struct vhost_dev *dev, const void *data, size_t len,
		struct why *why);
int vhost_reply_u64(struct vhost_dev *dev, uint64_t value, struct why *why);

/*
 * The cache mode is as the driver of the in-flight log left it, who does not
 * choose it again after its server has died.
 */
void vhost_recall_mode(struct vhost_dev *dev);

/* ring_requests.c */
bool vhost_any_runs(const struct vhost_dev *dev);

/* Begin to start a ring; vhost_check_started is to come then. */
int vhost_begin_start(struct vhost_dev *dev, struct vhost_ring *ring,
		      struct why *why);
int vhost_check_started(struct vhost_dev *dev, struct why *why);

/*
 * Do @change while no queue runs; those that ran go on after it, unless it
 * fails.
 */
int vhost_pause(struct vhost_dev *dev,
		int (*change)(struct vhost_dev *dev, struct why *why),
		struct why *why);

/* A ring that ran has stopped. */
void vhost_note_stopped(struct vhost_dev *dev, struct vhost_ring *ring);

int vhost_set_vring_num(struct vhost_dev *dev, struct why *why);
int vhost_set_vring_addr(struct vhost_dev *dev, struct why *why);
int vhost_set_vring_base(struct vhost_dev *dev, struct why *why);
int vhost_get_vring_base(struct vhost_dev *dev, struct why *why);
int vhost_set_vring_kick(struct vhost_dev *dev, struct why *why);
int vhost_set_vring_call(struct vhost_dev *dev, struct why *why);
int vhost_set_vring_err(struct vhost_dev *dev, struct why *why);
int vhost_set_vring_enable(struct vhost_dev *dev, struct why *why);

/* memory_requests.c; set_memory is for ADD_MEM_REG and REM_MEM_REG. */
int vhost_set_mem_table(struct vhost_dev *dev, struct why *why);
int vhost_set_memory(struct vhost_dev *dev, struct why *why);
int vhost_set_log_base(struct vhost_dev *dev, struct why *why);
int vhost_get_inflight(struct vhost_dev *dev, struct why *why);
int vhost_set_inflight(struct vhost_dev *dev, struct why *why);

#endif
