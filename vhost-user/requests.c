/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The messages of a vhost-user front end: what each has to look like, and what
 * is done, but for ring_requests.c and memory_requests.c.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>

#include "lib/log.h"
#include "lib/why.h"
#include "vhost-user/dev_int.h"
#include "vhost-user/fd.h"
#include "vhost-user/requests.h"
#include "virtio/blk_dev.h"

#define BIT(n) (1ULL << (n))

#define PROTOCOL_FEATURES                                                 \
	(BIT(VHOST_PF_MQ) | BIT(VHOST_PF_LOG_SHMFD) |                     \
	 BIT(VHOST_PF_REPLY_ACK) | BIT(VHOST_PF_BACKEND_REQ) |            \
	 BIT(VHOST_PF_CONFIG) | BIT(VHOST_PF_INFLIGHT_SHMFD) |            \
	 BIT(VHOST_PF_RESET_DEVICE) | BIT(VHOST_PF_CONFIGURE_MEM_SLOTS) | \
	 BIT(VHOST_PF_STATUS))

int vhost_reply(struct vhost_dev *dev, const void *data, size_t len,
		struct why *why)
{
	dev->replied = true;
	return vhost_conn_reply(&dev->conn, data, len, -1, why);
}

int vhost_reply_u64(struct vhost_dev *dev, uint64_t value, struct why *why)
{
	return vhost_reply(dev, &value, sizeof(value), why);
}

static int get_features(struct vhost_dev *dev, struct why *why)
{
	return vhost_reply_u64(
		dev, vblk_features(dev->params.vblk) | VHOST_F_OWN, why);
}

#define WCE offsetof(struct virtio_blk_config, wce)

void vhost_recall_mode(struct vhost_dev *dev)
{
	enum vhost_cache_mode mode = vhost_log_mem_mode(&dev->log_mem);
	uint8_t wce = mode == VHOST_CACHE_WRITEBACK;

	/* It is refused where the driver has no choice. */
	if (mode != VHOST_CACHE_UNKNOWN)
		vblk_write_config(dev->params.vblk, WCE, &wce, sizeof(wce));
}

static void note_mode(struct vhost_dev *dev)
{
	struct virtio_blk_config c;

	vblk_config(dev->params.vblk, &c, sizeof(c));
	vhost_log_mem_set_mode(&dev->log_mem, c.wce ? VHOST_CACHE_WRITEBACK
						    : VHOST_CACHE_WRITETHROUGH);
}

static int change_logging(struct vhost_dev *dev, struct why *why)
{
	dev->features = vhost_payload(dev)->u64;
	return 0;
}

static int set_features(struct vhost_dev *dev, struct why *why)
{
	uint64_t features = vhost_payload(dev)->u64;
	uint64_t plain = features & ~VHOST_F_OWN;
	int err;

	if (features == dev->features)
		return 0;
	/* Logging begins and ends while the guest runs. */
	if (dev->features && (features ^ dev->features) == BIT(VHOST_F_LOG_ALL))
		return vhost_pause(dev, change_logging, why);
	if (vhost_any_runs(dev))
		return why_set(why, -EPROTO,
			       "other features while a ring runs");
	err = vblk_check_features(dev->params.vblk, plain, why);
	if (err)
		return err;
	vblk_reset_config(dev->params.vblk, plain);
	if (!dev->features)
		vhost_recall_mode(dev);
	dev->features = features;
	vhost_tell_status(dev);
	return 0;
}

static int get_protocol_features(struct vhost_dev *dev, struct why *why)
{
	return vhost_reply_u64(dev, PROTOCOL_FEATURES, why);
}

static int set_protocol_features(struct vhost_dev *dev, struct why *why)
{
	uint64_t features = vhost_payload(dev)->u64;

	if (features & ~PROTOCOL_FEATURES)
		return why_set(
			why, -EPROTO,
			"protocol features %#llx, which were not offered",
			(unsigned long long)(features & ~PROTOCOL_FEATURES));
	dev->protocol_features = features;
	return 0;
}

static int get_queue_num(struct vhost_dev *dev, struct why *why)
{
	return vhost_reply_u64(dev, dev->params.nr_queues, why);
}

/* There is one owner, who is connected. */
static int do_nothing(struct vhost_dev *dev, struct why *why)
{
	return 0;
}

static int get_max_mem_slots(struct vhost_dev *dev, struct why *why)
{
	return vhost_reply_u64(dev, VHOST_MAX_SLOTS, why);
}

static int set_backend_fd(struct vhost_dev *dev, struct why *why)
{
	if (!vhost_fd_is_socket(dev->conn.msg.fds[0]))
		return why_set(why, -EPROTO,
			       "the back end's channel is no socket");
	if (dev->backend_fd >= 0)
		close(dev->backend_fd);
	dev->backend_fd = vhost_conn_take(&dev->conn, 0);
	return 0;
}

static int check_config(const struct vhost_dev *dev, struct why *why)
{
	const struct vhost_config *c = &vhost_payload(dev)->config;
	uint32_t len = dev->conn.msg.head.size;

	if (len < VHOST_CONFIG_HEAD || c->size > VHOST_CONFIG_MAX ||
	    len != VHOST_CONFIG_HEAD + c->size ||
	    c->offset > VHOST_CONFIG_MAX - c->size)
		return why_set(why, -EPROTO,
			       "%u bytes of configuration at %u in %u bytes",
			       c->size, c->offset, len);
	return 0;
}

static int get_config(struct vhost_dev *dev, struct why *why)
{
	struct vhost_config c = vhost_payload(dev)->config;
	uint8_t all[VHOST_CONFIG_MAX] = { 0 };
	int err = check_config(dev, why);

	if (err)
		return err;
	vblk_config(dev->params.vblk, all, sizeof(all));
	memcpy(c.data, all + c.offset, c.size);
	return vhost_reply(dev, &c, VHOST_CONFIG_HEAD + c.size, why);
}

static int set_config(struct vhost_dev *dev, struct why *why)
{
	const struct vhost_config *c = &vhost_payload(dev)->config;
	int err = check_config(dev, why);

	if (err)
		return err;
	err = vblk_write_config(dev->params.vblk, c->offset, c->data, c->size);
	if (err)
		return why_set(
			why, err,
			"configuration: %u bytes at %u cannot be written",
			c->size, c->offset);
	note_mode(dev);
	return 0;
}

/* The driver starts from nothing; connection and memory stay. */
static int device_reset(struct vhost_dev *dev, struct why *why)
{
	unsigned i;

	for (i = 0; i < dev->params.nr_queues; i++) {
		struct vhost_ring *r = &dev->rings[i];

		vhost_ring_forget(r, &dev->log_mem);
		r->runs = false;
		r->enabled = VHOST_BY_FEATURES;
		r->base = VHOST_BASE_NONE;
		vhost_ring_set_kick(r, -1);
	}
	vhost_log_mem_set_mode(&dev->log_mem, VHOST_CACHE_UNKNOWN);
	dev->features = 0;
	dev->status = 0;
	vblk_reset_config(dev->params.vblk, vblk_features(dev->params.vblk));
	vhost_tell_status(dev);
	return 0;
}

static int reset_device(struct vhost_dev *dev, struct why *why)
{
	if (!vhost_stop_all(dev))
		return device_reset(dev, why);
	dev->then = device_reset;
	return VHOST_WAIT;
}

static int set_status(struct vhost_dev *dev, struct why *why)
{
	uint64_t status = vhost_payload(dev)->u64;

	if (status > UINT8_MAX)
		return why_set(why, -EPROTO, "status %#llx",
			       (unsigned long long)status);
	if (!status)
		return reset_device(dev, why);
	/* Who reads it back sees whether the features were accepted. */
	if (!dev->features)
		status &= ~(uint64_t)VIRTIO_CONFIG_S_FEATURES_OK;
	dev->status = (uint8_t)status;
	vhost_tell_status(dev);
	return 0;
}

static int get_status(struct vhost_dev *dev, struct why *why)
{
	return vhost_reply_u64(dev, dev->status, why);
}

#define ANY_LEN UINT32_MAX
#define NO_PF	-1

static const struct {
	const char *name;
	uint32_t len; /* of the payload, bytes */
	unsigned min_fds, max_fds;
	int feature; /* of the protocol, that must have been accepted */
	int (*handle)(struct vhost_dev *dev, struct why *why);
} requests[VHOST_NR_REQUESTS] = {
	[VHOST_GET_FEATURES] = { "GET_FEATURES", 0, 0, 0, NO_PF, get_features },
	[VHOST_SET_FEATURES] = { "SET_FEATURES", 8, 0, 0, NO_PF, set_features },
	[VHOST_SET_OWNER] = { "SET_OWNER", 0, 0, 0, NO_PF, do_nothing },
	[VHOST_RESET_OWNER] = { "RESET_OWNER", 0, 0, 0, NO_PF, do_nothing },
	[VHOST_SET_MEM_TABLE] = { "SET_MEM_TABLE", ANY_LEN, 0, VHOST_MAX_FDS,
				  NO_PF, vhost_set_mem_table },
	[VHOST_SET_LOG_BASE] = { "SET_LOG_BASE", 16, 1, 1, VHOST_PF_LOG_SHMFD,
				 vhost_set_log_base },
	/* An eventfd for who wants to know when the log changes: nobody. */
	[VHOST_SET_LOG_FD] = { "SET_LOG_FD", 0, 1, 1, NO_PF, do_nothing },
	[VHOST_SET_VRING_NUM] = { "SET_VRING_NUM", 8, 0, 0, NO_PF,
				  vhost_set_vring_num },
	[VHOST_SET_VRING_ADDR] = { "SET_VRING_ADDR", 40, 0, 0, NO_PF,
				   vhost_set_vring_addr },
	[VHOST_SET_VRING_BASE] = { "SET_VRING_BASE", 8, 0, 0, NO_PF,
				   vhost_set_vring_base },
	[VHOST_GET_VRING_BASE] = { "GET_VRING_BASE", 8, 0, 0, NO_PF,
				   vhost_get_vring_base },
	[VHOST_SET_VRING_KICK] = { "SET_VRING_KICK", 8, 0, 1, NO_PF,
				   vhost_set_vring_kick },
	[VHOST_SET_VRING_CALL] = { "SET_VRING_CALL", 8, 0, 1, NO_PF,
				   vhost_set_vring_call },
	[VHOST_SET_VRING_ERR] = { "SET_VRING_ERR", 8, 0, 1, NO_PF,
				  vhost_set_vring_err },
	[VHOST_GET_PROTOCOL_FEATURES] = { "GET_PROTOCOL_FEATURES", 0, 0, 0,
					  NO_PF, get_protocol_features },
	[VHOST_SET_PROTOCOL_FEATURES] = { "SET_PROTOCOL_FEATURES", 8, 0, 0,
					  NO_PF, set_protocol_features },
	[VHOST_GET_QUEUE_NUM] = { "GET_QUEUE_NUM", 0, 0, 0, VHOST_PF_MQ,
				  get_queue_num },
	[VHOST_SET_VRING_ENABLE] = { "SET_VRING_ENABLE", 8, 0, 0, NO_PF,
				     vhost_set_vring_enable },
	[VHOST_SET_BACKEND_REQ_FD] = { "SET_BACKEND_REQ_FD", 0, 1, 1,
				       VHOST_PF_BACKEND_REQ, set_backend_fd },
	[VHOST_GET_CONFIG] = { "GET_CONFIG", ANY_LEN, 0, 0, VHOST_PF_CONFIG,
			       get_config },
	[VHOST_SET_CONFIG] = { "SET_CONFIG", ANY_LEN, 0, 0, VHOST_PF_CONFIG,
			       set_config },
	[VHOST_GET_INFLIGHT_FD] = { "GET_INFLIGHT_FD", ANY_LEN, 0, 0,
				    VHOST_PF_INFLIGHT_SHMFD,
				    vhost_get_inflight },
	[VHOST_SET_INFLIGHT_FD] = { "SET_INFLIGHT_FD", ANY_LEN, 1, 1,
				    VHOST_PF_INFLIGHT_SHMFD,
				    vhost_set_inflight },
	[VHOST_RESET_DEVICE] = { "RESET_DEVICE", 0, 0, 0, VHOST_PF_RESET_DEVICE,
				 reset_device },
	[VHOST_GET_MAX_MEM_SLOTS] = { "GET_MAX_MEM_SLOTS", 0, 0, 0,
				      VHOST_PF_CONFIGURE_MEM_SLOTS,
				      get_max_mem_slots },
	[VHOST_ADD_MEM_REG] = { "ADD_MEM_REG", 40, 1, 1,
				VHOST_PF_CONFIGURE_MEM_SLOTS,
				vhost_set_memory },
	/* It may come with the region's descriptor, which nobody needs. */
	[VHOST_REM_MEM_REG] = { "REM_MEM_REG", 40, 0, 1,
				VHOST_PF_CONFIGURE_MEM_SLOTS,
				vhost_set_memory },
	[VHOST_SET_STATUS] = { "SET_STATUS", 8, 0, 0, VHOST_PF_STATUS,
			       set_status },
	[VHOST_GET_STATUS] = { "GET_STATUS", 0, 0, 0, VHOST_PF_STATUS,
			       get_status },
};

bool vhost_wants_ack(const struct vhost_dev *dev)
{
	return (dev->conn.msg.head.flags & VHOST_NEED_REPLY) &&
	       (dev->protocol_features & BIT(VHOST_PF_REPLY_ACK));
}

int vhost_handle(struct vhost_dev *dev, struct why *why)
{
	const struct vhost_msg *msg = &dev->conn.msg;
	uint32_t what = msg->head.request;
	int feature, err;

	if (what >= VHOST_NR_REQUESTS || !requests[what].handle)
		return why_set(why, -EPROTO, "message %u is unknown", what);
	feature = requests[what].feature;
	if (feature >= 0 && !(dev->protocol_features & BIT(feature)))
		return why_set(why, -EPROTO,
			       "%s without its protocol feature (%d)",
			       requests[what].name, feature);
	if (requests[what].len != ANY_LEN &&
	    requests[what].len != msg->head.size)
		return why_set(why, -EPROTO, "%s has %u bytes, not %u",
			       requests[what].name, msg->head.size,
			       requests[what].len);
	if (msg->nr_fds < requests[what].min_fds ||
	    msg->nr_fds > requests[what].max_fds)
		return why_set(why, -EPROTO, "%s came with %u descriptors",
			       requests[what].name, msg->nr_fds);
	err = requests[what].handle(dev, why);
	if (err < 0)
		why_prefix(why, "%s", requests[what].name);
	return err;
}
