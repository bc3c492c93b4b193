/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Attaching the volume to the kernel and taking it away again, each in a
 * process of its own: the kernel does both inside the call, and meanwhile
 * asks the worker, whose supervisor must not be the one that waits.
 */
#ifndef DAEMON_ATTACH_H
#define DAEMON_ATTACH_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/why.h"
#include "vduse/vdpa.h"

struct runtime;
struct volume;

/* What such a process found. */
struct attach_result {
	int err;
	struct why why;
	char node[VDPA_NODE_MAX]; /* as in struct vdpa_binding; of an attach */
	bool stays; /* of an attach that failed: it may be on the bus */
};

enum attach_what {
	ATTACH,
	DETACH,	      /* what is cached must reach the image first */
	DETACH_LOST,  /* nothing can reach it any more: do not try */
	DETACH_FORCE, /* nor care who uses it */
	CHECK_UNUSED, /* only find out whether somebody uses it */
};

/*
 * Put @name on the vDPA bus, give it to @driver, whichever took it first, and
 * wait until its node can be used.  When that fails the device is off the bus
 * again, unless ret->stays: somebody uses what the kernel made of it, so it
 * has to be served until it can be detached.
 */
void attach_volume(const char *name, enum vdpa_driver driver,
		   struct attach_result *ret);

/*
 * Take @name off the bus; -EBUSY when its node is in use.  A device that is
 * not on the bus is fine.
 */
void detach_volume(const char *name, enum attach_what how,
		   struct attach_result *ret);

/* Write what is cached, and find out whether the node is in use. */
void check_unused(const char *name, struct attach_result *ret);

/* A running process of this kind. */
struct attach_child {
	pid_t pid; /* 0: none */
	int result_fd;
};

/*
 * Fork it.  It goes on when its parent dies: killed inside the kernel's work it
 * would leave a device that was half set up.  Until it ends, it has the
 * volume's runtime_lock_busy.  0 or -errno.
 */
int attach_start(struct attach_child *child, enum attach_what what,
		 const struct volume *volume, const struct runtime *rt);

/* result_fd is readable: collect the result and the process. */
void attach_collect(struct attach_child *child, struct attach_result *ret);

#endif
