/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What the worker cannot do any more.  Each case runs in a child, since there
 * is no way back; it names the line that was wrong.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/vduse.h>

#include "daemon/sandbox.h"
#include "lib/loop.h"
#include "lib/why.h"
#include "vhost-user/fd.h"
#include "vhost-user/log_mem.h"
#include "vhost-user/memory.h"
#include "vhost-user/ring.h"
#include "lib/why.h"

#define NOBODY 65534

/* Not _exit(3), before which sanitizers do what the filter refuses. */
static void end_child(int code)
{
	syscall(SYS_exit_group, code);
}

/* In a child, which may be unable to do anything else. */
static void need(bool condition, int line)
{
	if (condition)
		return;
	dprintf(STDERR_FILENO, "%s:%d: it is not so\n", __FILE__, line);
	end_child(1);
}

#define NEED(condition) need(condition, __LINE__)

/* Thread @tid has started and waits: for a time, or for a byte. */
static bool waits(const char *tid)
{
	char path[300];
	long call = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%s/syscall", tid);
	f = fopen(path, "re");
	NEED(f);
	/* Else it says "running". */
	if (fscanf(f, "%ld", &call) != 1)
		call = -1;
	fclose(f);
	return call == SYS_nanosleep || call == SYS_clock_nanosleep ||
	       call == SYS_read;
}

static bool all_others_wait(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	bool all = true;

	NEED(tasks);
	while (all && (task = readdir(tasks)))
		all = task->d_name[0] == '.' ||
		      atoi(task->d_name) == (int)syscall(SYS_gettid) ||
		      waits(task->d_name);
	closedir(tasks);
	return all;
}

/*
 * A thread does what the filter refuses when it starts, and the thread
 * sanitizer starts one of its own after a fork and with the first thread.
 */
static void settle(void)
{
	while (!all_others_wait())
		sched_yield();
}

/* Run @fn in a child; its exit code. */
static int in_child(void (*fn)(int i), int i)
{
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		settle();
		fn(i);
		end_child(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "killed by signal %d",
		      WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* Calls that are refused; the arguments do not matter. */
static const long refused[] = {
	SYS_open,
	SYS_openat,
	SYS_openat2,
	SYS_creat,
	SYS_unlink,
	SYS_rename,
	SYS_mkdir,
	SYS_chmod,
	SYS_fchmod,
	SYS_truncate,
	SYS_ftruncate,
	SYS_mount,
	SYS_socket,
	SYS_socketpair,
	SYS_connect,
	SYS_bind,
	SYS_sendto,
	SYS_sendmsg,
	SYS_recvmsg,
	SYS_execve,
	SYS_execveat,
	SYS_fork,
	SYS_vfork,
	SYS_clone,
	SYS_clone3,
	SYS_kill,
	SYS_tkill,
	SYS_ptrace,
	SYS_setuid,
	SYS_setresuid,
	SYS_setgid,
	SYS_capset,
	SYS_prctl,
	SYS_seccomp,
	SYS_bpf,
	SYS_io_uring_setup,
	SYS_io_uring_register,
	SYS_memfd_create,
	SYS_userfaultfd,
	SYS_pidfd_open,
	SYS_pidfd_getfd,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_keyctl,
	SYS_unshare,
	SYS_setns,
	SYS_chroot,
	SYS_pivot_root,
	SYS_reboot,
	SYS_init_module,
	SYS_perf_event_open,
	SYS_dup,
	SYS_dup2,
	SYS_fcntl,
	SYS_pkey_mprotect,
	SYS_mremap,
	SYS_shmat,
	SYS_personality,
	SYS_setrlimit,
	SYS_prlimit64,
};

static void call_refused(int i)
{
	NEED(!sandbox_enter(SANDBOX_VDUSE));
	errno = 0;
	NEED(syscall(refused[i], 0, 0, 0, 0, 0, 0) == -1);
	NEED(errno == EPERM);
}

START_TEST(test_refused)
{
	ck_assert_int_eq(in_child(call_refused, _i), 0);
}
END_TEST

/* For vhost-user messages and memory for logs are allowed, and no more. */
static bool vhost_needs(long call)
{
	return call == SYS_sendmsg || call == SYS_recvmsg ||
	       call == SYS_memfd_create;
}

static void call_refused_vhost(int i)
{
	NEED(!sandbox_enter(SANDBOX_VHOST));
	errno = 0;
	NEED(syscall(refused[i], 0, 0, 0, 0, 0, 0) == -1);
	NEED((errno == EPERM) != vhost_needs(refused[i]));
}

START_TEST(test_refused_vhost)
{
	ck_assert_int_eq(in_child(call_refused_vhost, _i), 0);
}
END_TEST

/* What a front end makes a worker do. */
static void use_vhost(int i)
{
	const struct vhost_inflight want = { .nr_queues = 2, .queue_size = 8 };
	struct vhost_log_mem log = { 0 };
	struct vhost_memory memory = { 0 };
	struct vhost_dirty dirty = { 0 };
	struct vhost_ring ring;
	struct why why;
	uint64_t size;
	int fd, pair[2];

	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	NEED(!vhost_ring_init(&ring, 0, &memory, &dirty, 8));
	NEED(!sandbox_enter(SANDBOX_VHOST));
	NEED(!vhost_log_mem_new(&log, &want, &fd, &why));
	NEED(!vhost_fd_size(fd, &size) && size == log.map_len);
	NEED(!vhost_memory_add(&memory, &(struct vhost_region){ .size = size },
			       fd, &why));
	NEED(!vhost_dirty_open(&dirty, &(struct vhost_log){ .size = size }, fd,
			       &why));
	vhost_dirty_close(&dirty);
	fd = vhost_fd_ticks();
	NEED(fd >= 0 && vhost_fd_is_event(fd));
	NEED(read(fd, &size, 8) == 8);
	ring.runs = true;
	fd = ring.call_fd;
	vhost_ring_set_call(&ring, -1);
	vhost_ring_release(&ring);
	NEED(ring.call_fd == fd && read(fd, &size, 8) == 8);
	NEED(accept4(pair[0], NULL, NULL, 0) == -1 && errno == EINVAL);
	NEED(!shutdown(pair[0], SHUT_RDWR));
	NEED(ioctl(fd, VDUSE_DEV_GET_FEATURES, &size) && errno == EPERM);
	NEED(fcntl(fd, F_SETFL, 0) == -1 && errno == EPERM);
}

START_TEST(test_vhost)
{
	ck_assert_int_eq(in_child(use_vhost, 0), 0);
}
END_TEST

static void use_memory(int i)
{
	int fd = memfd_create("t", MFD_CLOEXEC);
	char *p;

	NEED(!ftruncate(fd, 8192));
	NEED(!sandbox_enter(SANDBOX_VDUSE));
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(p != MAP_FAILED);
	p[4096] = 1;
	NEED(!mprotect(p, 4096, PROT_READ));
	NEED(mprotect(p, 4096, PROT_READ | PROT_EXEC) == -1);
	NEED(errno == EPERM);
	NEED(!munmap(p, 8192));
	NEED(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0) ==
	     MAP_FAILED);
	NEED(errno == EPERM);
	NEED(mmap(NULL, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	     MAP_FAILED);
	NEED(errno == EPERM);
	p = malloc(1 << 20);
	NEED(p);
	memset(p, 1, 1 << 20);
	free(p);
}

START_TEST(test_memory)
{
	ck_assert_int_eq(in_child(use_memory, 0), 0);
}
END_TEST

static void use_ioctls(int i)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	uint64_t arg = 0;

	NEED(!sandbox_enter(SANDBOX_VDUSE));
	/* The filter lets these through: the device says that it is none. */
	NEED(ioctl(null, VDUSE_DEV_GET_FEATURES, &arg) && errno == ENOTTY);
	NEED(ioctl(null, VDUSE_VQ_INJECT_IRQ, &arg) && errno == ENOTTY);
	NEED(ioctl(null, VDUSE_IOTLB_GET_FD, &arg) && errno == ENOTTY);
	NEED(ioctl(null, VDUSE_VQ_SETUP, &arg) && errno == EPERM);
	NEED(ioctl(null, VDUSE_DESTROY_DEV, &arg) && errno == EPERM);
	NEED(ioctl(null, FIONBIO, &arg) && errno == EPERM);
	NEED(ioctl(null, TIOCSTI, &arg) && errno == EPERM);
}

START_TEST(test_ioctls)
{
	ck_assert_int_eq(in_child(use_ioctls, 0), 0);
}
END_TEST

struct read_op {
	struct loop_op op;
	struct loop *loop;
	int res;
};

static void read_done(struct loop_op *op, int res)
{
	struct read_op *r = (struct read_op *)op;

	r->res = res;
	loop_stop(r->loop);
}

/* A ring that was made before goes on, and opens nothing. */
static void use_ring(int i)
{
	struct read_op r = { .op.done = read_done };
	int fd = eventfd(0, EFD_CLOEXEC);
	uint64_t count;

	NEED(!loop_new(8, &r.loop));
	NEED(!loop_seal(r.loop));
	NEED(!sandbox_enter(SANDBOX_VDUSE));
	io_uring_prep_read(loop_sqe(r.loop, &r.op), fd, &count, 8, 0);
	NEED(!eventfd_write(fd, 5));
	NEED(!loop_run(r.loop));
	NEED(r.res == 8 && count == 5);
	io_uring_prep_openat(loop_sqe(r.loop, &r.op), AT_FDCWD, "/dev/null",
			     O_RDONLY, 0);
	NEED(!loop_run(r.loop));
	NEED(r.res == -EACCES);
	loop_free(r.loop);
}

START_TEST(test_ring)
{
	ck_assert_int_eq(in_child(use_ring, 0), 0);
}
END_TEST

static int go[2], answer[2];

static void *other_thread(void *arg)
{
	char c = 0;

	if (write(answer[1], &c, 1) == 1 && read(go[0], &c, 1) == 1)
		c = syscall(SYS_getppid) == -1 && errno == EPERM ? 'y' : 'n';
	/* It does not end: a sanitizer would want more calls for that. */
	while (write(answer[1], &c, 1) == 1)
		if (read(go[0], &c, 1) != 1)
			break;
	return arg;
}

/* The filter holds in threads that were there before. */
static void use_threads(int i)
{
	pthread_t thread;
	char c;

	NEED(!pipe2(go, O_CLOEXEC) && !pipe2(answer, O_CLOEXEC));
	NEED(!pthread_create(&thread, NULL, other_thread, NULL));
	NEED(read(answer[0], &c, 1) == 1);
	settle();
	NEED(!sandbox_enter(SANDBOX_VDUSE));
	NEED(write(go[1], "x", 1) == 1);
	NEED(read(answer[0], &c, 1) == 1);
	NEED(c == 'y');
}

START_TEST(test_threads)
{
	ck_assert_int_eq(in_child(use_threads, 0), 0);
}
END_TEST

static void no_caps(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	int i;

	NEED(!syscall(SYS_capget, &header, data));
	for (i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		NEED(!data[i].effective);
		NEED(!data[i].permitted);
		NEED(!data[i].inheritable);
	}
}

static void drop(int uid)
{
	uid_t r, e, s;
	gid_t rg, eg, sg, groups[4];
	struct rlimit core;

	NEED(!sandbox_drop_user((uid_t)uid, (gid_t)uid));
	NEED(!getresuid(&r, &e, &s) && !getresgid(&rg, &eg, &sg));
	NEED(r == (uid_t)uid && e == r && s == r);
	NEED(rg == (gid_t)uid && eg == rg && sg == rg);
	no_caps();
	NEED(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	NEED(prctl(PR_GET_DUMPABLE) == 0);
	NEED(!getrlimit(RLIMIT_CORE, &core) && !core.rlim_max);
	if (uid)
		NEED(setuid(0) && seteuid(0) && setresuid(-1, 0, -1));
	NEED(getgroups(4, groups) <= (uid == (int)getuid() ? 4 : 0));
	NEED(syscall(SYS_setgid, uid ? 0 : 1) && errno == EPERM);
}

START_TEST(test_drop)
{
	/* Whoever runs as root on request has no privileges either. */
	ck_assert_int_eq(in_child(drop, geteuid() ? (int)geteuid() : NOBODY),
			 0);
	if (!geteuid())
		ck_assert_int_eq(in_child(drop, 0), 0);
}
END_TEST

static void close_others(int i)
{
	int a = eventfd(0, 0), b = eventfd(0, 0), c = eventfd(0, 0);
	int d = dup(c), e = fcntl(c, F_DUPFD, 500);
	const int keep[] = { e, b, b, 1 };

	sandbox_close_others(keep, 4);
	NEED(fcntl(STDERR_FILENO, F_GETFD) >= 0);
	NEED(fcntl(a, F_GETFD) < 0);
	NEED(fcntl(b, F_GETFD) >= 0);
	NEED(fcntl(c, F_GETFD) < 0);
	NEED(fcntl(d, F_GETFD) < 0);
	NEED(fcntl(e, F_GETFD) >= 0);
	NEED(fcntl(e + 1, F_GETFD) < 0);
	sandbox_close_others(keep, 0);
	NEED(fcntl(b, F_GETFD) < 0 && fcntl(e, F_GETFD) < 0);
	NEED(fcntl(STDERR_FILENO, F_GETFD) >= 0);
}

START_TEST(test_close_others)
{
	ck_assert_int_eq(in_child(close_others, 0), 0);
}
END_TEST

START_TEST(test_choose_user)
{
	int fd = memfd_create("t", MFD_CLOEXEC);
	struct why why = { "" };
	uid_t uid = 7;
	gid_t gid = 7;

	ck_assert_int_eq(sandbox_choose_user("no-such-user", fd, &uid, &gid,
					     &why),
			 -EDOM);
	ck_assert_ptr_nonnull(strstr(why.text, "no-such-user"));
	ck_assert_uint_eq(uid, 7);
	if (geteuid()) {
		ck_assert_int_eq(sandbox_choose_user("root", fd, &uid, &gid,
						     &why),
				 -EPERM);
		ck_assert_int_eq(
			sandbox_choose_user(NULL, fd, &uid, &gid, &why), 0);
		ck_assert_uint_eq(uid, geteuid());
		return;
	}
	ck_assert_int_eq(sandbox_choose_user("root", fd, &uid, &gid, &why), 0);
	ck_assert_uint_eq(uid, 0);
	/* Root's image, and none at all: a user of nothing. */
	ck_assert_int_eq(sandbox_choose_user(NULL, fd, &uid, &gid, &why), 0);
	ck_assert_uint_ne(uid, 0);
	ck_assert_uint_ne(gid, 0);
	ck_assert_int_eq(sandbox_choose_user(NULL, -1, &uid, &gid, &why), 0);
	ck_assert_uint_ne(uid, 0);
	ck_assert_int_eq(fchown(fd, 1234, 567), 0);
	ck_assert_int_eq(sandbox_choose_user(NULL, fd, &uid, &gid, &why), 0);
	ck_assert_uint_eq(uid, 1234);
	ck_assert_uint_eq(gid, 567);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sandbox");
	TCase *tc = tcase_create("sandbox");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, test_refused, 0,
			    sizeof(refused) / sizeof(refused[0]));
	tcase_add_loop_test(tc, test_refused_vhost, 0,
			    sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tc, test_vhost);
	tcase_add_test(tc, test_memory);
	tcase_add_test(tc, test_ioctls);
	tcase_add_test(tc, test_ring);
	tcase_add_test(tc, test_threads);
	tcase_add_test(tc, test_drop);
	tcase_add_test(tc, test_close_others);
	tcase_add_test(tc, test_choose_user);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
