/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The rings of one VDUSE device: what the driver told the kernel about them,
 * which of them run, and what they have mapped.
 */
#ifndef VDUSE_RINGS_H
#define VDUSE_RINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "vduse/ioctl.h"
#include "vduse/queue.h"
#include "virtio/transport.h"

struct vduse_rings {
	int fd;
	vduse_ioctl_fn ioctl;
	unsigned nr;
	uint64_t features;	    /* negotiated; 0: not yet */
	struct virtq_setup *setups; /* num is 0 where nothing runs */
	struct vduse_queue queues[];
};

/* @ioctl may be NULL: ioctl(2).  -ENOMEM.  Freed with vduse_rings_free. */
int vduse_rings_new(int fd, vduse_ioctl_fn ioctl, unsigned nr,
		    struct vduse_rings **ret);
void vduse_rings_free(struct vduse_rings *rings);

/* Read every setup from the kernel; on an error there is none. */
int vduse_rings_read(struct vduse_rings *rings);

/* The driver reset the device: nothing is set up or mapped any more. */
void vduse_rings_reset(struct vduse_rings *rings);

/* Whether the driver waits for interrupts, see struct vduse_queue. */
void vduse_rings_set_live(struct vduse_rings *rings, bool live);

/* Unmap what overlaps the IOVAs @start to @last, inclusive; none may run. */
void vduse_rings_drop(struct vduse_rings *rings, uint64_t start, uint64_t last);

/* A ring's place in the kernel's terms, for the negotiated format. */
void vduse_rings_put_state(const struct vduse_rings *rings,
			   const struct virtq_state *state,
			   struct vduse_vq_state *ret);

#endif
