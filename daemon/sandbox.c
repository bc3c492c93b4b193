/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What the worker gives up: see sandbox.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/vduse.h>

#include "daemon/sandbox.h"
#include "lib/secmem.h"
#include "lib/why.h"

static int use_entry(const struct passwd *pw, uid_t *ret_uid, gid_t *ret_gid)
{
	*ret_uid = pw->pw_uid;
	*ret_gid = pw->pw_gid;
	return 0;
}

int sandbox_choose_user(const char *user, int image_fd, uid_t *ret_uid,
			gid_t *ret_gid, struct why *why)
{
	const struct passwd *pw;
	struct stat st;

	if (user) {
		pw = getpwnam(user);
		if (!pw)
			return why_set(why, -EDOM, "%s: no such user", user);
		if (geteuid() && pw->pw_uid != geteuid())
			return why_set(why, -EPERM,
				       "%s: only root can serve as another "
				       "user",
				       user);
		return use_entry(pw, ret_uid, ret_gid);
	}
	*ret_uid = geteuid();
	*ret_gid = getegid();
	if (geteuid())
		return 0;
	if (!fstat(image_fd, &st) && S_ISREG(st.st_mode) && st.st_uid) {
		*ret_uid = st.st_uid;
		*ret_gid = st.st_gid;
		return 0;
	}
	pw = getpwnam("vcrypt");
	if (!pw)
		pw = getpwnam("nobody");
	if (!pw)
		return why_set(why, -EINVAL,
			       "no user \"vcrypt\" or \"nobody\" to serve as "
			       "(--user NAME)");
	return use_entry(pw, ret_uid, ret_gid);
}

/*
 * A change of user takes them, but not from one who stays root or has them
 * from the file of the command.
 */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capset, &header, none) ? -errno : 0;
}

/*
 * Registered buffers count as locked memory of the user.  Root of a container
 * may be refused (CAP_SYS_RESOURCE): it goes without them.
 */
static void raise_limits(void)
{
	struct rlimit lim = { RLIM_INFINITY, RLIM_INFINITY };

	if (!setrlimit(RLIMIT_MEMLOCK, &lim) || getrlimit(RLIMIT_MEMLOCK, &lim))
		return;
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &lim);
}

int sandbox_drop_user(uid_t uid, gid_t gid)
{
	int err;

	raise_limits();
	if (geteuid() == 0) {
		if (setgroups(0, NULL) || setresgid(gid, gid, gid) ||
		    setresuid(uid, uid, uid))
			return -errno;
		if (uid && (!setuid(0) || !seteuid(0)))
			return -EPERM;
	}
	err = drop_capabilities();
	if (err)
		return err;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	/* A change of user resets the dumpable flag. */
	return secmem_protect_process();
}

void sandbox_protect_service(void)
{
	int fd;

	prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* Without root it is an ordinary process: nothing is to be done. */
	dprintf(fd, "-1000");
	close(fd);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void sandbox_close_others(const int *keep, unsigned nr)
{
	unsigned next = 3, i;
	int sorted[16];

	if (nr > 16)
		abort();
	memcpy(sorted, keep, nr * sizeof(*keep));
	qsort(sorted, nr, sizeof(*sorted), by_number);
	for (i = 0; i < nr; i++) {
		if (sorted[i] < (int)next)
			continue;
		if (sorted[i] > (int)next)
			close_range(next, (unsigned)sorted[i] - 1, 0);
		next = (unsigned)sorted[i] + 1;
	}
	close_range(next, ~0U, 0);
}

static const int allowed_calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(close),
	SCMP_SYS(lseek), /* the image's size, at a flush */
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(munmap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(sched_yield),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

static const uint32_t allowed_ioctls[] = {
	VDUSE_IOTLB_GET_FD,   VDUSE_DEV_GET_FEATURES,
	VDUSE_DEV_SET_CONFIG, VDUSE_DEV_INJECT_CONFIG_IRQ,
	VDUSE_VQ_GET_INFO,    VDUSE_VQ_SETUP_KICKFD,
	VDUSE_VQ_INJECT_IRQ,
};

/* For connections, and for the descriptors that come through them. */
static const int allowed_vhost_calls[] = {
	SCMP_SYS(accept4),	  SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),	  SCMP_SYS(shutdown),
	SCMP_SYS(fstat),	  SCMP_SYS(fstatfs),
	SCMP_SYS(dup3),		  SCMP_SYS(poll),
	SCMP_SYS(ppoll),	  SCMP_SYS(preadv2),
	SCMP_SYS(eventfd2),	  SCMP_SYS(memfd_create),
	SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
};

static int add_vhost_rules(scmp_filter_ctx ctx)
{
	static const int seals[] = { F_ADD_SEALS, F_GET_SEALS };
	size_t i;
	int err = 0;

	for (i = 0; !err && i < sizeof(allowed_vhost_calls) / sizeof(int); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW,
				       allowed_vhost_calls[i], 0);
	for (i = 0; !err && i < 2; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
				       SCMP_A1(SCMP_CMP_EQ,
					       (scmp_datum_t)seals[i]));
	return err;
}

static int add_vduse_rules(scmp_filter_ctx ctx)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < sizeof(allowed_ioctls) / sizeof(uint32_t); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				       SCMP_A1(SCMP_CMP_EQ, allowed_ioctls[i]));
	return err;
}

static int add_rules(scmp_filter_ctx ctx)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < sizeof(allowed_calls) / sizeof(int); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed_calls[i],
				       0);
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC,
					       0));
	if (!err)
		err = seccomp_rule_add(
			ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* abort(3) signals its own thread. */
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				       SCMP_A0(SCMP_CMP_EQ,
					       (scmp_datum_t)getpid()));
	return err;
}

int sandbox_enter(enum sandbox_transport transport)
{
	scmp_filter_ctx ctx;
	int err;

	/* What is not allowed fails; it does not kill the data path. */
	ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!ctx)
		return -ENOMEM;
	err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!err)
		err = add_rules(ctx);
	if (!err)
		err = transport == SANDBOX_VHOST ? add_vhost_rules(ctx)
						 : add_vduse_rules(ctx);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}
