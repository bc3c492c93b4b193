/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Keeping a node open in a process of its own: see node_hold.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/node_hold.h"
#include "daemon/sandbox.h"

#define PAUSE_MS 2

_Noreturn static void holder_main(int fd, int end_fd, dev_t number)
{
	struct pollfd end = { .fd = end_fd, .events = POLLIN };
	int keep[] = { fd, end_fd };
	char path[64];

	sandbox_close_others(keep, 2);
	/* Whoever ends or stops the others by their group spares this one. */
	setsid();
	/* The kernel removes this right after it has removed the node. */
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u", major(number),
		 minor(number));
	while (!access(path, F_OK) && !poll(&end, 1, PAUSE_MS))
		;
	_exit(0);
}

int node_hold_start(struct node_hold *hold, int fd, dev_t number)
{
	sigset_t all, before;
	int fds[2], err;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	/* Only SIGKILL ends the holder, from its first moment on. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	err = -errno;
	if (!pid)
		holder_main(fd, fds[0], number);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(fds[0]);
	if (pid < 0) {
		close(fds[1]);
		return err;
	}
	*hold = (struct node_hold){ .pid = pid, .end_fd = fds[1] };
	return 0;
}

void node_hold_end(struct node_hold *hold)
{
	close(hold->end_fd);
	waitpid(hold->pid, NULL, 0);
}
