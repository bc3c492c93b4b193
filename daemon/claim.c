/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Keeping others away from a node: see claim.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "daemon/claim.h"
#include "daemon/node_hold.h"
#include "daemon/inuse.h"
#include "daemon/node.h"
#include "lib/clock.h"
#include "lib/why.h"

#define PAUSE_MS   5
#define SCAN_MS	   100 /* a look at every process takes a while */
#define CLOSING_MS 2000

/*
 * The exclusive open keeps mounts away until the device is gone, and fails
 * for those of other mount namespaces, which block_in_use cannot see.
 */
static int claim_block(struct claim *claim, bool flush, struct why *why)
{
	const char *block = claim->at.node;
	int fd, err;

	fd = node_open_by_number(&claim->at, O_RDONLY | O_EXCL);
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

/* A node that comes, or goes while somebody may still have it open. */
static bool may_change(int err)
{
	return err == -EBUSY || err == -ENXIO || err == -ENODEV ||
	       err == -ENOENT;
}

/*
 * A program that closes the node, or ends, has it open until the device has
 * been reset, while no process shows it any more.
 */
static int open_vhost(const struct vdpa_binding *at, struct why *why)
{
	int64_t now = clock_ms(), deadline = now + CLOSING_MS, scan = now;
	int fd;

	for (;;) {
		fd = node_open_by_number(at, O_RDWR);
		if (!may_change(fd))
			break;
		if (fd == -EBUSY && now >= scan) {
			if (vhost_node_in_use(at->node, why))
				return -EBUSY;
			scan = clock_ms() + SCAN_MS;
		}
		if (now >= deadline)
			break;
		clock_pause(PAUSE_MS);
		now = clock_ms();
	}
	if (fd == -EBUSY)
		why_set(why, 0,
			"/dev/%s: is in use (by a process of another pid "
			"namespace?)",
			at->node);
	else if (fd < 0)
		why_set(why, 0, "/dev/%s: %s", at->node, strerror(-fd));
	return fd;
}

/*
 * The kernel lets one in, then resets the device, which is -EIO when nobody
 * answers or it gave the device up: nobody has the node open then.  No other
 * error says so, and to remove a node that somebody has open is to wait for
 * him.
 */
static int claim_vhost(struct claim *claim, enum attach_what how,
		       struct why *why)
{
	bool must = how != DETACH_FORCE && how != DETACH_LOST;
	struct why cause = { "" };
	int fd;

	fd = open_vhost(&claim->at, &cause);
	if (fd >= 0 || (fd == -EIO && !must)) {
		claim->fd = fd < 0 ? -1 : fd;
		return 0;
	}
	if (fd == -EIO)
		return why_set(why, fd, "%s (--force gives it up)", cause.text);
	return why_set(why, must ? fd : -EBUSY, "%s%s", cause.text,
		       how == DETACH_FORCE ? "; --force cannot take it away "
					     "there"
					   : "");
}

/*
 * Somebody may take the device from vhost_vdpa by hand, and wait in the kernel
 * until a program has closed its node.  To remove the device would be to wait
 * with him.
 */
static int check_unbound(const char *name, struct why *why)
{
	int64_t deadline = clock_ms() + CLOSING_MS;

	while (vdpa_is_unbinding(name)) {
		if (clock_ms() >= deadline)
			return why_set(why, -EBUSY,
				       "%s: it is being taken from its "
				       "driver, which waits until a program "
				       "has closed it",
				       name);
		clock_pause(SCAN_MS);
	}
	return 0;
}

/* vhost_vdpa has the node that it makes from its first moment to its last. */
static int find_settled(const char *name, struct vdpa_binding *at,
			struct why *why)
{
	int64_t deadline = clock_ms() + CLOSING_MS;

	for (;;) {
		vdpa_find(name, at);
		if (at->driver != VDPA_VHOST || at->node[0])
			return 0;
		if (clock_ms() >= deadline)
			return why_set(why, -EBUSY,
				       "%s: it is being given to vhost_vdpa or "
				       "taken from it",
				       name);
		clock_pause(PAUSE_MS);
	}
}

int claim_take(struct claim *claim, const char *name, enum attach_what how,
	       struct why *why)
{
	int err;

	*claim = (struct claim){ .fd = -1 };
	err = find_settled(name, &claim->at, why);
	if (err)
		return err;
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
