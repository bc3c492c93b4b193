/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The back end of one vhost-user device: see dev.h.  This file has the life of
 * a connection; messages are in requests.c.
 */
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include "lib/log.h"
#include "lib/why.h"
#include "vhost-user/dev_int.h"
#include "virtio/blk_dev.h"

static void go(struct vhost_dev *dev);

void vhost_tell_status(struct vhost_dev *dev)
{
	uint8_t status = dev->status;
	unsigned i;

	/* Not every front end tells the status. */
	for (i = 0; i < dev->params.nr_queues; i++)
		if (dev->rings[i].runs)
			status |= VIRTIO_CONFIG_S_ACKNOWLEDGE |
				  VIRTIO_CONFIG_S_DRIVER |
				  VIRTIO_CONFIG_S_FEATURES_OK |
				  VIRTIO_CONFIG_S_DRIVER_OK;
	dev->params.ops->status(dev->params.owner, status, dev->features);
}

void vhost_stop(struct vhost_dev *dev, struct vhost_ring *ring)
{
	if (!ring->runs)
		return;
	dev->params.ops->stop_queue(dev->params.owner, ring->index);
}

unsigned vhost_stop_all(struct vhost_dev *dev)
{
	unsigned i, nr = 0;

	for (i = 0; i < dev->params.nr_queues; i++) {
		vhost_stop(dev, &dev->rings[i]);
		nr += dev->rings[i].runs;
	}
	return nr;
}

static void wait_tick(struct vhost_dev *dev)
{
	dev->ticking = true;
	io_uring_prep_read(loop_sqe(dev->loop, &dev->tick), dev->tick_fd,
			   &dev->tick_count, sizeof(dev->tick_count), 0);
}

/* Release queues that wait for a reader of their interrupts. */
static void on_tick(struct loop_op *op, int res)
{
	struct vhost_dev *dev =
		(struct vhost_dev *)((char *)op -
				     offsetof(struct vhost_dev, tick));
	unsigned i;

	dev->ticking = false;
	if (!dev->then)
		return;
	for (i = 0; i < dev->params.nr_queues; i++)
		vhost_ring_release(&dev->rings[i]);
	wait_tick(dev);
}

#define TICK_NS 100000000L

/* Most waits are over before the first tick. */
static void begin_ticks(struct vhost_dev *dev)
{
	const struct itimerspec every = { { 0, TICK_NS }, { 0, TICK_NS } };

	timerfd_settime(dev->tick_fd, 0, &every, NULL);
	if (!dev->ticking)
		wait_tick(dev);
}

static void end_ticks(struct vhost_dev *dev)
{
	const struct itimerspec never = { 0 };

	timerfd_settime(dev->tick_fd, 0, &never, NULL);
}

static void wait_for_queues(struct vhost_dev *dev)
{
	begin_ticks(dev);
	dev->params.ops->wait(dev->params.owner);
}

/* The queues have drained: nothing of the front end is left. */
static int finish_disconnect(struct vhost_dev *dev, struct why *why)
{
	unsigned i;

	for (i = 0; i < dev->params.nr_queues; i++) {
		dev->rings[i].runs = false;
		vhost_ring_reset(&dev->rings[i]);
	}
	vhost_memory_clear(&dev->memory);
	vhost_log_mem_close(&dev->log_mem);
	vhost_dirty_close(&dev->dirty);
	dev->features = 0;
	dev->protocol_features = 0;
	dev->status = 0;
	vblk_reset_config(dev->params.vblk, vblk_features(dev->params.vblk));
	vhost_tell_status(dev);
	return 0;
}

static void disconnect(struct vhost_dev *dev)
{
	/* A poll that is under way keeps the socket: end what it waits for. */
	shutdown(dev->conn.fd, SHUT_RDWR);
	vhost_conn_close(&dev->conn);
	if (dev->backend_fd >= 0)
		close(dev->backend_fd);
	dev->backend_fd = -1;
	vhost_stop_all(dev);
	dev->then = finish_disconnect;
	wait_for_queues(dev);
}

static void drop(struct vhost_dev *dev, int err, const struct why *why)
{
	if (err == -ECONNRESET)
		log_note("the front end is gone: %s", why->text);
	else
		log_warn("the front end is disconnected: %s", why->text);
	disconnect(dev);
}

/* After the last step of a message; @err: it was refused. */
static void finish(struct vhost_dev *dev, int err, struct why *why)
{
	uint64_t ack = err ? 1 : 0;

	if (vhost_wants_ack(dev) && !dev->replied && err != -EPROTO) {
		if (err)
			log_warn("the front end is refused: %s", why->text);
		err = vhost_conn_reply(&dev->conn, &ack, sizeof(ack), -1, why);
	}
	if (err)
		drop(dev, err, why);
	else
		vhost_conn_next(&dev->conn);
}

static void settle(struct vhost_dev *dev, int res, struct why *why)
{
	if (res == VHOST_WAIT)
		wait_for_queues(dev);
	else if (dev->conn.fd >= 0)
		finish(dev, res, why);
}

void vhost_dev_continue(struct vhost_dev *dev)
{
	int (*then)(struct vhost_dev * dev, struct why * why) = dev->then;
	struct why why = { "" };

	if (!then)
		return;
	dev->then = NULL;
	end_ticks(dev);
	settle(dev, then(dev, &why), &why);
	go(dev);
}

static void receive(struct vhost_dev *dev)
{
	struct why why = { "" };
	int res;

	res = vhost_conn_receive(&dev->conn, &why);
	if (!res)
		return;
	if (res < 0) {
		drop(dev, res, &why);
		return;
	}
	dev->replied = false;
	settle(dev, vhost_handle(dev, &why), &why);
}

static void take_next(struct vhost_dev *dev)
{
	int fd = accept4(dev->params.listen_fd, NULL, NULL,
			 SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	log_note("a front end is connected");
	vhost_conn_init(&dev->conn, fd);
}

/*
 * One message a turn of the loop, however many there are: others have a turn
 * as well.
 */
static void on_readable(struct loop_op *op, int res)
{
	struct vhost_dev *dev =
		(struct vhost_dev *)((char *)op -
				     offsetof(struct vhost_dev, readable));

	dev->polling = false;
	/* It was for a connection that is no more. */
	if (dev->then || dev->ending)
		return;
	if (dev->conn.fd < 0)
		take_next(dev);
	else
		receive(dev);
	go(dev);
}

/* What is to be waited for now. */
static void go(struct vhost_dev *dev)
{
	int fd = dev->conn.fd >= 0 ? dev->conn.fd : dev->params.listen_fd;

	if (dev->then)
		return;
	if (dev->ending && dev->conn.fd >= 0) {
		disconnect(dev);
	} else if (dev->ending && !dev->ended) {
		dev->ended = true;
		dev->params.ops->ended(dev->params.owner);
	} else if (!dev->ending && !dev->polling) {
		dev->polling = true;
		io_uring_prep_poll_add(loop_sqe(dev->loop, &dev->readable), fd,
				       POLLIN);
	}
}

void vhost_dev_start(struct vhost_dev *dev)
{
	go(dev);
}

void vhost_dev_end(struct vhost_dev *dev)
{
	dev->ending = true;
	go(dev);
}

void vhost_dev_config_changed(struct vhost_dev *dev)
{
	struct vhost_header head = {
		.request = VHOST_BACKEND_CONFIG_CHANGE,
		.flags = VHOST_VERSION,
	};
	struct iovec iov = { &head, sizeof(head) };
	const struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (dev->conn.fd < 0)
		return;
	if (dev->backend_fd < 0)
		log_note("the front end cannot be told of the new size");
	else if (sendmsg(dev->backend_fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) !=
		 sizeof(head))
		log_warn("the front end does not listen to its back end");
}

static int make_rings(struct vhost_dev *dev)
{
	unsigned size = vblk_queue_size(dev->params.vblk), i;
	int err = 0;

	for (i = 0; !err && i < dev->params.nr_queues; i++)
		err = vhost_ring_init(&dev->rings[i], i, &dev->memory,
				      &dev->dirty, size);
	if (err)
		/* The last one has nothing that could be freed. */
		for (i--; i--;)
			vhost_ring_free(&dev->rings[i]);
	return err;
}

int vhost_dev_new(const struct vhost_dev_params *params, struct loop *loop,
		  struct vhost_dev **ret)
{
	struct vhost_dev *dev;
	int err;

	dev = calloc(1,
		     sizeof(*dev) + params->nr_queues * sizeof(dev->rings[0]));
	if (!dev)
		return -ENOMEM;
	dev->params = *params;
	dev->loop = loop;
	dev->readable.done = on_readable;
	dev->tick.done = on_tick;
	dev->conn.fd = dev->backend_fd = -1;
	dev->tick_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	err = dev->tick_fd < 0 ? -errno : make_rings(dev);
	if (err) {
		if (dev->tick_fd >= 0)
			close(dev->tick_fd);
		free(dev);
		return err;
	}
	*ret = dev;
	return 0;
}

void vhost_dev_free(struct vhost_dev *dev)
{
	unsigned i;

	if (!dev)
		return;
	vhost_conn_close(&dev->conn);
	if (dev->backend_fd >= 0)
		close(dev->backend_fd);
	for (i = 0; i < dev->params.nr_queues; i++)
		vhost_ring_free(&dev->rings[i]);
	vhost_memory_clear(&dev->memory);
	vhost_log_mem_close(&dev->log_mem);
	vhost_dirty_close(&dev->dirty);
	close(dev->tick_fd);
	free(dev);
}
