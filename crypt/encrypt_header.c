/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The header of a container that is being made, in a process of its own: see
 * encrypt.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypt/encrypt.h"
#include "crypt/luks_format.h"
#include "lib/secmem.h"
#include "lib/why.h"

struct answer {
	int err;
	struct why why;
};

struct header_args {
	int fd, data_fd;
	const struct luks_format *what;
	const void *passphrase;
	size_t len;
};

static int write_header(const struct header_args *args, struct why *why)
{
	if (args->fd == args->data_fd)
		return luks_format_write(args->fd, args->what, args->passphrase,
					 args->len, why);
	return luks_format_write_detached(args->fd, args->data_fd, args->what,
					  args->passphrase, args->len, why);
}

static void run_child(const struct header_args *args, int answer_fd,
		      pid_t parent)
{
	struct answer answer = { 0 };

	/* Nobody would release the image's lock, or read the answer. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(1);
	answer.err = secmem_relock((void *)args->passphrase, args->len);
	if (answer.err)
		why_set(&answer.why, answer.err,
			"no locked memory for the passphrase (ulimit -l)");
	else
		answer.err = write_header(args, &answer.why);
	if (write(answer_fd, &answer, sizeof(answer)) != sizeof(answer))
		_exit(1);
	_exit(0);
}

static int take_answer(int fd, pid_t pid, struct why *why)
{
	struct answer answer;
	ssize_t n;

	do {
		n = read(fd, &answer, sizeof(answer));
	} while (n < 0 && errno == EINTR);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != sizeof(answer))
		return why_set(why, -EIO,
			       "the header cannot be written: its process died "
			       "(see the system log)");
	if (answer.err && why)
		*why = answer.why;
	return answer.err;
}

int encrypt_write_header(int fd, int data_fd, const struct luks_format *what,
			 const void *passphrase, size_t len, struct why *why)
{
	const struct header_args args = { fd, data_fd, what, passphrase, len };
	pid_t parent = getpid(), pid;
	int fds[2], err;

	if (pipe2(fds, O_CLOEXEC))
		return why_set(why, -errno, "no pipe: %s", strerror(errno));
	pid = fork();
	if (!pid)
		run_child(&args, fds[1], parent);
	close(fds[1]);
	if (pid < 0)
		err = why_set(why, -EAGAIN, "no process for the header: %s",
			      strerror(errno));
	else
		err = take_answer(fds[0], pid, why);
	close(fds[0]);
	return err;
}
