/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The log of dirty pages: a bit for each page of the guest's memory, in memory
 * that the front end shares (SET_LOG_BASE), set when the device has written
 * there.  A front end that migrates its guest sends these pages once more.
 *
 * The log changes only while no queue runs; queues mark pages at any time.
 */
#ifndef VHOST_USER_DIRTY_H
#define VHOST_USER_DIRTY_H

#include <stddef.h>
#include <stdint.h>

#include "vhost-user/proto.h"

struct why;

struct vhost_dirty {
	uint8_t *bits; /* NULL: there is no log */
	size_t len;    /* bytes */
};

/*
 * Use the log that @at describes; @fd stays the caller's.  It is written
 * without a guard, so it must be a memfd that can get no smaller
 * (F_SEAL_SHRINK).  -EINVAL with the reason, or of mmap(2).
 */
int vhost_dirty_open(struct vhost_dirty *dirty, const struct vhost_log *at,
		     int fd, struct why *why);

void vhost_dirty_close(struct vhost_dirty *dirty);

/*
 * What was written before is to be sent: @len bytes at the guest's address
 * @guest.  Pages behind the end of the log are not in it.
 */
void vhost_dirty_mark(const struct vhost_dirty *dirty, uint64_t guest,
		      uint64_t len);

#endif
