/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * One VDUSE device, as its user-space side: the kernel's messages and the
 * ioctls on /dev/vduse/NAME.
 *
 * The thread that runs this answers the kernel and therefore waits for
 * nothing: what takes time (stopping queues) is asked of the owner, which
 * calls vduse_dev_continue when it is done.  One message is worked off at a
 * time; the kernel keeps the next one.  An answer that takes longer than
 * /sys/class/vduse/NAME/msg_timeout (30 s) breaks the device for ever.
 *
 * Source of all facts: include/uapi/linux/vduse.h and
 * Documentation/userspace-api/vduse.rst of the kernel.
 */
#ifndef VDUSE_DEV_H
#define VDUSE_DEV_H

#include <stdbool.h>
#include <stdint.h>

#include "vduse/ioctl.h"

struct loop;
struct virtq_setup;
struct virtq_state;
struct vduse_dev;
struct why;

/* What the owner does for the device; all required. */
struct vduse_owner_ops {
	/* Whether these features can be served: 0 or -EINVAL. */
	int (*check_features)(void *owner, uint64_t features, struct why *why);
	/*
	 * Start queue @index, at the latest when start_done is called.  Its
	 * host and ops members are set; kick_fd and inflight are the owner's
	 * to fill in.
	 */
	void (*start_queue)(void *owner, unsigned index,
			    const struct virtq_setup *setup);
	/* All that shall run have been asked for: call vduse_dev_continue
	 * when they run, or failed to. */
	void (*start_done)(void *owner);
	/*
	 * Stop every running queue: drain it, then touch neither ring nor
	 * buffer.  Call vduse_dev_continue when all have stopped (at once
	 * is allowed).
	 */
	void (*stop_queues)(void *owner);
	/* Where the ring of a stopped queue goes on. */
	struct virtq_state (*queue_state)(void *owner, unsigned index);
	/* The driver reset the device: forget what was in flight. */
	void (*reset)(void *owner);
	/* The device status (virtio 1.3, section 2.1) is now @status. */
	void (*status)(void *owner, uint8_t status, uint64_t features);
	/*
	 * Requests are not served: the kernel gave the device up, or its queues
	 * could not be taken over.  Only of the latter is there a way back: a
	 * reset, or DRIVER_OK once more; then status is called.
	 */
	void (*broken)(void *owner, const char *reason);
};

struct vduse_dev_params {
	int fd;		      /* of vduse_open; the caller closes it */
	vduse_ioctl_fn ioctl; /* NULL: ioctl(2) */
	unsigned nr_queues;
	const struct vduse_owner_ops *ops;
	void *owner;
};

/* -ENOMEM.  The caller frees the device with vduse_dev_free. */
int vduse_dev_new(const struct vduse_dev_params *params, struct loop *loop,
		  struct vduse_dev **ret);
void vduse_dev_free(struct vduse_dev *dev);

/*
 * Begin to answer messages.  @status: what the status was when a former
 * process stopped serving this device, 0 for a new one; when it has
 * DRIVER_OK, the queues are started again.  If they cannot be, the owner is
 * told (broken), and messages are answered all the same, so that the device
 * can be taken away.
 */
void vduse_dev_start(struct vduse_dev *dev, uint8_t status);

/* What was asked of the owner (start_done, stop_queues) is done. */
void vduse_dev_continue(struct vduse_dev *dev);

/* Install @fd as the eventfd that the kernel kicks queue @index with. */
int vduse_dev_set_kick(struct vduse_dev *dev, unsigned index, int fd);

/* Change configuration space and tell the driver, if there is one. */
int vduse_dev_set_config(struct vduse_dev *dev, uint32_t offset,
			 const void *data, uint32_t len);

#endif
