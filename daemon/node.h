/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Opening the node of a volume, and no other file that has its name.
 */
#ifndef DAEMON_NODE_H
#define DAEMON_NODE_H

struct vdpa_binding;

/*
 * Open /dev/NODE of @at with @flags, never waiting.  fd or -errno; -ENOENT
 * when something else has that name, or nothing.
 */
int node_open(const struct vdpa_binding *at, int flags);

/* The same, by way of another node when the one in /dev is not it. */
int node_open_by_number(const struct vdpa_binding *at, int flags);

#endif
