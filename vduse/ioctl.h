/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The ioctls of a VDUSE device.  What is used here is in every kernel that
 * has VDUSE (Linux 5.15 and later) and in its header.
 */
#ifndef VDUSE_IOCTL_H
#define VDUSE_IOCTL_H

/* linux/vduse.h wants _IOR and includes nothing that has it. */
#include <sys/ioctl.h>

#include <linux/vduse.h>

/* ioctl(2), or a test's stand-in; returns what ioctl does, or -errno. */
typedef int (*vduse_ioctl_fn)(int fd, unsigned long request, void *arg);

#endif
