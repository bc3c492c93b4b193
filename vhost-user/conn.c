/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A connection to a front end: see conn.h.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/why.h"
#include "vhost-user/conn.h"

void vhost_conn_init(struct vhost_conn *conn, int fd)
{
	memset(conn, 0, sizeof(*conn));
	conn->fd = fd;
}

void vhost_conn_next(struct vhost_conn *conn)
{
	struct vhost_msg *msg = &conn->msg;
	unsigned i;

	for (i = 0; i < msg->nr_fds; i++)
		if (msg->fds[i] >= 0)
			close(msg->fds[i]);
	memset(msg, 0, sizeof(*msg));
}

void vhost_conn_close(struct vhost_conn *conn)
{
	vhost_conn_next(conn);
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
}

int vhost_conn_take(struct vhost_conn *conn, unsigned i)
{
	int fd = conn->msg.fds[i];

	conn->msg.fds[i] = -1;
	return fd;
}

/* Room for the descriptors of one packet; more of them are cut off. */
union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(VHOST_MAX_FDS * sizeof(int))];
};

/* All that came are kept or closed, whatever is wrong with them. */
static bool keep_fds(struct vhost_msg *msg, struct msghdr *hdr)
{
	bool fit = !(hdr->msg_flags & MSG_CTRUNC);
	struct cmsghdr *c;
	size_t i, nr;
	int fd;

	for (c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		nr = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < nr; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (msg->nr_fds < VHOST_MAX_FDS) {
				msg->fds[msg->nr_fds++] = fd;
			} else {
				close(fd);
				fit = false;
			}
		}
	}
	return fit;
}

/* Up to @want bytes in all; what recvmsg(2) returns. */
static ssize_t receive(struct vhost_conn *conn, size_t want, bool *ret_fit)
{
	struct vhost_msg *msg = &conn->msg;
	union control control;
	bool in_head = msg->got < sizeof(msg->head);
	char *at = in_head ? (char *)&msg->head + msg->got
			   : (char *)&msg->payload +
				     (msg->got - sizeof(msg->head));
	struct iovec iov = { at, want - msg->got };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	do {
		n = recvmsg(conn->fd, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	*ret_fit = n < 0 || keep_fds(msg, &hdr);
	return n;
}

static int check_header(const struct vhost_header *head, struct why *why)
{
	if ((head->flags & VHOST_VERSION_MASK) != VHOST_VERSION)
		return why_set(why, -EPROTO,
			       "message %u: version %u of the protocol",
			       head->request, head->flags & VHOST_VERSION_MASK);
	if (head->flags & VHOST_REPLY)
		return why_set(why, -EPROTO,
			       "message %u is an answer to nothing",
			       head->request);
	if (head->size > sizeof(union vhost_payload))
		return why_set(why, -EPROTO, "message %u has %u bytes",
			       head->request, head->size);
	return 0;
}

static int gone(const struct vhost_conn *conn, struct why *why)
{
	return why_set(why, -ECONNRESET, "%s",
		       conn->msg.got ? "it left in the middle of a message"
				     : "it left");
}

int vhost_conn_receive(struct vhost_conn *conn, struct why *why)
{
	struct vhost_msg *msg = &conn->msg;
	size_t want;
	ssize_t n;
	bool fit;
	int err;

	for (;;) {
		want = sizeof(msg->head);
		if (msg->got >= want)
			want += msg->head.size;
		if (msg->got >= sizeof(msg->head) && msg->got == want)
			return 1;
		n = receive(conn, want, &fit);
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			return gone(conn, why);
		if (!fit)
			return why_set(why, -EPROTO,
				       "too many descriptors with a message");
		msg->got += (size_t)n;
		if (msg->got == sizeof(msg->head)) {
			err = check_header(&msg->head, why);
			if (err)
				return err;
		}
	}
}

int vhost_conn_reply(struct vhost_conn *conn, const void *data, size_t len,
		     int fd, struct why *why)
{
	struct vhost_header head = {
		.request = conn->msg.head.request,
		.flags = VHOST_VERSION | VHOST_REPLY,
		.size = (uint32_t)len,
	};
	struct iovec iov[2] = { { &head, sizeof(head) },
				{ (void *)data, len } };
	union control control = { .buf = { 0 } };
	struct msghdr hdr = { .msg_iov = iov, .msg_iovlen = 2 };
	struct cmsghdr *c = &control.align;
	ssize_t n;

	if (fd >= 0) {
		hdr.msg_control = &control;
		hdr.msg_controllen = CMSG_SPACE(sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(conn->fd, &hdr, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)(sizeof(head) + len))
		return why_set(why, -EPROTO, "it does not take its answers");
	return 0;
}
