/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The lock that keeps a second opener away from an image.
 *
 * An OFD lock, not flock(2): libcryptsetup takes flock on the image itself
 * and would wait for ours for ever.  It covers one byte; byte 1 is reserved
 * for the worker of an open volume, which may outlive the monitor that holds
 * byte 0.
 */
#ifndef BACKEND_LOCK_H
#define BACKEND_LOCK_H

#include <stdbool.h>

/*
 * Lock the image open at @fd, at once or not at all: no other command or
 * monitor has it, and no worker serves it.  Exclusive needs a
 * descriptor open for writing, @shared one open for reading.  The lock belongs
 * to the open file description: it passes on with fork() and descriptor
 * passing, and ends with the last copy of the descriptor.
 * Errors: -EBUSY (held by another), -EBADF (wrong access mode), -errno.
 */
int image_lock(int fd, bool shared);

/*
 * The same, but what is locked gets a second to end: the kernel takes down the
 * ring of a process that has ended in its own time, and the lock with it.
 */
int image_lock_soon(int fd, bool shared);

/*
 * Wait until no other worker's open file description has the worker's byte
 * locked, and lock it.  The requests that a killed process left in the kernel
 * count as its descriptor.  Errors: -EBADF, -errno.
 */
int image_fence(int fd, bool shared);

#endif
