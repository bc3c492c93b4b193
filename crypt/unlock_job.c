/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * One question to a header, on the side of who asks: see unlock_child.h.
 *
 * The parent believes nothing of the answer before the child, which shares the
 * pages of secret memory, is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypt/luks_image.h"
#include "crypt/unlock_child.h"
#include "lib/clock.h"
#include "lib/oom.h"
#include "lib/utf8.h"

#define COPY_MIN (256u << 20) /* bytes; headers and key slots at their most */

/* Errors: -ETIMEDOUT, -EPIPE when the other side ended before. */
static int read_all(int fd, void *buf, size_t len, int64_t deadline)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint8_t *p = buf;
	int64_t left;
	ssize_t n;

	while (len) {
		left = deadline - clock_ms();
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
	utf8_clean(text);
	*ret = text;
	return 0;
}

/* Take the answer, end the child, and only then look. */
static int take_answer(const struct header_job *job, pid_t pid, int fd,
		       struct header_answer *answer, char **text,
		       struct why *why)
{
	int64_t deadline = clock_ms() + (int64_t)job->timeout * 1000;
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
		header_job_work(job, copy_fd, fds[1], parent, answer);
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
