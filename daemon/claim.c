/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Keeping others away from a node: see claim.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/claim.h"
#include "daemon/node_hold.h"
#include "daemon/inuse.h"
#include "lib/why.h"

#define PAUSE_MS   2
#define CLOSING_MS 2000

static void pause_a_little(void)
{
	const struct timespec pause = { 0, PAUSE_MS * 1000000L };

	nanosleep(&pause, NULL);
}

int claim_open_block(const char *node, int flags)
{
	char path[VDPA_NODE_MAX + 8];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", node);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISBLK(st.st_mode)) {
		close(fd);
		return -ENOTBLK;
	}
	return fd;
}

/*
 * The exclusive open keeps mounts away until the device is gone, and fails
 * for those of other mount namespaces, which block_in_use cannot see.
 */
static int claim_block(struct claim *claim, bool flush, struct why *why)
{
	const char *block = claim->at.node;
	int fd, err;

	fd = claim_open_block(block, O_EXCL);
	if (fd == -EBUSY) {
		err = block_in_use(block, why);
		return err ? err
			   : why_set(why, -EBUSY,
				     "/dev/%s: is in use (mounted in another "
				     "mount namespace?)",
				     block);
	}
	if (fd < 0)
		return why_set(why, fd, "/dev/%s: %s", block, strerror(-fd));
	err = block_in_use(block, why);
	if (!err && flush && fsync(fd))
		err = why_set(why, -errno,
			      "/dev/%s: what is cached cannot be written: %s "
			      "(--force gives it up)",
			      block, strerror(errno));
	if (err) {
		close(fd);
		return err;
	}
	claim->fd = fd;
	return 0;
}

/*
 * A program that closes the node, or ends, has it open until the device has
 * been reset, while no process shows it any more.
 */
static int open_vhost(const char *node, struct why *user)
{
	char path[VDPA_NODE_MAX + 8];
	int i, fd;

	snprintf(path, sizeof(path), "/dev/%s", node);
	for (i = 0; i < CLOSING_MS / PAUSE_MS; i++) {
		fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
		if (fd >= 0 || errno != EBUSY)
			return fd >= 0 ? fd : -errno;
		if (vhost_node_in_use(node, user))
			return -EBUSY;
		pause_a_little();
	}
	return why_set(user, -EBUSY,
		       "/dev/%s: is in use (by a process of another pid "
		       "namespace?)",
		       node);
}

/*
 * Other errors than EBUSY come when the kernel gave the device up: nobody
 * can open the node then, or has it open.
 */
static int claim_vhost(struct claim *claim, enum attach_what how,
		       struct why *why)
{
	bool must = how != DETACH_FORCE && how != DETACH_LOST;
	struct why user = { "" };
	int fd;

	fd = open_vhost(claim->at.node, &user);
	if (fd == -EBUSY)
		return why_set(why, fd, "%s%s", user.text,
			       how == DETACH_FORCE
				       ? "; --force cannot take it away there"
				       : "");
	if (fd < 0 && must)
		return why_set(why, fd, "/dev/%s: %s (--force gives it up)",
			       claim->at.node, strerror(-fd));
	claim->fd = fd < 0 ? -1 : fd;
	return 0;
}

/*
 * Somebody may take the device from vhost_vdpa by hand, and wait in the kernel
 * until a program has closed its node.  To remove the device would be to wait
 * with him.
 */
static int check_unbound(const char *name, struct why *why)
{
	int i;

	for (i = 0; i < CLOSING_MS / PAUSE_MS; i++) {
		if (!vdpa_is_unbinding(name))
			return 0;
		pause_a_little();
	}
	return why_set(why, -EBUSY,
		       "%s: it is being taken from its driver, which waits "
		       "until a program has closed it",
		       name);
}

int claim_take(struct claim *claim, const char *name, enum attach_what how,
	       struct why *why)
{
	*claim = (struct claim){ .fd = -1 };
	vdpa_find(name, &claim->at);
	if (claim->at.driver == VDPA_NO_DRIVER)
		return check_unbound(name, why);
	if (!claim->at.node[0])
		return 0;
	if (claim->at.driver == VDPA_VHOST)
		return claim_vhost(claim, how, why);
	if (how == DETACH_FORCE)
		return 0;
	return claim_block(claim, how != DETACH_LOST, why);
}

void claim_drop(struct claim *claim)
{
	if (claim->fd >= 0)
		close(claim->fd);
	claim->fd = -1;
}

static int remove_vhost(struct claim *claim,
			int (*remove)(const char *name, struct why *why),
			const char *name, struct why *why)
{
	struct node_hold hold;
	int err;

	err = node_hold_start(&hold, claim->fd, claim->at.number);
	if (err)
		return why_set(why, err, "%s: %s", name, strerror(-err));
	claim_drop(claim);
	err = remove(name, why);
	node_hold_end(&hold);
	return err;
}

int claim_remove(struct claim *claim,
		 int (*remove)(const char *name, struct why *why),
		 const char *name, struct why *why)
{
	int err;

	if (claim->at.driver == VDPA_VHOST && claim->fd >= 0)
		err = remove_vhost(claim, remove, name, why);
	else
		err = remove(name, why);
	claim_drop(claim);
	return err;
}
