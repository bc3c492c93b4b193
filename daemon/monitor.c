/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The monitor: see monitor.h.  This file has its phases and its loop.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "daemon/device.h"
#include "daemon/monitor.h"
#include "daemon/monitor_state.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/secmem.h"
#include "vduse/vdpa.h"
#include "vhost-user/socket.h"

#define DESTROY_PATIENCE_MS 5000
#define TICK_MS		    50

void monitor_save_state(struct monitor *m)
{
	int err = -ENOMEM;
	char *text;

	if (!m->rt)
		return;
	text = report_status(m);
	if (text)
		err = runtime_write_state(m->rt, m->volume->name, text);
	if (err)
		log_warn("%s/%s.json: %s", m->rt->path, m->volume->name,
			 strerror(-err));
	free(text);
}

/* Tell the command that started us how it went, once. */
static void tell(struct monitor *m, int err, const char *text)
{
	struct monitor_report rep = { .err = err };

	if (!m->report)
		return;
	snprintf(rep.text, sizeof(rep.text), "%s", text);
	m->report(m->report_arg, &rep);
	m->report = NULL;
}

static void begin_end(struct monitor *m)
{
	m->phase = PHASE_ENDING;
	if (m->shared.head)
		vblk_stat_set(&m->shared.head->attached, 0);
	supervise_end(m);
}

/* Something on the way up failed: go the way back. */
void monitor_fail(struct monitor *m, int err, const char *text)
{
	if (!m->failure_err) {
		m->failure_err = err;
		why_set(&m->failure, 0, "%s: %s", m->volume->name, text);
		log_error("%s", text);
	}
	begin_end(m);
}

static void opened(struct monitor *m, const char *path)
{
	m->phase = PHASE_SERVING;
	vblk_stat_set(&m->shared.head->attached, 1);
	log_note("%s is open as %s", m->volume->image, path);
	monitor_save_state(m);
	tell(m, 0, path);
}

void monitor_begin_attach(struct monitor *m)
{
	int err;

	if (m->volume->vhost_user) {
		opened(m, m->volume->socket);
		return;
	}
	m->phase = PHASE_ATTACHING;
	/* Should we die, the attach goes on, and needs the worker. */
	vblk_stat_set(&m->shared.head->attached, 1);
	err = attach_start(&m->attach, ATTACH, m->volume, m->rt);
	if (err)
		monitor_fail(m, err, strerror(-err));
}

int monitor_begin_detach(struct monitor *m, bool force)
{
	enum attach_what how = m->given_up ? DETACH_LOST : DETACH;
	int err;

	if (m->resize.step != RESIZE_NONE)
		return -EBUSY;
	if (m->volume->vhost_user) {
		begin_end(m);
		return 0;
	}
	err = attach_start(&m->attach, force ? DETACH_FORCE : how, m->volume,
			   m->rt);
	if (!err)
		m->phase = PHASE_DETACHING;
	return err;
}

/*
 * The attach failed, and somebody has opened what came of it: to end now would
 * hang him.
 */
static void go_on(struct monitor *m, const struct attach_result *res)
{
	struct why why;

	why_set(&why, 0, "%s (it stays until vcrypt close %s)", res->why.text,
		m->volume->name);
	log_error("%s", why.text);
	m->phase = PHASE_SERVING;
	monitor_save_state(m);
	tell(m, res->err, why.text);
}

static void attached(struct monitor *m, const struct attach_result *res)
{
	char path[VDPA_NODE_MAX + 8];

	if (res->err && res->stays && vdpa_is_attached(m->volume->name)) {
		go_on(m, res);
		return;
	}
	if (res->err) {
		m->failure_err = res->err;
		m->failure = res->why;
		monitor_fail(m, res->err, res->why.text);
		return;
	}
	snprintf(path, sizeof(path), "/dev/%s", res->node);
	opened(m, path);
}

static void detached(struct monitor *m, const struct attach_result *res)
{
	if (res->err) {
		m->phase = PHASE_SERVING;
		log_warn("cannot close: %s", res->why.text);
		control_answer(m, m->closer, res->err, res->why.text);
		return;
	}
	begin_end(m);
}

static void on_attach_result(struct monitor *m)
{
	enum monitor_phase phase = m->phase;
	struct attach_result res;

	attach_collect(&m->attach, &res);
	if (m->resize.step == RESIZE_CHECK)
		resize_checked(m, &res);
	else if (phase == PHASE_ATTACHING)
		attached(m, &res);
	else
		detached(m, &res);
}

/*
 * SIGTERM asks to close, like the command; a volume in use goes on, since
 * ending would hang everybody who uses it.  SIGHUP, where there is no control
 * socket, asks to see what size the image has now.
 */
static void on_signal(struct monitor *m)
{
	struct signalfd_siginfo info;

	if (read(m->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (m->phase != PHASE_SERVING)
		return;
	if (info.ssi_signo != SIGHUP) {
		if (monitor_begin_detach(m, false))
			log_warn("cannot close");
	} else if (m->resize.step == RESIZE_NONE) {
		resize_begin(m, -1, 0);
	}
}

static int open_signals(const struct monitor *m)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (!m->rt)
		sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	if (m->rt)
		signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Without a runtime directory, only monitor and workers know it. */
static int make_shm(const struct monitor *m, size_t len, int *ret_fd)
{
	int fd, err;

	if (m->rt)
		return runtime_create_shm(m->rt, m->volume->name, len, ret_fd);
	fd = memfd_create("vcrypt-shared", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)len)) {
		err = -errno;
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

static int open_files(struct monitor *m, struct why *why)
{
	const struct volume *volume = m->volume;
	int shm_fd, err;

	m->signal_fd = open_signals(m);
	err = make_shm(m, shared_size(volume->nr_queues, volume->queue_size),
		       &shm_fd);
	if (!err) {
		err = shared_create(shm_fd, volume->nr_queues,
				    volume->queue_size, &m->shared);
		close(shm_fd);
	}
	if (!err && m->rt)
		err = runtime_listen(m->rt, volume->name, &m->listen_fd);
	if (err)
		why_set(why, err, "%s/%s: %s", m->rt ? m->rt->path : "memory",
			volume->name, strerror(-err));
	return err;
}

static void begin(struct monitor *m)
{
	struct why why = { "" };
	int err;

	err = open_files(m, &why);
	/* From here on `close` can clean up after a monitor that was killed. */
	if (!err)
		monitor_save_state(m);
	if (!err)
		err = m->volume->vhost_user
			      ? 0
			      : device_make(m->volume, &m->created, &why);
	if (!err)
		err = supervise_spawn(m, &why);
	if (err) {
		m->failure_err = err;
		m->failure = why;
		monitor_fail(m, err, why.text);
	}
}

static void destroy_device(const struct monitor *m)
{
	int err = device_destroy(m->volume->control_fd, m->volume->name,
				 DESTROY_PATIENCE_MS);

	if (err)
		log_error("VDUSE_DESTROY_DEV: %s", strerror(-err));
}

static void end(struct monitor *m)
{
	if (m->created)
		destroy_device(m);
	shared_unmap(&m->shared);
	if (m->rt)
		runtime_remove(m->rt, m->volume->name);
	if (m->volume->vhost_user)
		vhost_socket_remove(m->volume->listen_fd, m->volume->socket);
	secmem_free(m->volume->key, VOLUME_KEY_MAX);
	m->volume->key = NULL;
	if (m->failure_err)
		tell(m, m->failure_err, m->failure.text);
	control_answer(m, m->closer, 0, "");
	log_note("%s is closed", m->volume->image);
	log_relay_read(&m->log);
}

enum {
	SLOT_LISTEN,
	SLOT_SIGNAL,
	SLOT_LOG,
	SLOT_WORKER,
	SLOT_CHANNEL,
	SLOT_ATTACH,
	SLOT_CLIENTS,
	NR_SLOTS = SLOT_CLIENTS + MONITOR_CLIENTS_MAX
};

static void fill_slots(const struct monitor *m, struct pollfd slots[NR_SLOTS])
{
	unsigned i;

	for (i = 0; i < NR_SLOTS; i++)
		slots[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	slots[SLOT_LISTEN].fd = m->listen_fd;
	slots[SLOT_SIGNAL].fd = m->signal_fd;
	slots[SLOT_LOG].fd = m->log.read_fd;
	if (m->worker) {
		slots[SLOT_WORKER].fd = m->worker_fd;
		slots[SLOT_CHANNEL].fd = m->channel_fd;
	}
	if (m->attach.pid)
		slots[SLOT_ATTACH].fd = m->attach.result_fd;
	for (i = 0; i < MONITOR_CLIENTS_MAX; i++)
		slots[SLOT_CLIENTS + i].fd = m->clients[i];
}

static void serve_slots(struct monitor *m, const struct pollfd slots[NR_SLOTS])
{
	unsigned i;

	if (slots[SLOT_LOG].revents)
		log_relay_read(&m->log);
	/* What the worker said before it died comes first. */
	if (slots[SLOT_CHANNEL].revents)
		supervise_on_channel(m);
	if (slots[SLOT_WORKER].revents)
		supervise_on_death(m);
	if (slots[SLOT_ATTACH].revents)
		on_attach_result(m);
	if (slots[SLOT_SIGNAL].revents)
		on_signal(m);
	for (i = 0; i < MONITOR_CLIENTS_MAX; i++)
		if (slots[SLOT_CLIENTS + i].revents)
			control_on_client(m, i);
	if (slots[SLOT_LISTEN].revents)
		control_accept(m);
}

static void turn(struct monitor *m)
{
	struct pollfd slots[NR_SLOTS];
	bool timed = m->spawn_at || m->end_deadline;

	fill_slots(m, slots);
	if (poll(slots, NR_SLOTS, timed ? TICK_MS : -1) < 0)
		return;
	serve_slots(m, slots);
	supervise_on_time(m);
}

/* Nothing is left to wait for; it may be so before the first turn. */
static bool has_ended(const struct monitor *m)
{
	return m->phase == PHASE_ENDING && !m->worker && !m->attach.pid;
}

int monitor_run(struct volume *volume, const struct runtime *rt,
		void (*report)(void *arg, const struct monitor_report *rep),
		void *arg)
{
	struct monitor *m = calloc(1, sizeof(*m));
	int i, code;

	if (!m)
		return 3;
	m->volume = volume;
	m->rt = rt;
	m->report = report;
	m->report_arg = arg;
	m->listen_fd = m->signal_fd = -1;
	m->worker_fd = m->channel_fd = -1;
	m->closer = m->resize.client = -1;
	for (i = 0; i < MONITOR_CLIENTS_MAX; i++)
		m->clients[i] = -1;
	log_setup("monitor", LOG_NOTE);
	if (log_relay_start(&m->log, volume->name, volume->foreground))
		return 3;
	begin(m);
	while (!has_ended(m))
		turn(m);
	end(m);
	code = m->failure_err ? 1 : 0;
	free(m);
	return code;
}
