/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The worker's life, as the monitor sees it: started, heard, found dead,
 * started again, ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/monitor_state.h"
#include "daemon/sandbox.h"
#include "daemon/worker.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/secmem.h"
#include "lib/why.h"
#include "vduse/vdpa.h"

#define SPAWN_PAUSE_MS	  50
#define SPAWN_PATIENCE_MS 20000
#define END_PATIENCE_MS	  5000
#define GIVEN_UP_PAUSE_MS 1000

/*
 * Each worker has an open file of its own, so that the kernel can tell its
 * requests from those of the one before (see image_fence).
 */
static int reopen_image(const struct volume *volume)
{
	int flags = (volume->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC;
	char path[64];
	int fd;

	if (volume->direct)
		flags |= O_DIRECT;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", volume->image_fd);
	fd = open(path, flags);
	return fd < 0 ? -errno : fd;
}

_Noreturn static void worker_child(struct monitor *m, int image_fd,
				   int device_fd, int channel_fd)
{
	const struct worker_params params = {
		.volume = m->volume,
		.shared = &m->shared,
		.image_fd = image_fd,
		.device_fd = device_fd,
		.channel_fd = channel_fd,
	};
	int keep[] = { device_fd, channel_fd, image_fd };

	sandbox_close_others(keep, image_fd < 0 ? 2 : 3);
	if (m->volume->key && secmem_relock(m->volume->key, VOLUME_KEY_MAX)) {
		log_error("the key cannot be locked in memory");
		_exit(1);
	}
	worker_main(&params);
}

static int fork_worker(struct monitor *m, int image_fd, int device_fd)
{
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       fds))
		return -errno;
	pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return -errno;
	}
	if (!pid)
		worker_child(m, image_fd, device_fd, fds[1]);
	close(fds[1]);
	m->channel_fd = fds[0];
	m->worker = pid;
	m->worker_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	m->worker_ready = false;
	return 0;
}

/* What a worker answers on: /dev/vduse/NAME, or the socket. */
static int open_device(const struct volume *volume, int *ret_fd,
		       struct why *why)
{
	int err;

	if (volume->vhost_user) {
		*ret_fd = fcntl(volume->listen_fd, F_DUPFD_CLOEXEC, 3);
		return *ret_fd < 0 ? why_set(why, -errno, "%s: %s",
					     volume->socket, strerror(errno))
				   : 0;
	}
	err = vduse_open(volume->name, ret_fd);
	return err ? why_set(why, err, "/dev/vduse/%s: %s", volume->name,
			     strerror(-err))
		   : 0;
}

int supervise_spawn(struct monitor *m, struct why *why)
{
	int image_fd = -1, device_fd, err;

	err = open_device(m->volume, &device_fd, why);
	if (err)
		return err;
	if (!m->given_up) {
		image_fd = reopen_image(m->volume);
		if (image_fd < 0) {
			close(device_fd);
			return why_set(why, image_fd, "%s: %s",
				       m->volume->image, strerror(-image_fd));
		}
	}
	err = fork_worker(m, image_fd, device_fd);
	/*
	 * The worker alone holds a VDUSE device: were it kept here as well, the
	 * kernel would not put back the messages of a worker that died.
	 */
	close(device_fd);
	if (image_fd >= 0)
		close(image_fd);
	if (err)
		return why_set(why, err, "cannot start a worker: %s",
			       strerror(-err));
	monitor_save_state(m);
	return 0;
}

void supervise_on_channel(struct monitor *m)
{
	char said[16];
	ssize_t i, n;

	n = read(m->channel_fd, said, sizeof(said));
	if (n <= 0)
		return; /* its death is told by worker_fd */
	for (i = 0; i < n; i++) {
		if (said[i] == WORKER_READY) {
			m->worker_ready = true;
			if (m->phase == PHASE_STARTING)
				monitor_begin_attach(m);
			resize_on_ready(m);
		} else if (said[i] == WORKER_RESIZED) {
			resize_on_resized(m);
		} else if (said[i] == WORKER_RUNNING &&
			   !m->volume->vhost_user) {
			vdpa_spread_interrupts(m->volume->name,
					       m->volume->nr_queues);
		}
	}
}

static void describe_death(int status, char *ret, size_t len)
{
	if (WIFSIGNALED(status))
		snprintf(ret, len, "killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(ret, len, "exit code %d", WEXITSTATUS(status));
}

static void forget_worker(struct monitor *m, int *status)
{
	waitpid(m->worker, status, 0);
	close(m->worker_fd);
	close(m->channel_fd);
	m->worker = 0;
	m->worker_fd = -1;
	m->channel_fd = -1;
	m->worker_ready = false;
	m->end_deadline = 0;
}

/* What the worker said last, or else how it died. */
static const char *last_words(struct monitor *m, const char *how)
{
	static const char from[] = "worker: ", bad[] = "error: ";
	const char *line, *last = NULL;
	unsigned i;

	log_relay_read(&m->log);
	for (i = 0; (line = log_relay_line(&m->log, i)); i++)
		last = line;
	if (!last || strncmp(last, from, strlen(from)))
		return how;
	last += strlen(from);
	return strncmp(last, bad, strlen(bad)) ? last : last + strlen(bad);
}

bool supervise_count_death(struct monitor *m, int64_t now)
{
	unsigned limit = m->volume->death_limit;
	int64_t oldest;

	m->deaths[m->restarts++ % limit] = now;
	oldest = m->deaths[m->restarts % limit];
	return m->restarts >= limit &&
	       now - oldest < WORKER_DEATHS_WINDOW_S * 1000;
}

void supervise_on_death(struct monitor *m)
{
	char how[64];
	int status = 0;

	forget_worker(m, &status);
	if (m->phase == PHASE_ENDING)
		return;
	describe_death(status, how, sizeof(how));
	if (m->phase == PHASE_STARTING) {
		monitor_fail(m, -EIO, last_words(m, how));
		return;
	}
	log_error("the worker died (%s); starting another", how);
	m->spawn_at = clock_ms();
	if (supervise_count_death(m, m->spawn_at) && !m->given_up) {
		m->given_up = true;
		log_error("%u workers died within %d s: requests are answered "
			  "with errors from now on",
			  m->volume->death_limit, WORKER_DEATHS_WINDOW_S);
	} else if (m->given_up) {
		/* Not even answering with errors works: do not spin. */
		m->spawn_at += GIVEN_UP_PAUSE_MS;
	}
	m->spawn_deadline = m->spawn_at + SPAWN_PATIENCE_MS;
	supervise_on_time(m);
}

/*
 * The kernel keeps the dead worker's files open until its last requests have
 * ended, so the device may be busy for a while.
 */
static void spawn_again(struct monitor *m)
{
	struct why why = { "" };
	int64_t now = clock_ms();

	if (!supervise_spawn(m, &why)) {
		m->spawn_at = 0;
		log_note("another worker serves (process %d)", (int)m->worker);
		return;
	}
	m->spawn_at = now + SPAWN_PAUSE_MS;
	if (now > m->spawn_deadline) {
		log_error("no worker can be started: %s; still trying",
			  why.text);
		m->spawn_deadline = now + SPAWN_PATIENCE_MS;
	}
}

void supervise_on_time(struct monitor *m)
{
	if (m->spawn_at && clock_ms() >= m->spawn_at)
		spawn_again(m);
	if (m->end_deadline && clock_ms() >= m->end_deadline) {
		log_warn("the worker does not end: killing it");
		m->end_deadline = 0;
		kill(m->worker, SIGKILL);
	}
}

void supervise_end(struct monitor *m)
{
	const char what = WORKER_END;

	m->spawn_at = 0;
	if (!m->worker)
		return;
	m->end_deadline = clock_ms() + END_PATIENCE_MS;
	if (write(m->channel_fd, &what, 1) != 1)
		kill(m->worker, SIGKILL);
}
