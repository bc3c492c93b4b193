/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a queue asks of the VDUSE transport, in the queue's own thread: where
 * an IOVA stands, and interrupting the driver.
 */
#ifndef VDUSE_QUEUE_H
#define VDUSE_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "vduse/ioctl.h"
#include "vduse/iotlb.h"
#include "virtio/transport.h"

struct vduse_queue {
	int fd;
	vduse_ioctl_fn ioctl;
	unsigned index;
	atomic_bool live; /* the driver set DRIVER_OK and has not reset */
	struct iotlb iotlb;
};

extern const struct virtq_host_ops vduse_queue_ops;

void vduse_queue_init(struct vduse_queue *queue, int fd, vduse_ioctl_fn ioctl,
		      unsigned index);

#endif
