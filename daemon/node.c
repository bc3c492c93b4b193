/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Opening the node of a volume: see node.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/node.h"
#include "vduse/vdpa.h"

static mode_t type_of(const struct vdpa_binding *at)
{
	return at->driver == VDPA_VHOST ? S_IFCHR : S_IFBLK;
}

static bool is_it(const struct vdpa_binding *at, const struct stat *st)
{
	return (st->st_mode & S_IFMT) == type_of(at) &&
	       st->st_rdev == at->number;
}

/* To open something else might have effects of its own. */
static int open_path(const char *path, const struct vdpa_binding *at, int flags)
{
	struct stat st;
	int fd;

	if (stat(path, &st))
		return -errno;
	if (!is_it(at, &st))
		return -ENOENT;
	fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !is_it(at, &st)) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

int node_open(const struct vdpa_binding *at, int flags)
{
	char path[VDPA_NODE_MAX + 8];

	snprintf(path, sizeof(path), "/dev/%s", at->node);
	return open_path(path, at, flags);
}

int node_open_by_number(const struct vdpa_binding *at, int flags)
{
	char path[VDPA_NODE_MAX + 32];
	int fd = node_open(at, flags);

	if (fd != -ENOENT)
		return fd;
	snprintf(path, sizeof(path), "/dev/.%s-vcrypt-%d", at->node,
		 (int)getpid());
	if (mknod(path, type_of(at) | 0600, at->number))
		return -errno;
	fd = open_path(path, at, flags);
	unlink(path);
	return fd;
}
