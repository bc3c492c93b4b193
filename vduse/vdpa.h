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

struct why;

/* VDPA_CMD_DEV_NEW.  That it succeeds does not prove that a disk appears. */
int vdpa_attach(const char *name, struct why *why);

/* VDPA_CMD_DEV_DEL.  -ENODEV: it is not attached. */
int vdpa_detach(const char *name, struct why *why);

/* Whether a driver that makes disks of vDPA devices is loaded. */
bool vdpa_has_driver(void);

/* Whether the device is on the bus. */
bool vdpa_is_attached(const char *name);

/*
 * The name of the block device ("vda") that the kernel made of @name, once
 * it has its capacity.  -ENOENT: there is none (yet).
 */
int vdpa_block_name(const char *name, char *ret, size_t len);

/*
 * Let completions of every queue run on every CPU.  Linux 6.12 loops for ever
 * in VDUSE_VQ_INJECT_IRQ when all CPUs of a queue's mask went offline, and
 * virtio_blk sets a mask of one CPU group per queue.  Kernels without the
 * file are fine.
 */
void vdpa_spread_interrupts(const char *name, unsigned nr_queues);

#endif
