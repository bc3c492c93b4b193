/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What the worker gives up before it reads a byte of driver memory.
 */
#ifndef DAEMON_SANDBOX_H
#define DAEMON_SANDBOX_H

#include <sys/types.h>

struct why;

/*
 * Who the worker becomes when the command runs as root: @user when given,
 * else the owner of the image (@image_fd) when that is not root, else the
 * system user "vcrypt", else "nobody".  For others: who they are.
 */
int sandbox_choose_user(const char *user, int image_fd, uid_t *ret_uid,
			gid_t *ret_gid, struct why *why);

/*
 * Raise the limit of locked memory as far as is allowed, then become @uid and
 * @gid for good, without capabilities or other groups.  Without root the user
 * stays, and only capabilities and the door to new privileges are given up.
 * To be called before there are other threads, which would keep theirs.
 */
int sandbox_drop_user(uid_t uid, gid_t gid);

/*
 * Ask the kernel, where root may, to spare this process when memory runs out
 * and not to wait in it for memory that its own block device would have to
 * write back first.
 */
void sandbox_protect_service(void);

/* Close every descriptor but standard error and @keep (@nr of them). */
void sandbox_close_others(const int *keep, unsigned nr);

enum sandbox_transport {
	SANDBOX_VDUSE,
	SANDBOX_VHOST,
};

/*
 * Install the seccomp filter in all threads: reading and writing what is
 * open, the ring, memory that cannot be executed; no file, process or signal
 * of anybody else.  For VDUSE its ioctls, and no socket; for vhost-user taking
 * connections and messages on the sockets that there are.
 */
int sandbox_enter(enum sandbox_transport transport);

#endif
