/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The vDPA bus: attaching a VDUSE device to it and finding what the kernel
 * made of it.
 *
 * Attaching and detaching are requests over generic netlink (family "vdpa",
 * include/uapi/linux/vdpa.h).  They return when the kernel has bound or
 * unbound the driver, which meanwhile talks to the device: the caller must
 * not be the one that answers it.  Both need CAP_NET_ADMIN.
 */
#ifndef VDUSE_VDPA_H
#define VDUSE_VDPA_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct why;

/* The drivers of the bus, which compete for every device on it. */
enum vdpa_driver {
	VDPA_NO_DRIVER,
	VDPA_VIRTIO, /* virtio_vdpa: virtio_blk makes a disk of it */
	VDPA_VHOST,  /* vhost_vdpa: a program drives it, /dev/vhost-vdpa-N */
};

/* "virtio-vdpa", "vhost-vdpa"; not of VDPA_NO_DRIVER. */
const char *vdpa_driver_text(enum vdpa_driver driver);

#define VDPA_NODE_MAX 32

/* What became of a device. */
struct vdpa_binding {
	enum vdpa_driver driver;
	/* In /dev: "vda", once it has its capacity, or "vhost-vdpa-0". */
	char node[VDPA_NODE_MAX]; /* "": there is none (yet) */
	dev_t number;		  /* the node's */
};

/* VDPA_CMD_DEV_NEW.  That it succeeds does not prove that a node appears. */
int vdpa_attach(const char *name, struct why *why);

/* VDPA_CMD_DEV_DEL.  -ENODEV: it is not attached. */
int vdpa_detach(const char *name, struct why *why);

/* Whether @driver is loaded. */
bool vdpa_has_driver(enum vdpa_driver driver);

/* Whether the device is on the bus. */
bool vdpa_is_attached(const char *name);

/*
 * What became of @name by now.  Whoever is root can give it to the other
 * driver at any time, so this is not worth remembering.
 */
void vdpa_find(const char *name, struct vdpa_binding *ret);

/*
 * Whether @name, which has no driver, is being taken from one.  The kernel
 * has its device locked meanwhile, and vhost_vdpa may take for ever.  Takes up
 * to two seconds; true as well when the kernel does not say.
 */
bool vdpa_is_unbinding(const char *name);

/*
 * Take @name from @driver, or give it to @driver while it has none.  Like
 * attaching, both return when the driver is done talking to the device.
 */
int vdpa_unbind(const char *name, enum vdpa_driver driver, struct why *why);
int vdpa_bind(const char *name, enum vdpa_driver driver, struct why *why);

/*
 * Let completions of every queue run on every CPU.  Linux 6.12 loops for ever
 * in VDUSE_VQ_INJECT_IRQ when all CPUs of a queue's mask went offline, and
 * virtio_blk sets a mask of one CPU group per queue.  Kernels without the
 * file are fine.
 */
void vdpa_spread_interrupts(const char *name, unsigned nr_queues);

#endif
