/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The header reader's jail: what it denies, and how a bad end is told. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypt/unlock_child.h"
#include "lib/secmem.h"
#include "tests/unit/luks_fixture.h"

#define IMAGE_FD 3 /* in the jail */
#define PIPE_FD	 5
#define TIMEOUT	 300 /* seconds */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static struct header_answer *answer;
static struct why why;
static int image;

static void setup(void)
{
	void *p;

	ck_assert_int_eq(secmem_alloc(sizeof(*answer), &p), 0);
	answer = p;
	image = fixture_luks2(4096, 64, 1024);
	why.text[0] = '\0';
}

static void teardown(void)
{
	secmem_free(answer, sizeof(*answer));
	close(image);
}

static struct header_job unlock_job(void)
{
	struct volume_request request = VOLUME_REQUEST(image);

	request.passphrase = FIXTURE_PASS;
	request.passphrase_len = strlen(FIXTURE_PASS);
	return (struct header_job){
		.op = HEADER_UNLOCK,
		.request = request,
		.header_size = FIXTURE_SIZE,
		.data_size = FIXTURE_SIZE,
		.memory = { .bytes = 1u << 30, .limit = "this machine" },
		.timeout = TIMEOUT,
	};
}

/*
 * A hook has no way to speak but to stop: an exit without an answer is
 * -EIO for the parent.
 */
static void expect(bool ok)
{
	if (!ok)
		_exit(9);
}

static int children(void)
{
	siginfo_t si = { 0 };

	return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT);
}

static void try_files(void)
{
	char buf[1] = "";

	expect(open("/dev/null", O_WRONLY) < 0 && errno == EPERM);
	expect(open("/dev/null", O_RDWR) < 0 && errno == EPERM);
	expect(open("/tmp/vcrypt-jail-test", O_RDONLY | O_CREAT, 0600) < 0 &&
	       errno == EPERM);
	expect(open("/tmp", O_TMPFILE | O_RDWR, 0600) < 0 && errno == EPERM);
	expect(unlink("/tmp/vcrypt-jail-test") < 0 && errno == EPERM);
	expect(mkdir("/tmp/vcrypt-jail-test", 0700) < 0 && errno == EPERM);
	expect(write(IMAGE_FD, buf, 1) < 0);
	expect(pwrite(IMAGE_FD, buf, 1, 0) < 0 && errno == EPERM);
	expect(ftruncate(IMAGE_FD, 0) < 0 && errno == EPERM);
	expect(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, IMAGE_FD, 0) ==
	       MAP_FAILED);
	expect(pread(IMAGE_FD, buf, 1, 0) == 1);
	/* Nothing else is open. */
	expect(lseek(PIPE_FD + 1, 0, SEEK_CUR) < 0 && errno == EBADF);
}

static void try_processes(void)
{
	char program[] = "/bin/true";
	char *const args[] = { program, NULL };

	expect(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM);
	/* AF_ALG, libcryptsetup's way to ciphers that are none. */
	expect(socket(38, SOCK_SEQPACKET, 0) < 0 && errno == EPERM);
	expect(execv(args[0], args) < 0 && errno == EPERM);
	expect(fork() < 0);
	expect(kill(getppid(), 0) < 0 && errno == EPERM);
	expect(ptrace(PTRACE_ATTACH, getppid(), 0, 0) < 0 && errno == EPERM);
	expect(prctl(PR_SET_DUMPABLE, 1) < 0 && errno == EPERM);
	expect(unshare(CLONE_NEWUSER) < 0 && errno == EPERM);
}

static void try_limits(void)
{
	struct rlimit lim;

	expect(!getrlimit(RLIMIT_CORE, &lim) && !lim.rlim_max);
	expect(!getrlimit(RLIMIT_CPU, &lim) && lim.rlim_max == 4 * TIMEOUT);
	expect(geteuid() != 0 || getuid() != 0 || SANITIZED);
	if (SANITIZED)
		return;
	expect(!getrlimit(RLIMIT_AS, &lim));
	expect(lim.rlim_max < 16ULL << 30);
	expect(mmap(NULL, 2ULL << 30, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
}

static void (*const hooks[])(void) = {
	try_files,
	try_processes,
	try_limits,
};

/* Every attempt fails, and the work is done all the same. */
START_TEST(test_jail)
{
	struct header_job job = unlock_job();
	uint64_t sum = fixture_sum(image);
	int r;

	job.hook = hooks[_i];
	r = header_job_run(&job, answer, NULL, &why);
	ck_assert_msg(!r, "%d %s", r, why.text);
	ck_assert_uint_eq(fixture_sum(image), sum);
	ck_assert_int_lt(children(), 0);
}
END_TEST

static void sleep_long(void)
{
	for (;;)
		sleep(1);
}

START_TEST(test_timeout)
{
	struct header_job job = unlock_job();

	job.hook = sleep_long;
	job.timeout = 1;
	ck_assert_int_eq(header_job_run(&job, answer, NULL, &why), -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(why.text, "within 1 seconds"));
	ck_assert_int_lt(children(), 0);
}
END_TEST

static void crash(void)
{
	__builtin_trap();
}

static void exit_early(void)
{
	_exit(0);
}

static void answer_half(void)
{
	expect(write(PIPE_FD, "half", 4) == 4);
	_exit(0);
}

/* A taken-over child answers what it likes. */
static void answer_too_much(void)
{
	static struct header_answer a = { .text_len = ~0u };
	size_t i;

	for (i = 0; i < 100; i++)
		expect(write(PIPE_FD, &a, sizeof(a)) == sizeof(a));
	_exit(0);
}

static void answer_positive(void)
{
	static struct header_answer a = { .err = 5 };

	memset(a.why.text, 'x', sizeof(a.why.text));
	expect(write(PIPE_FD, &a, sizeof(a)) == sizeof(a));
	_exit(0);
}

static const struct {
	void (*hook)(void);
	const char *reason;
} ends[] = {
	{ crash, "" },
	{ exit_early, "without an answer" },
	{ answer_half, "without an answer" },
	{ answer_positive, "xxx" },
};

START_TEST(test_bad_end)
{
	struct header_job job = unlock_job();

	job.hook = ends[_i].hook;
	ck_assert_int_eq(header_job_run(&job, answer, NULL, &why), -EIO);
	ck_assert_str_ne(why.text, "");
	ck_assert_ptr_nonnull(strstr(why.text, ends[_i].reason));
	ck_assert_int_lt(children(), 0);
}
END_TEST

START_TEST(test_text_too_long)
{
	struct header_job job = unlock_job();
	char *text = NULL;

	job.op = HEADER_DUMP;
	job.hook = answer_too_much;
	ck_assert_int_lt(header_job_run(&job, answer, &text, &why), 0);
	ck_assert_ptr_null(text);
	ck_assert_int_lt(children(), 0);
}
END_TEST

START_TEST(test_memory_short)
{
	struct header_job job = unlock_job();

	job.memory.bytes = 512 << 10;
	job.memory.limit = "this control group";
	ck_assert_int_eq(header_job_run(&job, answer, NULL, &why), -ENOMEM);
	ck_assert_ptr_nonnull(strstr(why.text, "key slot 0 needs 1 MiB"));
	ck_assert_ptr_nonnull(strstr(why.text, "this control group has 0"));
}
END_TEST

/*
 * An expensive slot gets the address space that it needs.  Where sanitizers
 * take so much of it that there is no limit, a cheap one will do.
 */
START_TEST(test_memory_granted)
{
	int fd = fixture_luks2(4096, 64, (SANITIZED ? 2 : 600) << 10);
	struct header_job job = unlock_job();
	int r;

	job.request.header_fd = fd;
	r = header_job_run(&job, answer, NULL, &why);
	ck_assert_msg(!r, "%d %s", r, why.text);
	close(fd);
}
END_TEST

static int count_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Nothing is left behind, also when the descriptors stand in the way. */
START_TEST(test_descriptors)
{
	struct header_job job = unlock_job();
	int before = count_fds(), r;

	ck_assert_int_eq(dup2(image, 5), 5);
	job.request.header_fd = 5;
	r = header_job_run(&job, answer, NULL, &why);
	ck_assert_msg(!r, "%d %s", r, why.text);
	ck_assert_int_le(count_fds(), before + 1);
}
END_TEST

START_TEST(test_no_descriptors_left)
{
	struct header_job job = unlock_job();
	struct rlimit lim;
	int r;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &lim), 0);
	lim.rlim_cur = (rlim_t)count_fds() + (rlim_t)_i;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lim), 0);
	r = header_job_run(&job, answer, NULL, &why);
	ck_assert_int_lt(r, 0);
	ck_assert_str_ne(why.text, "");
	ck_assert_int_lt(children(), 0);
}
END_TEST

#define LEN(a) ((int)(sizeof(a) / sizeof((a)[0])))

int main(void)
{
	Suite *s = suite_create("unlock_child");
	TCase *tc = tcase_create("unlock_child");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_jail, 0, LEN(hooks));
	tcase_add_test(tc, test_timeout);
	tcase_add_loop_test(tc, test_bad_end, 0, LEN(ends));
	tcase_add_test(tc, test_text_too_long);
	tcase_add_test(tc, test_memory_short);
	tcase_add_test(tc, test_memory_granted);
	tcase_add_test(tc, test_descriptors);
	tcase_add_loop_test(tc, test_no_descriptors_left, 0, 3);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
