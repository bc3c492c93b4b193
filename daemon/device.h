/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The VDUSE device of a volume: made before the first worker, destroyed after
 * the last.
 */
#ifndef DAEMON_DEVICE_H
#define DAEMON_DEVICE_H

#include <stdbool.h>

struct volume;
struct why;

/*
 * Make the device, with volume->control_fd and the bounce memory that it may
 * need.  0 or -errno; *@ret_created: whether there is one to be destroyed, also
 * when this fails.
 */
int device_make(const struct volume *volume, bool *ret_created,
		struct why *why);

/*
 * Destroy it.  The worker is gone; what it held open may follow in a moment,
 * which is waited for.  -EBUSY: for too long; or as vduse_destroy.
 */
int device_destroy(int control_fd, const char *name, unsigned patience_ms);

#endif
