/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a descriptor is that a front end sent: see fd.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "lib/why.h"
#include "vhost-user/fd.h"

#define TICK_NS 1000000L

/* Not fstat(3), which is another system call, with a path, in some libraries. */
static int stat_fd(int fd, struct stat *ret)
{
	return syscall(SYS_fstat, fd, ret) ? -errno : 0;
}

bool vhost_fd_is_event(int fd)
{
	struct stat st;

	return !stat_fd(fd, &st) && !(st.st_mode & S_IFMT);
}

bool vhost_fd_is_socket(int fd)
{
	struct stat st;

	return !stat_fd(fd, &st) && S_ISSOCK(st.st_mode);
}

int vhost_fd_size(int fd, uint64_t *ret)
{
	struct stat st;
	int err = stat_fd(fd, &st);

	if (!err)
		*ret = (uint64_t)st.st_size;
	return err;
}

int vhost_fd_check_sealed(int fd, uint64_t offset, uint64_t size,
			  const char *name, struct why *why)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), has;
	struct statfs fs;
	int seals;

	if (offset % page || size > INT64_MAX || offset > INT64_MAX - size)
		return why_set(why, -EINVAL,
			       "%s cannot have %llu bytes at %llu", name,
			       (unsigned long long)size,
			       (unsigned long long)offset);
	if (fstatfs(fd, &fs) || fs.f_type != TMPFS_MAGIC)
		return why_set(why, -EINVAL, "%s is not in a memfd", name);
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || !(seals & F_SEAL_SHRINK))
		return why_set(why, -EINVAL,
			       "%s could be cut (it has no F_SEAL_SHRINK)",
			       name);
	if (vhost_fd_size(fd, &has) || has < offset + size)
		return why_set(why, -EINVAL, "%s ends behind its file", name);
	return 0;
}

int vhost_fd_ticks(void)
{
	const struct itimerspec every = { { 0, TICK_NS }, { 0, TICK_NS } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	if (timerfd_settime(fd, 0, &every, NULL)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}
