/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A VDUSE device for fuzzing, between a kernel that sends anything and an
 * owner that takes its time.  Whatever is done to it, it is checked that each
 * message is answered once and in order, that queues start and stop when they
 * may, that nothing stays mapped that must not, and that nothing waits.  The
 * program is aborted if not.
 */
#ifndef FUZZ_DEVICE_H
#define FUZZ_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "vduse/dev.h"
#include "vduse/ioctl.h"
#include "virtio/transport.h"

#define DEVICE_QUEUES  3
#define DEVICE_PENDING 16
#define DEVICE_MAPPED  64

/* What the driver got of a queue, until it must be gone. */
struct mapped {
	unsigned queue;
	uint64_t iova;
};

struct device {
	int fd, dev_fd, memory;
	struct loop *loop;
	struct vduse_dev *dev;

	/* The kernel. */
	struct vduse_dev_request pending[DEVICE_PENDING];
	unsigned nr_pending;
	uint32_t last_id;
	uint64_t features;
	struct vduse_vq_info vq[DEVICE_QUEUES];
	struct vduse_iotlb_entry entry;
	bool deny; /* no region is given */
	unsigned fail_in, refusals;
	int fail_err;
	bool cut_short, gone;

	/* The owner. */
	bool later, refuse, owes, broken, live;
	bool running[DEVICE_QUEUES];
	struct virtq_state state[DEVICE_QUEUES];
	const struct virtq_host_ops *ops;
	void *host[DEVICE_QUEUES];
	uint8_t status;
	struct mapped mapped[DEVICE_MAPPED];
	unsigned nr_mapped;
};

/* The only one; set what the kernel and the owner shall do. */
extern struct device device;

void check(bool good);

/* A new device, whose kernel knows nothing yet. */
void device_boot(void);

/* A process begins to serve; the kernel sends what was not answered again. */
void device_begin(uint8_t status);

/* The process dies. */
void device_die(void);

/* Send a message, unless nobody would get it; its id is set here. */
void device_send(struct vduse_dev_request *req);

/* The owner is done with what it was asked for. */
void device_continue(void);

/* Let the device work, and check its answers. */
void device_turns(void);

#endif
