/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The vDPA bus: see vdpa.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <linux/vdpa.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "lib/why.h"
#include "vduse/vdpa.h"

/* libnl's own codes are coarser than the kernel's errno, so that is kept. */
static int keep_error(struct sockaddr_nl *nla, struct nlmsgerr *err, void *arg)
{
	*(int *)arg = err->error;
	return NL_STOP;
}

static int keep_ack(struct nl_msg *msg, void *arg)
{
	*(int *)arg = 0;
	return NL_STOP;
}

static int connect_vdpa(struct nl_sock **ret_sock, int *ret_family)
{
	struct nl_sock *sock = nl_socket_alloc();
	int family;

	if (!sock)
		return -ENOMEM;
	if (genl_connect(sock)) {
		nl_socket_free(sock);
		return -EPROTONOSUPPORT;
	}
	family = genl_ctrl_resolve(sock, VDPA_GENL_NAME);
	if (family < 0) {
		nl_socket_free(sock);
		return -ENOENT;
	}
	*ret_sock = sock;
	*ret_family = family;
	return 0;
}

static int build(struct nl_msg *msg, int family, uint8_t cmd, const char *name)
{
	if (!genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0,
			 NLM_F_REQUEST | NLM_F_ACK, cmd, VDPA_GENL_VERSION))
		return -ENOMEM;
	if (nla_put_string(msg, VDPA_ATTR_DEV_NAME, name))
		return -ENOMEM;
	if (cmd == VDPA_CMD_DEV_NEW &&
	    nla_put_string(msg, VDPA_ATTR_MGMTDEV_DEV_NAME, "vduse"))
		return -ENOMEM;
	return 0;
}

static int exchange(struct nl_sock *sock, struct nl_msg *msg)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int res = 1;

	if (!cb)
		return -ENOMEM;
	nl_cb_err(cb, NL_CB_CUSTOM, keep_error, &res);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, keep_ack, &res);
	/* The kernel does the work inside the send. */
	if (nl_send_auto(sock, msg) < 0)
		res = -EIO;
	while (res > 0)
		if (nl_recvmsgs(sock, cb) < 0 && res > 0)
			res = -EIO;
	nl_cb_put(cb);
	return res;
}

static int command(uint8_t cmd, const char *name)
{
	struct nl_sock *sock;
	struct nl_msg *msg;
	int family, err;

	err = connect_vdpa(&sock, &family);
	if (err)
		return err;
	err = -ENOMEM;
	msg = nlmsg_alloc();
	if (!msg)
		goto free_sock;
	err = build(msg, family, cmd, name);
	if (!err)
		err = exchange(sock, msg);
	nlmsg_free(msg);
free_sock:
	nl_socket_free(sock);
	return err;
}

static int explain(int err, const char *verb, const char *name, struct why *why)
{
	if (!err)
		return 0;
	if (err == -ENOENT || err == -EPROTONOSUPPORT)
		return why_set(why, err,
			       "%s: the kernel has no vDPA netlink (modprobe "
			       "vduse virtio_vdpa virtio_blk)",
			       name);
	if (err == -EPERM)
		return why_set(why, err,
			       "%s: cannot %s: no permission (CAP_NET_ADMIN)",
			       name, verb);
	return why_set(why, err, "%s: cannot %s: %s", name, verb,
		       strerror(-err));
}

int vdpa_attach(const char *name, struct why *why)
{
	return explain(command(VDPA_CMD_DEV_NEW, name), "attach", name, why);
}

int vdpa_detach(const char *name, struct why *why)
{
	return explain(command(VDPA_CMD_DEV_DEL, name), "detach", name, why);
}
