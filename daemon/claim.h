/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Keeping others away from the node of a volume, while it is taken away or
 * made smaller.
 *
 * A block device is opened with O_EXCL, which keeps mounts away.  A
 * vhost-vdpa node is opened at all, since the kernel lets one program have it
 * open; opening and closing it resets the device.
 */
#ifndef DAEMON_CLAIM_H
#define DAEMON_CLAIM_H

#include "daemon/attach.h"
#include "vduse/vdpa.h"

struct why;

struct claim {
	struct vdpa_binding at;
	int fd; /* -1: there is nothing to keep */
};

/*
 * Claim what became of @name, or say who uses it (-EBUSY).  @how: DETACH
 * and CHECK_UNUSED write what is cached first, DETACH_FORCE claims only what
 * cannot be taken from its user.  The caller drops the claim.
 */
int claim_take(struct claim *claim, const char *name, enum attach_what how,
	       struct why *why);
void claim_drop(struct claim *claim);

/*
 * Call @remove(@name, @why), which makes the kernel remove the node, and
 * drop the claim.
 *
 * vhost_vdpa waits for whoever has its node open, uninterruptibly and, in a
 * detach, with all of generic netlink locked.  So the claim is kept until
 * nobody can open the node any more, and then dropped in the middle of it, by
 * a process of its own (daemon/node_hold.h): this one may be killed at any time.
 */
int claim_remove(struct claim *claim,
		 int (*remove)(const char *name, struct why *why),
		 const char *name, struct why *why);

#endif
