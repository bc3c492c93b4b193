/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Who uses a block device: what `close` has to know before it takes the
 * device away.
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

#endif
