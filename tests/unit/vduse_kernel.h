/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The kernel's side of a VDUSE device, for tests: it sends messages, takes
 * answers, and answers those ioctls that every kernel has.  It is the device's owner as well,
 * which writes down what it is asked in a log of words.
 */
#ifndef VDUSE_KERNEL_H
#define VDUSE_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "vduse/ioctl.h"
#include "virtio/transport.h"

#define KERNEL_QUEUES 3

struct kernel {
	int fd;	    /* the kernel's end */
	int dev_fd; /* the device's */
	struct loop *loop;
	struct vduse_dev *dev;

	/* What the ioctls answer. */
	uint64_t features;
	struct vduse_vq_info vq[KERNEL_QUEUES];
	unsigned long fail_request; /* this one fails ... */
	unsigned fail_at;	    /* ... at the Nth call, ... */
	int fail_err;		    /* ... with this */
	int region_fd;		    /* of IOVA 0 and all that follow */
	uint64_t region_len;

	/* What they were asked. */
	unsigned regions, config_irqs, irqs;
	unsigned lacking; /* ioctls that it does not have */
	int kick_fd[KERNEL_QUEUES];
	uint32_t config_offset, config_len;
	uint8_t config[64];

	/* The owner. */
	bool later; /* it does not finish at once */
	int refuse; /* what check_features returns */
	struct virtq_state state[KERNEL_QUEUES];
	struct virtq_setup setup[KERNEL_QUEUES];
	char log[512]; /* "start0@5 done stop reset status:f " */
	char broken[64];

	uint32_t request_id;
};

/* A device with all of its queues ready, 8 entries each; not yet started. */
void kernel_init(struct kernel *k);
void kernel_free(struct kernel *k);

/* Turns of the loop until nothing more happens. */
void kernel_turns(struct kernel *k);

/* Send a message, whose request_id is set here. */
void kernel_send(struct kernel *k, struct vduse_dev_request *req);

/* Whether the latest message is answered; the test fails on another's. */
bool kernel_answer(struct kernel *k, struct vduse_dev_response *ret);

/* Send SET_STATUS; the result, or -1 as long as it is not answered. */
int kernel_set_status(struct kernel *k, uint8_t status);

/* The same for UPDATE_IOTLB, and for GET_VQ_STATE with its @ret. */
int kernel_update_iotlb(struct kernel *k, uint64_t start, uint64_t last);
int kernel_get_state(struct kernel *k, uint32_t index,
		     struct vduse_vq_state *ret);

/* All the messages of an attach that succeeds. */
void kernel_attach(struct kernel *k);

/* What was logged since the last call, without a space at the end. */
const char *kernel_log(struct kernel *k);

#endif
