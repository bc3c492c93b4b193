/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A connection to a front end: whole messages with the descriptors that came
 * with them, and answers.  It knows nothing of what they mean.
 */
#ifndef VHOST_USER_CONN_H
#define VHOST_USER_CONN_H

#include <stddef.h>

#include "vhost-user/proto.h"

struct why;

/* The message that is being received or in hand. */
struct vhost_msg {
	struct vhost_header head;
	union vhost_payload payload;
	int fds[VHOST_MAX_FDS]; /* -1: taken by somebody */
	unsigned nr_fds;
	size_t got; /* bytes, header included */
};

struct vhost_conn {
	int fd; /* non-blocking; -1: nobody is connected */
	struct vhost_msg msg;
};

/* @fd, a connected socket, is the connection's from here on. */
void vhost_conn_init(struct vhost_conn *conn, int fd);
void vhost_conn_close(struct vhost_conn *conn);

/*
 * Receive more of the message.  1: it is whole; 0: call again when the socket
 * is readable; or with the reason -ECONNRESET (the front end has gone) or
 * -EPROTO (what it sends makes no sense).
 */
int vhost_conn_receive(struct vhost_conn *conn, struct why *why);

/* Done with the message: close the descriptors that nobody took. */
void vhost_conn_next(struct vhost_conn *conn);

/* Take descriptor @i of the message: the caller's from here on. */
int vhost_conn_take(struct vhost_conn *conn, unsigned i);

/*
 * Answer the message in hand: @len bytes, and @fd unless it is -1, which
 * stays the caller's.  -EPROTO with the reason: it does not take its answers.
 */
int vhost_conn_reply(struct vhost_conn *conn, const void *data, size_t len,
		     int fd, struct why *why);

#endif
