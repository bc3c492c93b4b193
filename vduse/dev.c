/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * One VDUSE device: see dev.h.
 */
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vduse.h>
#include <linux/virtio_config.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "lib/why.h"
#include "vduse/dev.h"
#include "vduse/queue.h"

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
	vduse_ioctl_fn ioctl;
	struct loop *loop;
	struct loop_op readable;
	const struct vduse_owner_ops *ops;
	void *owner;
	uint8_t status;
	uint64_t features;
	enum waiting waiting;
	bool polling;
	struct vduse_dev_request req; /* the message in hand */
	unsigned nr_queues;
	struct virtq_setup *setups; /* of the queues that run */
	struct vduse_queue queues[];
};

static int plain_ioctl(int fd, unsigned long request, void *arg)
{
	int n = ioctl(fd, request, arg);

	return n < 0 ? -errno : n;
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
	if (dev->setups[i].num)
		return dev->ops->queue_state(dev->owner, i);
	return (struct virtq_state){
		.last_avail_counter = true,
		.last_used_counter = true,
	};
}

static bool is_packed(const struct vduse_dev *dev)
{
	return dev->features & (1ULL << VIRTIO_F_RING_PACKED);
}

static void put_state(const struct vduse_dev *dev,
		      const struct virtq_state *state,
		      struct vduse_vq_state *ret)
{
	if (!is_packed(dev)) {
		ret->split.avail_index = state->avail_index;
		return;
	}
	ret->packed.last_avail_counter = state->last_avail_counter;
	ret->packed.last_avail_idx = state->last_avail_idx;
	ret->packed.last_used_counter = state->last_used_counter;
	ret->packed.last_used_idx = state->last_used_idx;
}

static struct virtq_state get_state(const struct vduse_dev *dev,
				    const struct vduse_vq_info *info)
{
	if (!is_packed(dev))
		return (struct virtq_state){
			.avail_index = info->split.avail_index,
		};
	return (struct virtq_state){
		.last_avail_counter = info->packed.last_avail_counter & 1,
		.last_avail_idx = info->packed.last_avail_idx,
		.last_used_counter = info->packed.last_used_counter & 1,
		.last_used_idx = info->packed.last_used_idx,
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
		put_state(dev, &state, &resp.vq_state);
	}
	/* ENOENT: the kernel no longer waits for this answer. */
	if (write(dev->fd, &resp, sizeof(resp)) < 0 && errno != ENOENT)
		dev->ops->broken(dev->owner, strerror(errno));
}

static void set_live(struct vduse_dev *dev, bool live)
{
	unsigned i;

	for (i = 0; i < dev->nr_queues; i++)
		atomic_store_explicit(&dev->queues[i].live, live,
				      memory_order_release);
}

/* The kernel knows the rings: those that the driver uses are ready. */
static int read_setup(struct vduse_dev *dev, unsigned i)
{
	struct virtq_setup *setup = &dev->setups[i];
	struct vduse_vq_info info = { .index = i };
	int err;

	err = dev->ioctl(dev->fd, VDUSE_VQ_GET_INFO, &info);
	if (err < 0)
		return err;
	*setup = (struct virtq_setup){
		.features = dev->features,
		.num = info.ready ? info.num : 0,
		.desc_addr = info.desc_addr,
		.driver_addr = info.driver_addr,
		.device_addr = info.device_addr,
		.state = get_state(dev, &info),
		.kick_fd = -1,
		.ops = &vduse_queue_ops,
		.host = &dev->queues[i],
	};
	return 0;
}

static void forget_setups(struct vduse_dev *dev)
{
	memset(dev->setups, 0, dev->nr_queues * sizeof(*dev->setups));
}

static void start_queues(struct vduse_dev *dev, enum waiting waiting)
{
	unsigned i;

	dev->waiting = waiting;
	for (i = 0; i < dev->nr_queues; i++)
		if (dev->setups[i].num)
			dev->ops->start_queue(dev->owner, i, &dev->setups[i]);
	dev->ops->start_done(dev->owner);
}

static int begin_driver_ok(struct vduse_dev *dev, enum waiting waiting)
{
	unsigned i;
	int err = 0;

	for (i = 0; i < dev->nr_queues && !err; i++)
		err = read_setup(dev, i);
	if (err) {
		/* None runs, so none is to be resumed later. */
		forget_setups(dev);
		return err;
	}
	set_live(dev, true);
	start_queues(dev, waiting);
	return 0;
}

static int check_features(struct vduse_dev *dev)
{
	uint64_t features = 0;
	struct why why = { "" };
	int err;

	err = dev->ioctl(dev->fd, VDUSE_DEV_GET_FEATURES, &features);
	if (err < 0)
		return err;
	err = dev->ops->check_features(dev->owner, features, &why);
	if (err)
		log_warn("the driver's features 0x%llx are refused: %s",
			 (unsigned long long)features, why.text);
	else
		dev->features = features;
	return err;
}

static void keep_status(struct vduse_dev *dev, uint8_t status)
{
	log_detail("device status 0x%x", status);
	dev->status = status;
	dev->ops->status(dev->owner, status, dev->features);
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
		set_live(dev, false);
		stop_queues(dev, WAIT_RESET);
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
		if (req->vq_state.index >= dev->nr_queues)
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

static void drop_mappings(struct vduse_dev *dev, uint64_t start, uint64_t last)
{
	unsigned i;

	for (i = 0; i < dev->nr_queues; i++)
		iotlb_drop(&dev->queues[i].iotlb, start, last);
}

/* The queues have drained: the driver's reset takes effect. */
static void finish_reset(struct vduse_dev *dev)
{
	drop_mappings(dev, 0, UINT64_MAX);
	forget_setups(dev);
	dev->features = 0;
	dev->ops->reset(dev->owner);
	keep_status(dev, 0);
	answer(dev, 0);
}

/* Queues that ran before a pause go on where they stopped. */
static void resume(struct vduse_dev *dev)
{
	unsigned i;

	for (i = 0; i < dev->nr_queues; i++)
		if (dev->setups[i].num)
			dev->setups[i].state = queue_state(dev, i);
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
		drop_mappings(dev, dev->req.iova.start, dev->req.iova.last);
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
	struct vduse_dev *dev;
	unsigned i;

	dev = calloc(1,
		     sizeof(*dev) + params->nr_queues * sizeof(dev->queues[0]));
	if (!dev)
		return -ENOMEM;
	dev->setups = calloc(params->nr_queues, sizeof(*dev->setups));
	if (!dev->setups) {
		free(dev);
		return -ENOMEM;
	}
	dev->fd = params->fd;
	dev->ioctl = params->ioctl ? params->ioctl : plain_ioctl;
	dev->loop = loop;
	dev->readable.done = on_readable;
	dev->ops = params->ops;
	dev->owner = params->owner;
	dev->nr_queues = params->nr_queues;
	for (i = 0; i < dev->nr_queues; i++)
		vduse_queue_init(&dev->queues[i], dev->fd, dev->ioctl, i);
	*ret = dev;
	return 0;
}

void vduse_dev_free(struct vduse_dev *dev)
{
	if (!dev)
		return;
	drop_mappings(dev, 0, UINT64_MAX);
	free(dev->setups);
	free(dev);
}

/*
 * A former process served the device until it died in some status.  The
 * kernel kept the rings, and puts messages that were read but not answered
 * back into its queue.
 */
void vduse_dev_start(struct vduse_dev *dev, uint8_t status)
{
	int err = 0;

	dev->status = status;
	if (status & VIRTIO_CONFIG_S_FEATURES_OK)
		err = check_features(dev);
	if (!err && (status & VIRTIO_CONFIG_S_DRIVER_OK))
		err = begin_driver_ok(dev, WAIT_RESUME);
	if (err)
		log_error("cannot take the device over: %s", strerror(-err));
	next_message(dev);
}

int vduse_dev_set_kick(struct vduse_dev *dev, unsigned index, int fd)
{
	struct vduse_vq_eventfd arg = { .index = index, .fd = fd };
	int n = dev->ioctl(dev->fd, VDUSE_VQ_SETUP_KICKFD, &arg);

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
	n = dev->ioctl(dev->fd, VDUSE_DEV_SET_CONFIG, arg);
	free(arg);
	if (n < 0)
		return n;
	/* EINVAL: no driver is running, so none needs to be told. */
	n = dev->ioctl(dev->fd, VDUSE_DEV_INJECT_CONFIG_IRQ, NULL);
	return n < 0 && n != -EINVAL ? n : 0;
}
