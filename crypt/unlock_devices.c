/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A cell with devices: see unlock_devices.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crypt/unlock_devices.h"

/* Everything that changes a file or a folder and that Landlock's first
 * version knows. */
#define CHANGES                                                           \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_EXECUTE |     \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |     \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |     \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |   \
	 LANDLOCK_ACCESS_FS_MAKE_SYM)

static int keep_capability(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {
		{ .effective = 1u << CAP_DAC_OVERRIDE,
		  .permitted = 1u << CAP_DAC_OVERRIDE },
	};
	struct __user_cap_data_struct now[2];

	if (syscall(SYS_capget, &head, now))
		return -errno;
	data[0].effective &= now[0].permitted;
	data[0].permitted &= now[0].permitted;
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

static int allow_node(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_WRITE_FILE,
		.parent_fd = open(path, O_PATH | O_CLOEXEC),
	};
	int r = 0;

	if (rule.parent_fd < 0)
		return -errno;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		    &rule, 0))
		r = -errno;
	close(rule.parent_fd);
	return r;
}

static int allow_nodes(int ruleset, const char *pattern)
{
	glob_t found;
	size_t i;
	int r = 0;

	if (!pattern || glob(pattern, 0, NULL, &found))
		return 0;
	for (i = 0; !r && i < found.gl_pathc; i++)
		r = allow_node(ruleset, found.gl_pathv[i]);
	globfree(&found);
	/* A device that went away is the plugin's to explain. */
	return r == -ENOENT ? 0 : r;
}

static int bound_writing(const struct unlock_devices *devices)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = CHANGES };
	int ruleset, r;

	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr),
			       0);
	if (ruleset < 0) /* not in this kernel, or not in use */
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	r = allow_nodes(ruleset, devices->nodes[0]);
	if (!r)
		r = allow_nodes(ruleset, devices->nodes[1]);
	if (!r && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		   syscall(SYS_landlock_restrict_self, ruleset, 0)))
		r = -errno;
	close(ruleset);
	return r;
}

int unlock_devices_restrict(const struct unlock_devices *devices)
{
	int r = bound_writing(devices);

	/* Without a terminal there is none to type commands at (TIOCSTI). */
	if (!r && setsid() < 0)
		r = -errno;
	return r ? r : keep_capability();
}

/* Of open descriptors, and of folders such as those of sysfs. */
static const int device_calls[] = {
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(pwrite64),
	SCMP_SYS(ioctl),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(getdents64),
	SCMP_SYS(fcntl),
	SCMP_SYS(flock),
	SCMP_SYS(fsync),
	SCMP_SYS(dup),
	SCMP_SYS(fallocate),
	SCMP_SYS(ftruncate),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(pipe2),
	SCMP_SYS(eventfd2),
};

/* Of a socket, once there is one. */
static const int socket_calls[] = {
	SCMP_SYS(connect),     SCMP_SYS(sendto),     SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom),    SCMP_SYS(recvmsg),    SCMP_SYS(shutdown),
	SCMP_SYS(getsockopt),  SCMP_SYS(setsockopt), SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
};

static int allow_calls(scmp_filter_ctx ctx, const int *calls, size_t n)
{
	int r = 0;

	while (!r && n--)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[n], 0);
	return r;
}

int unlock_devices_allow(void *ctx, const struct unlock_devices *devices)
{
	/* O_TRUNC cuts a file that is opened for reading only, too. */
	const scmp_datum_t make = O_CREAT | O_TRUNC |
				  (O_TMPFILE & ~O_DIRECTORY);
	int r;

	r = allow_calls(ctx, device_calls,
			sizeof(device_calls) / sizeof(device_calls[0]));
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, make, 0));
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
				     SCMP_A1(SCMP_CMP_MASKED_EQ, make, 0));
	if (r || !devices->sockets)
		return r;
	r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
			     SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	if (!r)
		r = allow_calls(ctx, socket_calls,
				sizeof(socket_calls) / sizeof(socket_calls[0]));
	return r;
}
