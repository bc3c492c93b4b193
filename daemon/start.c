/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Starting the monitor from the command: see start.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/monitor.h"
#include "daemon/runtime.h"
#include "daemon/start.h"
#include "daemon/volume.h"
#include "lib/secmem.h"

/* Leave nothing of the caller's terminal, session or directory in use. */
static void become_daemon(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	umask(077);
	if (chdir("/") || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		_exit(1);
	close(null);
}

/* The daemon's command waits at the other end of this pipe. */
struct pipe_report {
	int fd;
};

static void write_report(void *arg, const struct monitor_report *rep)
{
	struct pipe_report *out = arg;

	if (write(out->fd, rep, sizeof(*rep)) != sizeof(*rep))
		return; /* the command was interrupted; the volume is open */
	close(out->fd);
}

_Noreturn static void daemon_child(struct volume *volume,
				   const struct runtime *rt, int report_fd)
{
	struct pipe_report out = { report_fd };
	pid_t pid;

	/* Forked twice: it is init's child and can get no terminal. */
	become_daemon();
	pid = fork();
	if (pid)
		_exit(pid < 0);
	if (secmem_relock(volume->key, VOLUME_KEY_MAX) ||
	    secmem_protect_process())
		_exit(1);
	_exit(monitor_run(volume, rt, write_report, &out));
}

/* Whether there is a monitor that could say how it went. */
static bool read_report(int fd, struct monitor_report *ret)
{
	ssize_t n;

	do {
		n = read(fd, ret, sizeof(*ret));
	} while (n < 0 && errno == EINTR);
	if (n == sizeof(*ret))
		return true;
	ret->err = -EIO;
	snprintf(ret->text, sizeof(ret->text),
		 "the monitor died without a word (see the system log)");
	return false;
}

static void start_daemon(struct volume *volume, const struct runtime *rt,
			 struct monitor_report *ret)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC)) {
		ret->err = -errno;
		snprintf(ret->text, sizeof(ret->text), "%s", strerror(errno));
		return;
	}
	pid = fork();
	if (!pid)
		daemon_child(volume, rt, fds[1]);
	close(fds[1]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	/*
	 * The key is kept until now, so that its pages are locked all the
	 * time.  A monitor wipes them, which both of us see.
	 */
	if (read_report(fds[0], ret)) {
		secmem_leave(volume->key, VOLUME_KEY_MAX);
		volume->key = NULL;
	}
	close(fds[0]);
}

static void print_report(void *arg, const struct monitor_report *rep)
{
	struct monitor_report *ret = arg;

	*ret = *rep;
	if (!rep->err) {
		printf("%s\n", rep->text);
		fflush(stdout);
	}
}

void volume_start(struct volume *volume, const struct runtime *rt,
		  struct monitor_report *ret)
{
	if (!volume->foreground) {
		start_daemon(volume, rt, ret);
		return;
	}
	ret->err = -EIO;
	secmem_protect_process();
	monitor_run(volume, rt, print_report, ret);
}
