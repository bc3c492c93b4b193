/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Attaching and detaching: see attach.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/attach.h"
#include "daemon/claim.h"
#include "daemon/node.h"
#include "daemon/runtime.h"
#include "daemon/sandbox.h"
#include "daemon/volume.h"
#include "lib/clock.h"
#include "vduse/vdpa.h"

#define NODE_WAIT_MS   10000
#define NODE_PAUSE_MS  10
#define CLAIM_WAIT_MS  3000
#define CLAIM_PAUSE_MS 50

/* devtmpfs makes the node, under the kernel's name for it. */
static bool can_be_used(const struct vdpa_binding *at)
{
	char path[VDPA_NODE_MAX + 8];
	struct stat st;
	int fd;

	/* To open that of vhost_vdpa is to keep others out. */
	if (at->driver == VDPA_VHOST) {
		snprintf(path, sizeof(path), "/dev/%s", at->node);
		return !stat(path, &st) && S_ISCHR(st.st_mode);
	}
	fd = node_open(at, O_RDONLY);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int wait_for_node(const char *name, enum vdpa_driver driver,
			 struct vdpa_binding *at)
{
	int64_t deadline = clock_ms() + NODE_WAIT_MS;

	for (;;) {
		vdpa_find(name, at);
		if (at->driver == driver && at->node[0] && can_be_used(at))
			return 0;
		if (clock_ms() >= deadline)
			return -ETIMEDOUT;
		clock_pause(NODE_PAUSE_MS);
	}
}

/*
 * A program that wrote to the path of a node that was gone made a file of it.
 */
static bool is_in_the_way(const char *node)
{
	char path[VDPA_NODE_MAX + 8];
	struct stat st;

	snprintf(path, sizeof(path), "/dev/%s", node);
	return node[0] && !stat(path, &st) && !S_ISBLK(st.st_mode) &&
	       !S_ISCHR(st.st_mode);
}

static int explain_no_node(const char *name, enum vdpa_driver driver,
			   const struct vdpa_binding *at, struct why *why)
{
	bool vhost = driver == VDPA_VHOST;

	if (is_in_the_way(at->node))
		return why_set(why, -ETIMEDOUT,
			       "%s: /dev/%s is no %s device but in its way (rm "
			       "it)",
			       name, at->node, vhost ? "character" : "block");
	return why_set(why, -ETIMEDOUT,
		       "%s: the kernel made no %s of it (modprobe %s; see "
		       "dmesg)",
		       name, vhost ? "vhost-vdpa node" : "disk",
		       vhost ? "vhost_vdpa" : "virtio_vdpa virtio_blk");
}

static int unbind_virtio(const char *name, struct why *why)
{
	return vdpa_unbind(name, VDPA_VIRTIO, why);
}

static int unbind_vhost(const char *name, struct why *why)
{
	return vdpa_unbind(name, VDPA_VHOST, why);
}

static int take_from(const char *name, enum vdpa_driver driver, struct why *why)
{
	int64_t deadline = clock_ms() + CLAIM_WAIT_MS;
	struct claim claim;
	int err;

	/* Who looks at every new disk has it open for a moment. */
	for (;;) {
		err = claim_take(&claim, name, DETACH, why);
		if (!err || clock_ms() >= deadline)
			break;
		clock_pause(CLAIM_PAUSE_MS);
	}
	if (err)
		return err;
	return claim_remove(&claim,
			    driver == VDPA_VHOST ? unbind_vhost : unbind_virtio,
			    name, why);
}

/*
 * The driver whose module was loaded first has taken the device.  Another is
 * given it by hand: the switch that keeps the bus from choosing is for all
 * devices of the machine.
 */
static int give_to(const char *name, enum vdpa_driver driver, struct why *why)
{
	struct vdpa_binding at;
	int err = 0;

	vdpa_find(name, &at);
	if (at.driver == driver)
		return 0;
	if (at.driver != VDPA_NO_DRIVER)
		err = take_from(name, at.driver, why);
	return err ? err : vdpa_bind(name, driver, why);
}

/* Off the bus again, unless somebody uses it. */
static void undo(const char *name, struct attach_result *ret)
{
	int64_t deadline = clock_ms() + CLAIM_WAIT_MS;
	struct attach_result res;

	for (;;) {
		detach_volume(name, DETACH, &res);
		if (!res.err)
			return;
		if (clock_ms() >= deadline)
			break;
		clock_pause(CLAIM_PAUSE_MS);
	}
	ret->stays = true;
	/* The cause is mostly the same. */
	if (strcmp(ret->why.text, res.why.text))
		why_prefix(&res.why, "%s", ret->why.text);
	ret->why = res.why;
}

void attach_volume(const char *name, enum vdpa_driver driver,
		   struct attach_result *ret)
{
	struct vdpa_binding at;

	ret->err = vdpa_attach(name, &ret->why);
	if (ret->err)
		return;
	ret->err = give_to(name, driver, &ret->why);
	if (!ret->err) {
		ret->err = wait_for_node(name, driver, &at);
		if (ret->err)
			explain_no_node(name, driver, &at, &ret->why);
		else
			strcpy(ret->node, at.node);
	}
	if (ret->err)
		undo(name, ret);
}

void detach_volume(const char *name, enum attach_what how,
		   struct attach_result *ret)
{
	struct claim claim;

	ret->err = 0;
	if (!vdpa_is_attached(name))
		return;
	ret->err = claim_take(&claim, name, how, &ret->why);
	if (ret->err)
		return;
	ret->err = claim_remove(&claim, vdpa_detach, name, &ret->why);
	if (ret->err == -ENODEV)
		ret->err = 0;
}

void check_unused(const char *name, struct attach_result *ret)
{
	struct claim claim;

	ret->err = claim_take(&claim, name, CHECK_UNUSED, &ret->why);
	if (!ret->err)
		claim_drop(&claim);
}

_Noreturn static void child_main(enum attach_what what,
				 const struct volume *volume, int fd,
				 int busy_fd, pid_t parent)
{
	const char *name = volume->name;
	struct attach_result res = { 0 };
	int keep[] = { fd, busy_fd };

	/* It must hold neither NAME.lock nor the sockets of the monitor. */
	sandbox_close_others(keep, 2);
	/* Nothing has begun that somebody else could not undo. */
	if (getppid() != parent)
		_exit(1);
	if (what == ATTACH)
		attach_volume(name, volume->driver, &res);
	else if (what == CHECK_UNUSED)
		check_unused(name, &res);
	else
		detach_volume(name, what, &res);
	_exit(write(fd, &res, sizeof(res)) != sizeof(res));
}

int attach_start(struct attach_child *child, enum attach_what what,
		 const struct volume *volume, const struct runtime *rt)
{
	pid_t pid, parent = getpid();
	int fds[2], busy_fd, err;

	/* Taken here, so that there is no moment without. */
	err = runtime_lock_busy(rt, volume->name, &busy_fd);
	if (err)
		return err;
	if (pipe2(fds, O_CLOEXEC)) {
		err = -errno;
		goto close_busy;
	}
	pid = fork();
	if (!pid)
		child_main(what, volume, fds[1], busy_fd, parent);
	if (pid < 0) {
		err = -errno;
		close(fds[0]);
	} else {
		child->pid = pid;
		child->result_fd = fds[0];
	}
	close(fds[1]);
close_busy:
	close(busy_fd);
	return err;
}

void attach_collect(struct attach_child *child, struct attach_result *ret)
{
	ssize_t n = read(child->result_fd, ret, sizeof(*ret));

	if (n != sizeof(*ret)) {
		memset(ret, 0, sizeof(*ret));
		ret->err = -EIO;
		ret->stays = true;
		why_set(&ret->why, 0,
			"the process that talks to the vDPA bus was killed");
	}
	close(child->result_fd);
	waitpid(child->pid, NULL, 0);
	child->pid = 0;
	child->result_fd = -1;
}
