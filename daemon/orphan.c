/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A volume whose monitor died: see orphan.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/attach.h"
#include "daemon/device.h"
#include "daemon/inuse.h"
#include "daemon/orphan.h"
#include "daemon/process.h"
#include "daemon/runtime.h"
#include "daemon/sandbox.h"
#include "daemon/shared.h"
#include "daemon/volume.h"
#include "daemon/worker.h"
#include "lib/clock.h"
#include "lib/why.h"
#include "vduse/control.h"
#include "vduse/vdpa.h"
#include "virtio/blk_dev.h"

#define END_PATIENCE_MS	    5000
#define DESTROY_PATIENCE_MS 20000
#define BUSY_PATIENCE_MS    60000 /* longer than the kernel waits for a worker */
#define PAUSE_MS	    20

struct orphan {
	const struct runtime *rt;
	struct volume volume; /* as far as a stand-in needs it */
	struct shared shared;
	pid_t worker;  /* 0: none of ours */
	int worker_fd; /* pidfd of the worker, or of the stand-in; -1 */
	int channel_fd;
};

static uint64_t number(struct json_object *obj, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(obj, key, &value))
		return 0;
	return json_object_get_uint64(value);
}

static void read_volume(struct json_object *obj, struct volume *volume)
{
	volume->nr_queues = (unsigned)number(obj, "queues");
	volume->queue_size = (unsigned)number(obj, "queue_size");
	volume->info.sector_size = (uint32_t)number(obj, "sector_size");
	volume->info.data_size = number(obj, "size");
	volume->packed = number(obj, "packed");
	volume->readonly = number(obj, "readonly");
	/* No more of it than decides what the driver was offered. */
	volume->allow_discards = number(obj, "discards");
	volume->backing.discard = volume->allow_discards;
	volume->backing.readonly = volume->readonly;
}

static bool is_sane(const struct volume *volume)
{
	return volume->nr_queues && volume->nr_queues <= VOLUME_MAX_QUEUES &&
	       volume->queue_size &&
	       volume->queue_size <= VBLK_MAX_QUEUE_SIZE &&
	       volume->info.sector_size && volume->info.data_size;
}

static int read_state(struct orphan *o, struct why *why)
{
	const char *name = o->volume.name;
	struct json_object *obj;
	char *text;
	int err;

	err = runtime_read_state(o->rt, name, &text);
	if (err == -ENOENT)
		return why_set(why, err, "%s: is not open", name);
	if (err)
		return why_set(why, err, "%s/%s.json: %s", o->rt->path, name,
			       strerror(-err));
	obj = json_tokener_parse(text);
	free(text);
	if (!obj)
		return why_set(why, -EINVAL, "%s/%s.json: is damaged",
			       o->rt->path, name);
	read_volume(obj, &o->volume);
	o->worker_fd = process_open((pid_t)number(obj, "worker_pid"),
				    number(obj, "worker_start"));
	json_object_put(obj);
	if (!is_sane(&o->volume))
		return why_set(why, -EINVAL, "%s/%s.json: is damaged",
			       o->rt->path, name);
	return 0;
}

/* The log of what was in flight, or an empty one. */
static int map_shared(struct orphan *o)
{
	const struct volume *v = &o->volume;
	int fd, err;

	err = runtime_open_shm(o->rt, v->name, &fd);
	if (!err) {
		err = shared_open(fd, &o->shared);
		close(fd);
		if (!err && (o->shared.nr_queues != v->nr_queues ||
			     o->shared.queue_size != v->queue_size))
			err = -EINVAL;
	}
	if (!err)
		return 0;
	shared_unmap(&o->shared);
	err = runtime_create_shm(o->rt, v->name,
				 shared_size(v->nr_queues, v->queue_size), &fd);
	if (err)
		return err;
	err = shared_create(fd, v->nr_queues, v->queue_size, &o->shared);
	close(fd);
	return err;
}

/* A dead worker's device stays busy until its last requests have ended. */
static int open_device(const char *name, int *ret_fd)
{
	int64_t deadline = clock_ms() + DESTROY_PATIENCE_MS;
	int err;

	for (;;) {
		err = vduse_open(name, ret_fd);
		if (err != -EBUSY || clock_ms() >= deadline)
			return err;
		clock_pause(PAUSE_MS);
	}
}

_Noreturn static void stand_in_child(struct orphan *o, int vduse_fd,
				     int channel_fd)
{
	const struct worker_params params = {
		.volume = &o->volume,
		.shared = &o->shared,
		.image_fd = -1,
		.device_fd = vduse_fd,
		.channel_fd = channel_fd,
	};
	int keep[] = { vduse_fd, channel_fd };

	sandbox_close_others(keep, 2);
	worker_main(&params);
}

static int start_stand_in(struct orphan *o, struct why *why)
{
	const char *name = o->volume.name;
	int fds[2], vduse_fd, err;
	char ready;

	err = sandbox_choose_user(NULL, -1, &o->volume.uid, &o->volume.gid,
				  why);
	if (err)
		return err;
	err = map_shared(o);
	/* It is to end with this process. */
	if (!err)
		vblk_stat_set(&o->shared.head->attached, 0);
	if (!err)
		err = open_device(name, &vduse_fd);
	if (err)
		return why_set(why, err, "%s: cannot take the device over: %s",
			       name, strerror(-err));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -errno;
	o->worker = fork();
	if (!o->worker)
		stand_in_child(o, vduse_fd, fds[1]);
	close(fds[1]);
	close(vduse_fd);
	o->channel_fd = fds[0];
	o->worker_fd = (int)syscall(SYS_pidfd_open, o->worker, 0);
	if (read(o->channel_fd, &ready, 1) != 1)
		return why_set(why, -EIO, "%s: the stand-in does not start",
			       name);
	return 0;
}

/* The node is not opened: there is nobody to answer what that asks. */
static int check_use(const char *name, bool force, struct why *why)
{
	struct vdpa_binding at;

	vdpa_find(name, &at);
	if (!at.node[0])
		return 0;
	/* It cannot be taken from who has it open, see claim.h. */
	if (at.driver == VDPA_VHOST)
		return vhost_node_in_use(at.node, why);
	return force ? 0 : block_in_use(at.node, why);
}

/* Whoever attaches or detaches needs answers as well as we do. */
static int provide_worker(struct orphan *o, bool force, struct why *why)
{
	int err;

	if (o->worker_fd >= 0 || !vdpa_is_attached(o->volume.name))
		return 0;
	err = check_use(o->volume.name, force, why);
	return err ? err : start_stand_in(o, why);
}

/* A child of the dead monitor may still be attaching or detaching. */
static int wait_for_others(struct orphan *o, bool force, struct why *why)
{
	const char *name = o->volume.name;
	int64_t deadline = clock_ms() + BUSY_PATIENCE_MS;
	int fd, err;

	for (;;) {
		err = provide_worker(o, force, why);
		if (err)
			return err;
		err = runtime_lock_busy(o->rt, name, &fd);
		if (err != -EBUSY || clock_ms() >= deadline)
			break;
		clock_pause(PAUSE_MS);
	}
	if (err == -EBUSY)
		return why_set(why, err,
			       "%s: a process that was started to attach or "
			       "detach it does not end",
			       name);
	if (err)
		return why_set(why, err, "%s/%s.busy: %s", o->rt->path, name,
			       strerror(-err));
	/* With NAME.lock nobody starts another. */
	close(fd);
	return provide_worker(o, force, why);
}

/*
 * With a live worker this is an ordinary close.  Without, nothing can be
 * written back any more, so nothing is flushed.
 */
static int take_away(struct orphan *o, bool force, struct why *why)
{
	struct attach_result res = { 0 };
	bool alive = o->worker_fd >= 0;
	int err;

	if (!vduse_exists(o->volume.name))
		return 0;
	err = wait_for_others(o, force, why);
	if (err)
		return err;
	detach_volume(o->volume.name,
		      force   ? DETACH_FORCE
		      : alive ? DETACH
			      : DETACH_LOST,
		      &res);
	if (res.err && why)
		*why = res.why;
	return res.err;
}

static void end_worker(struct orphan *o)
{
	struct pollfd pfd = { .fd = o->worker_fd, .events = POLLIN };

	if (o->worker_fd < 0)
		return;
	syscall(SYS_pidfd_send_signal, o->worker_fd, SIGTERM, NULL, 0);
	if (poll(&pfd, 1, END_PATIENCE_MS) == 0) {
		syscall(SYS_pidfd_send_signal, o->worker_fd, SIGKILL, NULL, 0);
		poll(&pfd, 1, END_PATIENCE_MS);
	}
	if (o->worker > 0)
		waitpid(o->worker, NULL, 0);
	close(o->worker_fd);
	o->worker_fd = -1;
}

static int destroy_device(const char *name, struct why *why)
{
	int fd, err;

	if (!vduse_exists(name))
		return 0;
	err = vduse_control_open(&fd, why);
	if (err)
		return err;
	err = device_destroy(fd, name, DESTROY_PATIENCE_MS);
	close(fd);
	if (err)
		why_set(why, err, "%s: VDUSE_DESTROY_DEV: %s", name,
			strerror(-err));
	return err;
}

int orphan_close(const struct runtime *rt, const char *name, bool force,
		 struct why *why)
{
	struct orphan *o = calloc(1, sizeof(*o));
	int lock_fd, err;

	if (!o)
		return -ENOMEM;
	o->rt = rt;
	o->worker_fd = o->channel_fd = -1;
	snprintf(o->volume.name, sizeof(o->volume.name), "%s", name);
	err = runtime_lock(rt, name, &lock_fd, why);
	if (err)
		goto free_orphan;
	err = read_state(o, why);
	if (!err)
		err = take_away(o, force, why);
	if (!err || o->worker)
		end_worker(o);
	if (!err)
		err = destroy_device(name, why);
	if (!err || err == -ENOENT)
		runtime_remove(rt, name);
	shared_unmap(&o->shared);
	if (o->channel_fd >= 0)
		close(o->channel_fd);
	close(lock_fd);
free_orphan:
	free(o);
	return err;
}
