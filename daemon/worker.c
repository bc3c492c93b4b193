/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The worker: see worker.h.
 */
#include <errno.h>
#include <liburing.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "backend/blk.h"
#include "crypt/arena.h"
#include "daemon/sandbox.h"
#include "daemon/serve.h"
#include "daemon/shared.h"
#include "daemon/store.h"
#include "daemon/volume.h"
#include "daemon/worker.h"
#include "lib/guard.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/secmem.h"
#include "lib/why.h"
#include "virtio/blk_dev.h"

/* A read that is always under way. */
struct reader {
	struct loop_op op;
	struct worker *worker;
	int fd;
	union {
		uint64_t count;
		struct signalfd_siginfo signal;
		char byte;
	} buf;
	size_t len;
};

struct worker {
	const struct worker_params *params;
	struct loop *loop;
	struct blk_dev *store;
	struct serve serve;
	struct reader done, channel, signals;
};

static void read_again(struct reader *r)
{
	io_uring_prep_read(loop_sqe(r->worker->loop, &r->op), r->fd, &r->buf,
			   (unsigned)r->len, 0);
}

static void add_reader(struct worker *w, struct reader *r, int fd, size_t len,
		       void (*done)(struct loop_op *op, int res))
{
	r->op.done = done;
	r->worker = w;
	r->fd = fd;
	r->len = len;
	read_again(r);
}

static void on_queue_done(struct loop_op *op, int res)
{
	struct reader *r = (struct reader *)op;

	serve_on_done(&r->worker->serve);
	read_again(r);
}

static void tell_monitor(struct worker *w, char what)
{
	/* It may be gone, which is no reason to stop. */
	if (write(w->params->channel_fd, &what, 1) != 1)
		log_detail("the monitor does not listen");
}

static void on_running(void *arg)
{
	tell_monitor(arg, WORKER_RUNNING);
}

static void on_ended(void *arg)
{
	struct worker *w = arg;

	loop_stop(w->loop);
}

static void end(struct worker *w)
{
	w->serve.transport->end(&w->serve);
}

/*
 * A device that is not on the bus yet, nor set up by a driver, is of no use to
 * anybody without its monitor, and might not be known to `close`.  A front
 * end of vhost-user can wait for another server.
 */
static void on_monitor_death(struct worker *w)
{
	const struct shared_head *head = w->params->shared->head;

	if (w->params->volume->vhost_user) {
		log_warn("the monitor is gone: ending");
		end(w);
		return;
	}
	if (vblk_stat_get(&head->attached) || vblk_stat_get(&head->status)) {
		log_warn("the monitor is gone; serving goes on (vcrypt close "
			 "%s)",
			 w->params->volume->name);
		return;
	}
	end(w);
}

/*
 * Requests beyond the old end are served before the driver learns that it may
 * send them.
 */
static int resize(struct worker *w, uint64_t bytes)
{
	uint64_t nr_sectors = bytes / BLK_SECTOR_SIZE;
	int err;

	err = blk_resize(w->store, nr_sectors);
	return err ? err
		   : w->serve.transport->set_capacity(&w->serve, nr_sectors);
}

static void on_resize(struct worker *w)
{
	struct shared_head *head = w->params->shared->head;
	int err = resize(w, vblk_stat_get(&head->resize_to));

	vblk_stat_set(&head->resize_err, (uint64_t)-err);
	tell_monitor(w, WORKER_RESIZED);
}

static void on_channel(struct loop_op *op, int res)
{
	struct reader *r = (struct reader *)op;

	if (res <= 0) {
		on_monitor_death(r->worker);
		return;
	}
	if (r->buf.byte == WORKER_END)
		end(r->worker);
	else if (r->buf.byte == WORKER_RESIZE)
		on_resize(r->worker);
	read_again(r);
}

static void on_signal(struct loop_op *op, int res)
{
	struct reader *r = (struct reader *)op;

	end(r->worker);
	read_again(r);
}

/* SIGTERM and SIGINT are asked for politely; no signal kills by default. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_SETMASK, &set, NULL))
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Root is gone after this. */
static int drop_privileges(const struct volume *volume, struct why *why)
{
	int err;

	sandbox_protect_service();
	err = guard_install();
	if (!err)
		err = sandbox_drop_user(volume->uid, volume->gid);
	return err ? why_set(why, err, "cannot drop privileges: %s",
			     strerror(-err))
		   : 0;
}

/* A small RLIMIT_MEMLOCK is no reason not to serve, but it should be known. */
static void tell_of_buffers(const struct worker *w)
{
	unsigned i, nr = w->serve.nr_queues, registered = 0;

	if (w->params->image_fd < 0)
		return;
	for (i = 0; i < nr; i++)
		registered += !!vblk_stat_get(
			&w->params->shared->stats[i].registered);
	if (registered < nr)
		log_note("%u of %u queues have buffers registered with the "
			 "kernel: the others are slower (raise the limit: "
			 "ulimit -l)",
			 registered, nr);
}

/* The disk, and the threads that serve it; then the key is done with. */
static int make_disk(struct worker *w, struct why *why)
{
	const struct volume *volume = w->params->volume;
	int err;

	/* A store of errors needs no cipher. */
	err = w->params->image_fd < 0 ? 0 : arena_install(why);
	if (!err)
		err = store_open(volume, w->params->image_fd, &w->store, why);
	if (!err)
		err = volume_vblk(volume, w->store, &w->serve.vblk, why);
	if (err)
		return err;
	err = serve_make_queues(&w->serve, w->done.fd);
	secmem_leave(volume->key, VOLUME_KEY_MAX);
	if (err)
		return why_set(why, err, "cannot start a queue: %s",
			       strerror(-err));
	tell_of_buffers(w);
	return 0;
}

/* Everything that needs more than the sandbox allows. */
static int prepare(struct worker *w, struct why *why)
{
	int signal_fd, err;

	err = drop_privileges(w->params->volume, why);
	if (err)
		return err;
	w->done.fd = eventfd(0, EFD_CLOEXEC);
	signal_fd = open_signals();
	if (w->done.fd < 0 || signal_fd < 0)
		return why_set(why, -errno, "cannot start: %s",
			       strerror(errno));
	err = make_disk(w, why);
	if (err)
		return err;
	err = loop_new(16, &w->loop);
	if (!err)
		err = loop_seal(w->loop);
	if (!err)
		err = w->serve.transport->make(&w->serve, w->loop,
					       w->params->device_fd);
	if (!err)
		err = sandbox_enter(w->params->volume->vhost_user
					    ? SANDBOX_VHOST
					    : SANDBOX_VDUSE);
	if (err)
		return why_set(why, err, "cannot start: %s", strerror(-err));
	add_reader(w, &w->done, w->done.fd, 8, on_queue_done);
	add_reader(w, &w->channel, w->params->channel_fd, 1, on_channel);
	add_reader(w, &w->signals, signal_fd, sizeof(w->signals.buf.signal),
		   on_signal);
	return 0;
}

static void finish(struct worker *w)
{
	serve_free(&w->serve);
	vblk_free(w->serve.vblk);
	store_close(w->store);
	loop_free(w->loop);
}

_Noreturn void worker_main(const struct worker_params *params)
{
	struct shared_head *head = params->shared->head;
	struct worker w = {
		.params = params,
		.serve = { .transport = params->volume->vhost_user
						? &serve_vhost
						: &serve_vduse,
			   .nr_queues = params->volume->nr_queues,
			   .shared = params->shared,
			   .running = on_running,
			   .ended = on_ended,
			   .arg = &w },
	};
	struct why why = { "" };
	int err;

	log_setup("worker", LOG_NOTE);
	vblk_stat_set(&head->broken, 0);
	err = prepare(&w, &why);
	if (err) {
		log_error("%s", why.text);
		_exit(1);
	}
	w.serve.transport->start(&w.serve);
	tell_monitor(&w, WORKER_READY);
	err = loop_run(w.loop);
	if (err) {
		log_error("io_uring: %s", strerror(-err));
		_exit(1);
	}
	finish(&w);
	_exit(0);
}
