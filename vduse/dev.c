/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * One VDUSE device: see dev.h.  This file has the messages; the rings are in
 * rings.c.
 */
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "lib/why.h"
#include "vduse/dev.h"
#include "vduse/rings.h"

/* What the message in hand waits for. */
enum waiting {
	WAIT_NOTHING,
	WAIT_START,  /* DRIVER_OK: the queues start */
	WAIT_RESET,  /* status 0: the queues drain */
	WAIT_UNMAP,  /* UPDATE_IOTLB: the queues drain */
	WAIT_STATE,  /* GET_VQ_STATE: the queues drain */
	WAIT_RESUME, /* no message: the queues start again */
};

struct vduse_dev {
	int fd;
	struct vduse_rings *rings;
	struct loop *loop;
	struct loop_op readable;
	const struct vduse_owner_ops *ops;
	void *owner;
	uint8_t status;
	enum waiting waiting;
	bool polling;
	struct vduse_dev_request req; /* the message in hand */
};

static int device_ioctl(struct vduse_dev *dev, unsigned long request, void *arg)
{
	return dev->rings->ioctl(dev->fd, request, arg);
}

/* Ask for the next message, once the one in hand is dealt with. */
static void next_message(struct vduse_dev *dev)
{
	if (dev->polling || dev->waiting != WAIT_NOTHING)
		return;
	dev->polling = true;
	io_uring_prep_poll_add(loop_sqe(dev->loop, &dev->readable), dev->fd,
			       POLLIN);
}

/* Of a queue that does not run it would be out of date. */
static struct virtq_state queue_state(struct vduse_dev *dev, unsigned i)
{
	if (dev->rings->setups[i].num)
		return dev->ops->queue_state(dev->owner, i);
	return (struct virtq_state){
		.last_avail_counter = true,
		.last_used_counter = true,
	};
}

static void answer(struct vduse_dev *dev, int err)
{
	struct vduse_dev_response resp = {
		.request_id = dev->req.request_id,
		.result = err ? VDUSE_REQ_RESULT_FAILED : VDUSE_REQ_RESULT_OK,
	};

	if (dev->req.type == VDUSE_GET_VQ_STATE && !err) {
		unsigned i = dev->req.vq_state.index;
		struct virtq_state state = queue_state(dev, i);

		resp.vq_state.index = i;
		vduse_rings_put_state(dev->rings, &state, &resp.vq_state);
	}
	/* ENOENT: the kernel no longer waits for this answer. */
	if (write(dev->fd, &resp, sizeof(resp)) < 0 && errno != ENOENT)
		dev->ops->broken(dev->owner, strerror(errno));
}

static void start_queues(struct vduse_dev *dev, enum waiting waiting)
{
	struct vduse_rings *rings = dev->rings;
	unsigned i;

	dev->waiting = waiting;
	for (i = 0; i < rings->nr; i++)
		if (rings->setups[i].num)
			dev->ops->start_queue(dev->owner, i, &rings->setups[i]);
	dev->ops->start_done(dev->owner);
}

static int begin_driver_ok(struct vduse_dev *dev, enum waiting waiting)
{
	int err;

	err = vduse_rings_read(dev->rings);
	if (err)
		return err;
	vduse_rings_set_live(dev->rings, true);
	start_queues(dev, waiting);
	return 0;
}

static int check_features(struct vduse_dev *dev)
{
	uint64_t features = 0;
	struct why why = { "" };
	int err;

	err = device_ioctl(dev, VDUSE_DEV_GET_FEATURES, &features);
	if (err < 0)
		return err;
	err = dev->ops->check_features(dev->owner, features, &why);
	if (err)
		log_warn("the driver's features 0x%llx are refused: %s",
			 (unsigned long long)features, why.text);
	else
		dev->rings->features = features;
	return err;
}

static void keep_status(struct vduse_dev *dev, uint8_t status)
{
	log_detail("device status 0x%x", status);
	dev->status = status;
	dev->ops->status(dev->owner, status, dev->rings->features);
}

static void stop_queues(struct vduse_dev *dev, enum waiting waiting)
{
	dev->waiting = waiting;
	dev->ops->stop_queues(dev->owner);
}

static bool newly(const struct vduse_dev *dev, uint8_t status, uint8_t bit)
{
	return (status & bit) && !(dev->status & bit);
}

static void handle_status(struct vduse_dev *dev, uint8_t status)
{
	int err = 0;

	if (!status) {
		vduse_rings_set_live(dev->rings, false);
		stop_queues(dev, WAIT_RESET);
		return;
	}
	/* Bits go with a reset only (virtio 1.3, section 2.1.1). */
	if (dev->status & ~status) {
		log_warn("the driver takes status 0x%x back to 0x%x",
			 dev->status, status);
		answer(dev, -EINVAL);
		return;
	}
	if (newly(dev, status, VIRTIO_CONFIG_S_FEATURES_OK))
		err = check_features(dev);
	if (!err && newly(dev, status, VIRTIO_CONFIG_S_DRIVER_OK)) {
		err = begin_driver_ok(dev, WAIT_START);
		if (!err)
			return;
	}
	if (!err)
		keep_status(dev, status);
	answer(dev, err);
}

static void handle(struct vduse_dev *dev)
{
	const struct vduse_dev_request *req = &dev->req;

	switch (req->type) {
	case VDUSE_SET_STATUS:
		handle_status(dev, req->s.status);
		break;
	case VDUSE_UPDATE_IOTLB:
		stop_queues(dev, WAIT_UNMAP);
		break;
	case VDUSE_GET_VQ_STATE:
		if (req->vq_state.index >= dev->rings->nr)
			answer(dev, -EINVAL);
		else
			stop_queues(dev, WAIT_STATE);
		break;
	default:
		log_warn("the kernel asks for something unknown (type %u)",
			 req->type);
		answer(dev, -EOPNOTSUPP);
		break;
	}
}

/* The queues have drained: the driver's reset takes effect. */
static void finish_reset(struct vduse_dev *dev)
{
	vduse_rings_reset(dev->rings);
	dev->ops->reset(dev->owner);
	keep_status(dev, 0);
	answer(dev, 0);
}

/* Queues that ran before a pause go on where they stopped. */
static void resume(struct vduse_dev *dev)
{
	struct vduse_rings *rings = dev->rings;
	unsigned i;

	for (i = 0; i < rings->nr; i++)
		if (rings->setups[i].num)
			rings->setups[i].state = queue_state(dev, i);
	start_queues(dev, WAIT_RESUME);
}

void vduse_dev_continue(struct vduse_dev *dev)
{
	enum waiting waiting = dev->waiting;

	dev->waiting = WAIT_NOTHING;
	switch (waiting) {
	case WAIT_START:
		keep_status(dev, dev->req.s.status);
		answer(dev, 0);
		break;
	case WAIT_RESET:
		finish_reset(dev);
		break;
	case WAIT_UNMAP:
		vduse_rings_drop(dev->rings, dev->req.iova.start,
				 dev->req.iova.last);
		answer(dev, 0);
		resume(dev);
		break;
	case WAIT_STATE:
		answer(dev, 0);
		resume(dev);
		break;
	case WAIT_RESUME:
	case WAIT_NOTHING:
		break;
	}
	next_message(dev);
}

static void on_readable(struct loop_op *op, int res)
{
	struct vduse_dev *dev =
		(struct vduse_dev *)((char *)op -
				     offsetof(struct vduse_dev, readable));
	ssize_t n;

	dev->polling = false;
	if (res < 0) {
		dev->ops->broken(dev->owner, strerror(-res));
		return;
	}
	if (res & POLLERR) {
		dev->ops->broken(dev->owner,
				 "a message was not answered in time");
		return;
	}
	n = read(dev->fd, &dev->req, sizeof(dev->req));
	if (n == sizeof(dev->req)) {
		handle(dev);
	} else if (n >= 0 || (errno != EAGAIN && errno != EINTR)) {
		dev->ops->broken(dev->owner, n < 0 ? strerror(errno)
						   : "a message is cut short");
		return;
	}
	next_message(dev);
}

int vduse_dev_new(const struct vduse_dev_params *params, struct loop *loop,
		  struct vduse_dev **ret)
{
	struct vduse_dev *dev = calloc(1, sizeof(*dev));
	int err;

	if (!dev)
		return -ENOMEM;
	err = vduse_rings_new(params->fd, params->ioctl, params->nr_queues,
			      &dev->rings);
	if (err) {
		free(dev);
		return err;
	}
	dev->fd = params->fd;
	dev->loop = loop;
	dev->readable.done = on_readable;
	dev->ops = params->ops;
	dev->owner = params->owner;
	*ret = dev;
	return 0;
}

void vduse_dev_free(struct vduse_dev *dev)
{
	if (!dev)
		return;
	vduse_rings_free(dev->rings);
	free(dev);
}

static int take_over(struct vduse_dev *dev, uint8_t status)
{
	int err;

	if (status & VIRTIO_CONFIG_S_FEATURES_OK) {
		err = check_features(dev);
		if (err)
			return err;
		dev->status |= VIRTIO_CONFIG_S_FEATURES_OK;
	}
	if (status & VIRTIO_CONFIG_S_DRIVER_OK) {
		err = begin_driver_ok(dev, WAIT_RESUME);
		if (err)
			return err;
		dev->status |= VIRTIO_CONFIG_S_DRIVER_OK;
	}
	return 0;
}

/*
 * A former process served the device until it died in some status.  The
 * kernel kept the rings, and puts messages that were read but not answered
 * back into its queue.  What cannot be taken over does not count as done: a
 * message that asks for it again is not answered with success for nothing.
 */
void vduse_dev_start(struct vduse_dev *dev, uint8_t status)
{
	char reason[80];
	int err;

	dev->status = status & (uint8_t) ~(VIRTIO_CONFIG_S_FEATURES_OK |
					   VIRTIO_CONFIG_S_DRIVER_OK);
	err = take_over(dev, status);
	if (err && (status & VIRTIO_CONFIG_S_DRIVER_OK)) {
		snprintf(reason, sizeof(reason),
			 "its queues cannot be taken over: %s", strerror(-err));
		dev->ops->broken(dev->owner, reason);
	}
	next_message(dev);
}

int vduse_dev_set_kick(struct vduse_dev *dev, unsigned index, int fd)
{
	struct vduse_vq_eventfd arg = { .index = index, .fd = fd };
	int n = device_ioctl(dev, VDUSE_VQ_SETUP_KICKFD, &arg);

	return n < 0 ? n : 0;
}

int vduse_dev_set_config(struct vduse_dev *dev, uint32_t offset,
			 const void *data, uint32_t len)
{
	struct vduse_config_data *arg;
	int n;

	arg = malloc(sizeof(*arg) + len);
	if (!arg)
		return -ENOMEM;
	arg->offset = offset;
	arg->length = len;
	memcpy(arg->buffer, data, len);
	n = device_ioctl(dev, VDUSE_DEV_SET_CONFIG, arg);
	free(arg);
	if (n < 0)
		return n;
	/* EINVAL: no driver is running, so none needs to be told. */
	n = device_ioctl(dev, VDUSE_DEV_INJECT_CONFIG_IRQ, NULL);
	return n < 0 && n != -EINVAL ? n : 0;
}
