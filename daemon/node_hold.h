/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Keeping a node open in a process of its own while the kernel removes it.
 *
 * Who waits in the kernel for the last close of a node must not have it open:
 * if he is killed there, his descriptors are closed only after he has
 * returned, even those that another thread of his would have closed.
 */
#ifndef DAEMON_NODE_HOLD_H
#define DAEMON_NODE_HOLD_H

#include <sys/types.h>

struct node_hold {
	pid_t pid;
	int end_fd; /* closed when the holder may end */
};

/*
 * Fork a process that has the character device @number open as @fd, until the
 * kernel has removed its node, or node_hold_end is called, or this process ends.
 * The caller closes its own @fd.  0 or -errno.
 */
int node_hold_start(struct node_hold *hold, int fd, dev_t number);

/* End it.  When this returns it has closed the node. */
void node_hold_end(struct node_hold *hold);

#endif
