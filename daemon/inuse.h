/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Who uses the node of a volume: what `close` has to know before it takes it
 * away.
 */
#ifndef DAEMON_INUSE_H
#define DAEMON_INUSE_H

struct why;

/*
 * Whether /dev/@block or a partition of it is mounted, used as swap, held by
 * another device (device mapper, md) or opened by a process other than this
 * one.  0, or -EBUSY with the user in @why.
 */
int block_in_use(const char *block, struct why *why);

/*
 * Whether the vhost-vdpa node /dev/@node is opened by a process other than
 * this one.  0, or -EBUSY with the process in @why.
 */
int vhost_node_in_use(const char *node, struct why *why);

#endif
