/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The socket that a front end connects to.
 */
#ifndef VHOST_USER_SOCKET_H
#define VHOST_USER_SOCKET_H

#include <sys/types.h>

struct why;

struct vhost_socket_params {
	const char *path;
	mode_t mode; /* of the socket file */
	gid_t group; /* (gid_t)-1: as it comes */
};

/*
 * Listen on a new socket.  A socket that is there, and that nobody listens on,
 * is replaced; nothing else is.  The caller closes *@ret_fd.  -ENAMETOOLONG;
 * -EBUSY: somebody listens; -EEXIST: what is there is no socket; or as
 * bind(2) and chown(2) say.
 */
int vhost_socket_listen(const struct vhost_socket_params *params, int *ret_fd,
			struct why *why);

/*
 * Use the socket @fd that somebody else made: -EINVAL, it does not listen for
 * streams of the local domain.
 */
int vhost_socket_adopt(int fd, struct why *why);

/*
 * Remove the file of a socket made by vhost_socket_listen, if it is still the
 * one of @fd, and close that.  @path may be "".
 */
void vhost_socket_remove(int fd, const char *path);

#endif
