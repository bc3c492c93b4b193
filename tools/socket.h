/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Options about the socket that a front end of vhost-user connects to.
 */
#ifndef TOOLS_SOCKET_H
#define TOOLS_SOCKET_H

#include "tools/options.h"

struct volume;
struct why;

/* As on the command line; NULL: not said. */
struct socket_args {
	const char *option; /* the one that gave the path */
	const char *path, *mode, *group;
	const char *fd; /* instead of the others */
};

/* The options on rights and group, for a struct socket_args. */
extern const struct option socket_options[];

/*
 * Make the socket, or take the one that there is, for @volume, which is to be
 * served on it.  -EDOM: an option is wrong; or as vhost_socket_listen.
 */
int socket_prepare(const struct socket_args *args, struct volume *volume,
		   struct why *why);

#endif
