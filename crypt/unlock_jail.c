/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The cell of the header reader: see unlock_jail.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <malloc.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "crypt/landlock.h"
#include "crypt/unlock_devices.h"
#include "crypt/unlock_jail.h"
#include "lib/secmem.h"

/* Sanitizers reserve terabytes and write reports to standard error. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#define PARSE_ROOM  (512ULL << 20) /* bytes of address space for parsing */
#define THREAD_ROOM (80ULL << 20)  /* a stack and an arena of malloc */
#define NOBODY	    65534

#define FIRST_FD      3 /* after standard error */
#define RANDOM_FD_MAX 256

static int rule(scmp_filter_ctx ctx, int nr)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
}

static int rule_fd(scmp_filter_ctx ctx, int nr, int fd)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)fd));
}

/* Plain memory, threads, time, and reading. */
static const int harmless_calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(readv),
	SCMP_SYS(lseek),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(fstatfs),
	SCMP_SYS(statfs),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(fadvise64),
	SCMP_SYS(getcwd),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mprotect),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(mlock),
	SCMP_SYS(mlock2),
	SCMP_SYS(munlock),
	SCMP_SYS(futex),
	SCMP_SYS(getrandom),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getrusage),
	SCMP_SYS(times),
	SCMP_SYS(getrlimit),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(membarrier),
};

static int allow_harmless(scmp_filter_ctx ctx)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < sizeof(harmless_calls) / sizeof(int); i++)
		r = rule(ctx, harmless_calls[i]);
	return r;
}

static int rule_open(scmp_filter_ctx ctx, scmp_datum_t access)
{
	const scmp_datum_t mask = O_ACCMODE | O_CREAT | O_TRUNC |
				  (O_TMPFILE & ~O_DIRECTORY);
	int r;

	r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
			     SCMP_A2(SCMP_CMP_MASKED_EQ, mask, access));
	if (r)
		return r;
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
				SCMP_A1(SCMP_CMP_MASKED_EQ, mask, access));
}

/*
 * Opening is for reading only, and nothing may be made by it.  libcryptsetup
 * knows the copy by its path, which a filter cannot see: where the copy is
 * written Landlock forbids the rest (landlock.h).
 */
static int allow_open(scmp_filter_ctx ctx, bool write_copy)
{
	int r = rule_open(ctx, O_RDONLY);

	return r || !write_copy ? r : rule_open(ctx, O_RDWR);
}

/* Threads of this process, no process; limits of this process only. */
static int allow_threads(scmp_filter_ctx ctx)
{
	int r;

	r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
			     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD,
				     CLONE_THREAD));
	/* Its flags are out of a filter's sight; glibc falls back to clone. */
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS),
				     SCMP_SYS(clone3), 0);
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS),
				     SCMP_SYS(openat2), 0);
	if (!r)
		r = rule_fd(ctx, SCMP_SYS(prlimit64), 0);
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
				     SCMP_A1(SCMP_CMP_EQ, F_GETFL));
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
				     SCMP_A1(SCMP_CMP_EQ, F_GETFD));
	return r;
}

/* The image's descriptor is for reading only. */
static int allow_output(scmp_filter_ctx ctx, const struct unlock_jail *jail)
{
	static const int calls[] = { SCMP_SYS(write), SCMP_SYS(pwrite64),
				     SCMP_SYS(fsync), SCMP_SYS(fdatasync) };
	int r = rule_fd(ctx, SCMP_SYS(write), jail->pipe_fd);
	size_t i;

	for (i = 0; !r && jail->write_copy && i < sizeof(calls) / sizeof(int);
	     i++)
		r = rule(ctx, calls[i]);

	if (!r && SANITIZED)
		r = rule_fd(ctx, SCMP_SYS(write), STDERR_FILENO);
	return r;
}

static int enter_seccomp(const struct unlock_jail *jail)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!ctx)
		return -ENOMEM;
	r = allow_harmless(ctx);
	if (!r)
		r = allow_open(ctx, jail->write_copy);
	if (!r)
		r = allow_threads(ctx);
	if (!r)
		r = allow_output(ctx, jail);
	if (!r && jail->devices)
		r = unlock_devices_allow(ctx, jail->devices);
	if (!r)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}

/* Bytes of address space in use; 0 when it cannot be read. */
static uint64_t address_space(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int limit(int what, rlim_t soft, rlim_t hard)
{
	struct rlimit old, lim = { soft, hard };

	if (getrlimit(what, &old))
		return -errno;
	if (lim.rlim_max > old.rlim_max)
		lim.rlim_max = old.rlim_max;
	if (lim.rlim_cur > lim.rlim_max)
		lim.rlim_cur = lim.rlim_max;
	return setrlimit(what, &lim) ? -errno : 0;
}

static int limit_resources(const struct unlock_jail *jail)
{
	uint64_t room = address_space() + PARSE_ROOM;
	int r;

	r = limit(RLIMIT_CPU, jail->cpu_seconds, jail->cpu_seconds);
	if (r || SANITIZED)
		return r;
	/* One arena of malloc for all threads. */
	mallopt(M_ARENA_MAX, 1);
	return limit(RLIMIT_AS, room,
		     room + jail->memory_max + 64 * THREAD_ROOM);
}

int jail_allow_memory(uint64_t bytes, unsigned int threads)
{
	struct rlimit lim;
	rlim_t want;

	if (SANITIZED)
		return 0;
	if (getrlimit(RLIMIT_AS, &lim))
		return -ENOMEM;
	if (lim.rlim_cur == RLIM_INFINITY)
		return 0;
	want = lim.rlim_cur + bytes + threads * THREAD_ROOM;
	/* A limit of the caller's own may be lower: then malloc tells. */
	lim.rlim_cur = want > lim.rlim_max ? lim.rlim_max : want;
	return setrlimit(RLIMIT_AS, &lim) ? -ENOMEM : 0;
}

/* Handlers of the parent make no sense here. */
static void reset_signals(void)
{
	sigset_t none;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * libcryptsetup opens the kernel's random devices once and goes on using their
 * numbers, in children too.  Should another file get such a number, its bytes
 * would be taken for random ones.
 */
static bool is_random(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISCHR(st.st_mode) &&
	       (st.st_rdev == makedev(1, 8) || st.st_rdev == makedev(1, 9));
}

/* Close all from @fd on, but what writing a key slot takes. */
static int close_from(const struct unlock_jail *jail, int fd)
{
	for (; jail->write_copy && fd < RANDOM_FD_MAX; fd++)
		if (!is_random(fd))
			close(fd);
	return close_range((unsigned int)fd, ~0u, 0) ? -errno : 0;
}

/* The first of three numbers in a row that may be overwritten. */
static int find_place(const struct unlock_jail *jail)
{
	int place = FIRST_FD;

	while (jail->write_copy && place < RANDOM_FD_MAX &&
	       (is_random(place) || is_random(place + 1) ||
		is_random(place + 2)))
		place++;
	return place;
}

/*
 * Move the three descriptors above the places where they belong first, so
 * that none is overwritten; then close everything else.
 */
static int move_fds(struct unlock_jail *jail)
{
	int fds[3] = { jail->image_fd, jail->copy_fd, jail->pipe_fd };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int i, place = find_place(jail);

	if (null < 0)
		return -errno;
	for (i = 0; i < 3; i++) {
		fds[i] = fcntl(fds[i], F_DUPFD, place + 3);
		if (fds[i] < 0)
			return -errno;
	}
	null = fcntl(null, F_DUPFD, place + 3);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 ||
	    (!SANITIZED && dup2(null, STDERR_FILENO) < 0))
		return -errno;
	for (i = 0; i < 3; i++)
		if (dup2(fds[i], place + i) < 0)
			return -errno;
	for (i = FIRST_FD; i < place; i++)
		if (!is_random(i))
			close(i);
	jail->image_fd = place;
	jail->copy_fd = place + 1;
	jail->pipe_fd = place + 2;
	return close_from(jail, place + 3);
}

/* Root is not needed any more.  A user namespace may lack the id. */
static void drop_root(void)
{
	if (geteuid())
		return;
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		errno = 0;
}

int jail_enter(struct unlock_jail *jail, int parent_pid)
{
	int r;

	reset_signals();
	r = move_fds(jail);
	if (r)
		return r;
	r = 0;
	if (jail->devices)
		r = unlock_devices_restrict(jail->devices);
	else
		drop_root();
	if (r)
		return r;
	r = secmem_protect_process();
	if (r)
		return r;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent_pid)
		return -ESRCH;
	r = limit_resources(jail);
	if (r)
		return r;
	if (jail->write_copy) {
		/* seccomp_load would set it as well. */
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
			return -errno;
		r = landlock_deny_writing();
		if (r)
			return r;
	}
	return enter_seccomp(jail);
}
