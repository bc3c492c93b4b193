/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Attaching and detaching: see attach.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/attach.h"
#include "daemon/claim.h"
#include "daemon/node.h"
#include "daemon/sandbox.h"
#include "daemon/volume.h"
#include "lib/clock.h"
#include "vduse/vdpa.h"

#define NODE_WAIT_MS  10000
#define NODE_PAUSE_MS 10

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

/*
 * The driver whose module was loaded first has taken the device.  Another is
 * given it by hand: the switch that keeps the bus from choosing is for all
 * devices of the machine.
 */
static int give_to(const char *name, enum vdpa_driver driver, struct why *why)
{
	struct vdpa_binding at;
	struct claim claim;
	int err = 0;

	vdpa_find(name, &at);
	if (at.driver == driver)
		return 0;
	if (at.driver != VDPA_NO_DRIVER) {
		err = claim_take(&claim, name, DETACH_FORCE, why);
		if (!err)
			err = claim_remove(&claim,
					   at.driver == VDPA_VHOST
						   ? unbind_vhost
						   : unbind_virtio,
					   name, why);
	}
	return err ? err : vdpa_bind(name, driver, why);
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
		vdpa_detach(name, NULL);
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
				 pid_t parent)
{
	const char *name = volume->name;
	struct attach_result res = { 0 };

	/* It must hold neither the lock nor the sockets of the monitor. */
	sandbox_close_others(&fd, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
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
		 const struct volume *volume)
{
	pid_t pid, parent = getpid();
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return -errno;
	}
	if (!pid)
		child_main(what, volume, fds[1], parent);
	close(fds[1]);
	child->pid = pid;
	child->result_fd = fds[0];
	return 0;
}

void attach_collect(struct attach_child *child, struct attach_result *ret)
{
	ssize_t n = read(child->result_fd, ret, sizeof(*ret));

	if (n != sizeof(*ret)) {
		memset(ret, 0, sizeof(*ret));
		ret->err = -EIO;
		why_set(&ret->why, 0,
			"the process that talks to the vDPA bus was killed");
	}
	close(child->result_fd);
	waitpid(child->pid, NULL, 0);
	child->pid = 0;
	child->result_fd = -1;
}
