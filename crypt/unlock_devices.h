/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What the cell of unlock_jail.h gives up for a process that has to use a
 * device: it keeps its user, whose devices they are, and may open some for
 * writing.  What it still cannot do: write or make any other file (with
 * Landlock), reach a network, run a program, make or signal a process.
 */
#ifndef CRYPT_UNLOCK_DEVICES_H
#define CRYPT_UNLOCK_DEVICES_H

#include <stdbool.h>

/* What is needed. */
struct unlock_devices {
	const char *nodes[2]; /* patterns of glob(7), as far as not NULL */
	bool sockets;	      /* of the UNIX family */
};

/*
 * Root keeps no capability but that of opening what is not its own; files that
 * may be written are bounded to the nodes, where the kernel has Landlock.
 * Errors: -errno.
 */
int unlock_devices_restrict(const struct unlock_devices *devices);

/* Add the calls that it takes.  @ctx is a scmp_filter_ctx.  Errors: -errno. */
int unlock_devices_allow(void *ctx, const struct unlock_devices *devices);

#endif
