/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * One question to a header, answered by a jailed child: see unlock_child.h.
 *
 * The child gets the image for reading, a memfd for its copy of the header
 * and a pipe for the answer, except for the key.  The parent believes nothing of the answer
 * before the child, which shares the pages of secret memory, is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crypt/luks_image.h"
#include "crypt/luks_memory.h"
#include "crypt/plain.h"
#include "crypt/unlock_child.h"
#include "crypt/unlock_jail.h"
#include "lib/oom.h"
#include "lib/secmem.h"
#include "lib/transfer.h"

#define CPU_FACTOR 4		/* threads that derive a key at the same time */
#define COPY_MIN   (256u << 20) /* bytes; headers and key slots at their most */

/*
 * A descriptor for reading only, so that the image cannot be mapped for
 * writing either.  The given one does when it is such a one.
 */
static int reopen_readonly(int fd)
{
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = open(path, O_RDONLY | O_CLOEXEC);
	if (r < 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return fd;
	return r < 0 ? -errno : r;
}

static int open_token(const struct header_job *job,
		      const struct unlock_jail *jail,
		      struct header_answer *answer)
{
	const struct token_plugin_job plugin_job = {
		.scratch_fd = jail->copy_fd,
		.token = job->token,
		.json = job->token_json,
		.pin = job->request.passphrase,
		.pin_len = job->request.passphrase_len,
	};

	return token_plugin_open(&plugin_job, answer->passphrase,
				 &answer->passphrase_len, &answer->why);
}

static int work(const struct header_job *job, const struct unlock_jail *jail,
		struct header_answer *answer, char **text)
{
	const struct luks_source source = {
		.header_fd = jail->image_fd,
		.copy_fd = jail->copy_fd,
		.layout = job->layout,
		.header_size = job->header_size,
		.data_size = job->data_size,
		.repair = job->op == HEADER_REPAIR,
		.ret_headers = &answer->headers,
	};
	struct luks_reader *reader;
	int r;

	if (job->op == HEADER_TOKEN_OPEN)
		return open_token(job, jail, answer);
	if (job->op == HEADER_PLAIN)
		return plain_hash_jailed(jail->copy_fd, job->plain,
					 job->request.passphrase,
					 job->request.passphrase_len,
					 answer->key, &answer->why);
	r = luks_reader_open(&source, &reader, &answer->why);
	if (r)
		return r;
	if (job->op == HEADER_DUMP)
		r = luks_reader_dump(reader, job->format, text, &answer->why);
	else
		r = luks_reader_judge(reader, &answer->info, &answer->why);
	if (!r && job->op == HEADER_TOKEN_FIND)
		r = luks_reader_token(reader, &job->query, &answer->token, text,
				      &answer->why);
	if (!r && job->op == HEADER_UNLOCK)
		r = luks_reader_unlock(reader, &job->memory, &job->request,
				       answer->key, &answer->info.key_slot,
				       &answer->why);
	if (!r && job->op == HEADER_CHANGE)
		r = luks_keys_change(reader, &job->request, &job->memory,
				     job->change, &answer->info.key_slot,
				     &answer->plan, &answer->why);
	luks_reader_close(reader);
	return r;
}

/* While it may: the jail has no new descriptors, and no root. */
static int lock_memory(const struct header_job *job, struct why *why)
{
	int r;

	if (!job->request.passphrase && job->op != HEADER_UNLOCK &&
	    job->op != HEADER_TOKEN_OPEN)
		return 0;
	r = luks_memory_prepare(why);
	return r ? r : luks_memory_lock(why);
}

static int lock_in(const struct header_job *job, struct unlock_jail *jail,
		   int parent_pid, struct why *why)
{
	int r = lock_memory(job, why);

	if (r)
		return r;
	r = jail->image_fd < 0 ? jail->image_fd : jail_enter(jail, parent_pid);
	return r ? why_set(why, r, "the sandbox cannot be set up: %s",
			   strerror(-r))
		 : 0;
}

/*
 * The key, or what a token gave, goes into secret memory that the parent has as
 * well, and not through the pipe, where the kernel would copy it.
 */
static void hand_over_key(struct header_answer *answer,
			  struct header_answer *to)
{
	if (!answer->err) {
		memcpy(to->key, answer->key, sizeof(to->key));
		memcpy(to->passphrase, answer->passphrase,
		       sizeof(to->passphrase));
	}
	explicit_bzero(answer->key, sizeof(answer->key));
	explicit_bzero(answer->passphrase, sizeof(answer->passphrase));
}

/* The child, from fork to its end. */
static void run_child(const struct header_job *job, int copy_fd, int pipe_fd,
		      int parent_pid, struct header_answer *parents)
{
	struct unlock_jail jail = {
		.image_fd = job->op == HEADER_TOKEN_OPEN
				    ? copy_fd
				    : reopen_readonly(job->request.header_fd),
		.copy_fd = copy_fd,
		.devices = job->op == HEADER_TOKEN_OPEN
				   ? token_plugin_devices(job->token->type)
				   : NULL,
		.pipe_fd = pipe_fd,
		.write_copy = job->op == HEADER_CHANGE ||
			      job->op == HEADER_REPAIR,
		.memory_max = job->memory.bytes < KDF_MEMORY_MAX
				      ? job->memory.bytes
				      : KDF_MEMORY_MAX,
		.cpu_seconds = job->timeout * CPU_FACTOR,
	};
	struct header_answer *answer;
	char *text = NULL;
	void *p;

	if (secmem_alloc(sizeof(*answer), &p))
		_exit(2);
	answer = p;
	answer->err = lock_in(job, &jail, parent_pid, &answer->why);
	if (!answer->err && job->hook)
		job->hook();
	if (!answer->err)
		answer->err = work(job, &jail, answer, &text);
	if (text)
		answer->text_len = (uint32_t)strlen(text);
	if (answer->text_len > HEADER_TEXT_MAX)
		answer->text_len = HEADER_TEXT_MAX;
	hand_over_key(answer, parents);
	if (transfer_append(jail.pipe_fd, answer, HEADER_ANSWER_SENT) ||
	    transfer_append(jail.pipe_fd, text, answer->text_len))
		_exit(3);
	secmem_free(p, sizeof(*answer));
	_exit(0);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Errors: -ETIMEDOUT, -EPIPE when the other side ended before. */
static int read_all(int fd, void *buf, size_t len, int64_t deadline)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint8_t *p = buf;
	int64_t left;
	ssize_t n;

	while (len) {
		left = deadline - now_ms();
		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, (int)left) <= 0)
			continue;
		n = read(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPIPE;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A reason for a child that ended without an answer. */
static int explain_death(int status, struct why *why)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return why_set(why, -ENOMEM,
			       "the header reader was killed,"
			       " probably because memory ran out");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		return why_set(why, -ETIMEDOUT,
			       "reading the header took too"
			       " much processor time");
	if (WIFSIGNALED(status))
		return why_set(why, -EIO,
			       "the header reader died of signal"
			       " %d (%s): the header may be hostile",
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	return why_set(why, -EIO,
		       "the header reader ended without an answer"
		       " (ulimit -l may be too small)");
}

static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

static int read_text(int fd, uint32_t len, int64_t deadline, char **ret)
{
	char *text, *p;
	int r;

	if (len > HEADER_TEXT_MAX)
		return -EPIPE;
	text = malloc((size_t)len + 1);
	if (!text)
		return -ENOMEM;
	r = read_all(fd, text, len, deadline);
	if (r) {
		free(text);
		return r;
	}
	text[len] = '\0';
	/* Names in a header shall not speak to the user's terminal. */
	for (p = text; p < text + len; p++)
		if (((unsigned char)*p < 0x20 && *p != '\n' && *p != '\t') ||
		    *p == 0x7f)
			*p = '?';
	*ret = text;
	return 0;
}

/* Take the answer, end the child, and only then look. */
static int take_answer(const struct header_job *job, pid_t pid, int fd,
		       struct header_answer *answer, char **text,
		       struct why *why)
{
	int64_t deadline = now_ms() + (int64_t)job->timeout * 1000;
	int r, status;

	r = read_all(fd, answer, HEADER_ANSWER_SENT, deadline);
	if (!r && answer->text_len && text)
		r = read_text(fd, answer->text_len, deadline, text);
	if (r == -ETIMEDOUT)
		kill(pid, SIGKILL);
	close(fd); /* a child that goes on writing gets SIGPIPE */
	status = reap(pid);
	if (r == -ETIMEDOUT)
		return why_set(why, r,
			       "no answer within %u seconds: key"
			       " derivation asks for too much",
			       job->timeout);
	if (r == -ENOMEM)
		return why_set(why, r, "out of memory");
	if (r)
		return explain_death(status, why);
	if (!answer->err)
		return 0;
	answer->why.text[sizeof(answer->why.text) - 1] = '\0';
	return why_set(why, answer->err < 0 ? answer->err : -EIO, "%s",
		       answer->why.text);
}

static int start(const struct header_job *job, int copy_fd,
		 struct header_answer *answer, int *ret_fd, pid_t *ret_pid,
		 struct why *why)
{
	pid_t parent = getpid(), pid;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return why_set(why, -errno, "no pipe to the header reader: %s",
			       strerror(errno));
	oom_offer_begin();
	pid = fork();
	if (!pid)
		run_child(job, copy_fd, fds[1], parent, answer);
	oom_offer_end();
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return why_set(why, -EAGAIN,
			       "the header reader cannot be"
			       " started: %s",
			       strerror(errno));
	}
	*ret_fd = fds[0];
	*ret_pid = pid;
	return 0;
}

int header_job_measure(struct header_job *job, struct why *why)
{
	int header_fd = job->request.header_fd, data_fd = job->request.data_fd;
	int r = luks_image_size(header_fd, &job->header_size, why);

	if (r)
		return r;
	if (data_fd == VOLUME_NO_DATA) {
		job->layout = LUKS_NO_DATA;
		return 0;
	}
	job->layout = luks_image_same(header_fd, data_fd) ? LUKS_ATTACHED
							  : LUKS_DETACHED;
	return luks_image_size(data_fd, &job->data_size, why);
}

int header_job_run(const struct header_job *job, struct header_answer *answer,
		   char **ret_text, struct why *why)
{
	char *text = NULL;
	uint64_t size = job->header_size;
	int copy_fd, fd = -1, r;
	pid_t pid = -1;

	/*
	 * Sparse and of the size of what is copied, which libcryptsetup holds the
	 * header against; not too small, so that a truncated image gets
	 * through to a check that says so.
	 */
	copy_fd = memfd_create("vcrypt-header", MFD_CLOEXEC);
	if (size < COPY_MIN)
		size = COPY_MIN;
	if (copy_fd < 0 || ftruncate(copy_fd, (off_t)size)) {
		r = why_set(why, -errno, "no memory for the header: %s",
			    strerror(errno));
		goto out_close;
	}
	r = start(job, copy_fd, answer, &fd, &pid, why);
	if (r)
		goto out_close;
	r = take_answer(job, pid, fd, answer, &text, why);
	if (r)
		free(text);
	else if (ret_text)
		*ret_text = text;
	if (!r && job->ret_copy_fd) {
		*job->ret_copy_fd = copy_fd;
		copy_fd = -1;
	}
out_close:
	if (copy_fd >= 0)
		close(copy_fd);
	return r;
}
