/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * /dev/vduse/control: making and destroying VDUSE devices.
 *
 * Source of all facts: include/uapi/linux/vduse.h and
 * Documentation/userspace-api/vduse.rst of the kernel.
 */
#ifndef VDUSE_CONTROL_H
#define VDUSE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct why;

#define VDUSE_VOLUME_NAME_MAX 63 /* bytes, without the NUL */

/*
 * Whether @name can be a volume's name: 1 to VDUSE_VOLUME_NAME_MAX of
 * [A-Za-z0-9_.-], not "." or "..", not "control", not starting with '-'.
 * The kernel checks nothing of this.  0 or -EINVAL.
 */
int vduse_check_name(const char *name, struct why *why);

/* Virtio-blk device to be made; the bytes of @config are copied. */
struct vduse_params {
	const char *name;
	uint64_t features; /* offered virtio features */
	unsigned nr_queues;
	unsigned queue_size; /* the largest number of ring entries */
	const void *config;  /* virtio configuration space */
	size_t config_len;
};

/*
 * Open the control device with API version 0, which every kernel that has
 * VDUSE speaks (5.15 to 7.3 at least).  Version 1 adds groups of queues with
 * address spaces of their own, and messages about them, which a disk has no
 * use for.  -ENOENT: no such device (the modules are not loaded), or what
 * open(2) and ioctl(2) say.
 */
int vduse_control_open(int *ret_fd, struct why *why);

/* The API version that is in force on @control_fd; errors of ioctl(2). */
int vduse_api_version(int control_fd, uint64_t *ret);

/* What not every kernel has for a device; all of it can be done without. */
struct vduse_extras {
	bool bounce_size;  /* how much bounce memory can be chosen */
	bool irq_affinity; /* so can the CPUs of interrupts */
};

/* Of a device that exists. */
void vduse_find_extras(const char *name, struct vduse_extras *ret);

/* -EEXIST: the name is taken; -EPERM and others as ioctl(2) says. */
int vduse_create(int control_fd, const struct vduse_params *params,
		 struct why *why);

/*
 * See that a device that was never attached has @bytes of bounce memory, if
 * that is more than the kernel gives by itself.  -ENOENT: this kernel has the
 * one size only.
 */
int vduse_raise_bounce(const char *name, uint64_t bytes, struct why *why);

/* -EBUSY: still open or attached; -EINVAL: no such device. */
int vduse_destroy(int control_fd, const char *name);

/*
 * Open /dev/vduse/NAME for messages, once: -EBUSY while another has it open.
 * Errors are those of open(2).
 */
int vduse_open(const char *name, int *ret_fd);

/* Whether the device has been made (and not yet destroyed). */
bool vduse_exists(const char *name);

#endif
