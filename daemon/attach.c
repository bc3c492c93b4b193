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
#include <time.h>
#include <unistd.h>

#include "daemon/attach.h"
#include "daemon/inuse.h"
#include "daemon/sandbox.h"
#include "vduse/vdpa.h"

#define NODE_WAIT_MS  10000
#define NODE_PAUSE_MS 10

/* devtmpfs makes the node, under the kernel's name for it. */
static int try_open(const char *block, int flags)
{
	char path[BLOCK_NAME_MAX + 8];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", block);
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
 * A program that wrote to the path of a disk that was gone made a file of it.
 */
static bool is_in_the_way(const char *block)
{
	return try_open(block, 0) == -ENOTBLK;
}

static int wait_for_node(const char *name, char block[static BLOCK_NAME_MAX])
{
	const struct timespec pause = { 0, NODE_PAUSE_MS * 1000000L };
	int i, fd;

	for (i = 0; i < NODE_WAIT_MS / NODE_PAUSE_MS; i++) {
		if (!vdpa_block_name(name, block, BLOCK_NAME_MAX)) {
			fd = try_open(block, 0);
			if (fd >= 0) {
				close(fd);
				return 0;
			}
		}
		nanosleep(&pause, NULL);
	}
	return -ETIMEDOUT;
}

void attach_volume(const char *name, struct attach_result *ret)
{
	ret->err = vdpa_attach(name, &ret->why);
	if (ret->err)
		return;
	ret->err = wait_for_node(name, ret->block);
	if (!ret->err)
		return;
	if (ret->block[0] && is_in_the_way(ret->block))
		why_set(&ret->why, 0,
			"%s: /dev/%s is no block device but in its way (rm it)",
			name, ret->block);
	else
		why_set(&ret->why, 0,
			"%s: the kernel made no disk of it (modprobe "
			"virtio_vdpa virtio_blk; see dmesg)",
			name);
	vdpa_detach(name, NULL);
}

/*
 * The exclusive open keeps mounts away until the device is gone, and fails
 * for those of other mount namespaces, which block_in_use cannot see.
 */
static int claim(const char *block, bool flush, int *ret_fd, struct why *why)
{
	int fd, err;

	fd = try_open(block, O_EXCL);
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
	*ret_fd = fd;
	return 0;
}

void detach_volume(const char *name, enum attach_what how,
		   struct attach_result *ret)
{
	char block[BLOCK_NAME_MAX];
	int fd = -1;

	ret->err = 0;
	if (!vdpa_is_attached(name))
		return;
	if (how != DETACH_FORCE && !vdpa_block_name(name, block, sizeof(block)))
		ret->err = claim(block, how == DETACH, &fd, &ret->why);
	if (!ret->err) {
		ret->err = vdpa_detach(name, &ret->why);
		if (ret->err == -ENODEV)
			ret->err = 0;
	}
	if (fd >= 0)
		close(fd);
}

void check_unused(const char *name, struct attach_result *ret)
{
	char block[BLOCK_NAME_MAX];
	int fd = -1;

	ret->err = vdpa_block_name(name, block, sizeof(block));
	if (!ret->err)
		ret->err = claim(block, true, &fd, &ret->why);
	if (fd >= 0)
		close(fd);
}

_Noreturn static void child_main(enum attach_what what, const char *name,
				 int fd, pid_t parent)
{
	struct attach_result res = { 0 };

	/* It must hold neither the lock nor the sockets of the monitor. */
	sandbox_close_others(&fd, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (what == ATTACH)
		attach_volume(name, &res);
	else if (what == CHECK_UNUSED)
		check_unused(name, &res);
	else
		detach_volume(name, what, &res);
	_exit(write(fd, &res, sizeof(res)) != sizeof(res));
}

int attach_start(struct attach_child *child, enum attach_what what,
		 const char *name)
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
		child_main(what, name, fds[1], parent);
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
