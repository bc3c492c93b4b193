/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The messages of a vhost-user front end: what each has to look like, and what
 * is done.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include "lib/log.h"
#include "lib/why.h"
#include "vhost-user/dev_int.h"
#include "vhost-user/fd.h"
#include "virtio/blk_dev.h"

#define BIT(n) (1ULL << (n))

#define PROTOCOL_FEATURES                                            \
	(BIT(VHOST_PF_MQ) | BIT(VHOST_PF_REPLY_ACK) |                \
	 BIT(VHOST_PF_BACKEND_REQ) | BIT(VHOST_PF_CONFIG) |          \
	 BIT(VHOST_PF_INFLIGHT_SHMFD) | BIT(VHOST_PF_RESET_DEVICE) | \
	 BIT(VHOST_PF_CONFIGURE_MEM_SLOTS) | BIT(VHOST_PF_STATUS))

static const union vhost_payload *payload(const struct vhost_dev *dev)
{
	return &dev->conn.msg.payload;
}

static int reply(struct vhost_dev *dev, const void *data, size_t len,
		 struct why *why)
{
	dev->replied = true;
	return vhost_conn_reply(&dev->conn, data, len, -1, why);
}

static int reply_u64(struct vhost_dev *dev, uint64_t value, struct why *why)
{
	return reply(dev, &value, sizeof(value), why);
}

static int find_ring(struct vhost_dev *dev, uint32_t index,
		     struct vhost_ring **ret, struct why *why)
{
	if (index >= dev->params.nr_queues) {
		why_set(why, 0, "there is no ring %u", index);
		return -EPROTO;
	}
	*ret = &dev->rings[index];
	return 0;
}

/* A ring whose place or size is about to change. */
static int find_idle(struct vhost_dev *dev, uint32_t index,
		     struct vhost_ring **ret, struct why *why)
{
	int err = find_ring(dev, index, ret, why);

	if (!err && (*ret)->runs)
		return why_set(why, -EPROTO, "ring %u runs", index);
	return err;
}

static bool any_runs(const struct vhost_dev *dev)
{
	unsigned i;

	for (i = 0; i < dev->params.nr_queues; i++)
		if (dev->rings[i].runs)
			return true;
	return false;
}

/* The queues that were begun run now, or they could not be started. */
static int check_started(struct vhost_dev *dev, struct why *why)
{
	int err = 0;
	unsigned i;

	for (i = 0; i < dev->params.nr_queues; i++) {
		struct vhost_ring *r = &dev->rings[i];

		if (!r->runs ||
		    dev->params.ops->queue_runs(dev->params.owner, i))
			continue;
		r->runs = false;
		vhost_ring_set_kick(r, -1);
		err = why_set(why, -EINVAL, "ring %u cannot be started", i);
	}
	vhost_tell_status(dev);
	return err;
}

static int begin_start(struct vhost_dev *dev, struct vhost_ring *r,
		       struct why *why)
{
	struct virtq_setup setup;
	int err;

	err = vhost_ring_setup(r, dev->features, &dev->log_mem, &setup, why);
	if (err) {
		vhost_ring_set_kick(r, -1);
		return err;
	}
	r->runs = true;
	dev->params.ops->start_queue(dev->params.owner, r->index, &setup);
	return 0;
}

/* Start the ring if all has been said, stop it if it is not wanted. */
static int follow(struct vhost_dev *dev, struct vhost_ring *r,
		  int (*stopped)(struct vhost_dev *dev, struct why *why),
		  struct why *why)
{
	bool wanted = vhost_ring_wanted(r, dev->features);
	int err;

	if (wanted == r->runs)
		return 0;
	if (!wanted) {
		vhost_stop(dev, r);
		dev->then = stopped;
		return VHOST_WAIT;
	}
	err = begin_start(dev, r, why);
	if (err)
		return err;
	dev->then = check_started;
	return VHOST_WAIT;
}

static void note_stopped(struct vhost_dev *dev, struct vhost_ring *r)
{
	struct virtq_state state;

	if (!r->runs)
		return;
	state = dev->params.ops->queue_state(dev->params.owner, r->index);
	r->runs = false;
	vhost_ring_keep_state(r, dev->features, &state);
}

static int get_features(struct vhost_dev *dev, struct why *why)
{
	return reply_u64(dev,
			 vblk_features(dev->params.vblk) |
				 BIT(VHOST_F_PROTOCOL_FEATURES),
			 why);
}

static int set_features(struct vhost_dev *dev, struct why *why)
{
	uint64_t features = payload(dev)->u64;
	uint64_t plain = features & ~BIT(VHOST_F_PROTOCOL_FEATURES);
	int err;

	if (features == dev->features)
		return 0;
	if (any_runs(dev))
		return why_set(why, -EPROTO,
			       "other features while a ring runs");
	err = vblk_check_features(dev->params.vblk, plain, why);
	if (err)
		return err;
	dev->features = features;
	vblk_reset_config(dev->params.vblk, plain);
	vhost_tell_status(dev);
	return 0;
}

static int get_protocol_features(struct vhost_dev *dev, struct why *why)
{
	return reply_u64(dev, PROTOCOL_FEATURES, why);
}

static int set_protocol_features(struct vhost_dev *dev, struct why *why)
{
	uint64_t features = payload(dev)->u64;

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
	return reply_u64(dev, dev->params.nr_queues, why);
}

/* There is one owner, who is connected. */
static int do_nothing(struct vhost_dev *dev, struct why *why)
{
	return 0;
}

/*
 * The queues that were paused go on, with the memory that there is now: all
 * of them, or none.
 */
static int resume(struct vhost_dev *dev, struct why *why)
{
	struct vhost_ring *r, *end = dev->rings + dev->params.nr_queues;
	struct virtq_setup setup;

	for (r = dev->rings; r < end; r++)
		if (r->paused && vhost_ring_setup(r, dev->features,
						  &dev->log_mem, &setup, why))
			return -EPROTO;
	for (r = dev->rings; r < end; r++) {
		if (r->paused)
			begin_start(dev, r, why);
		r->paused = false;
	}
	dev->then = check_started;
	return VHOST_WAIT;
}

static int table_error(struct why *why)
{
	why_prefix(why, "memory");
	return -EPROTO;
}

static int change_memory(struct vhost_dev *dev, struct why *why)
{
	const union vhost_payload *p = payload(dev);
	const int *fds = dev->conn.msg.fds;
	unsigned i;
	int err = 0;

	switch (dev->conn.msg.head.request) {
	case VHOST_ADD_MEM_REG:
		err = vhost_memory_add(&dev->memory, &p->one.region, fds[0],
				       why);
		break;
	case VHOST_REM_MEM_REG:
		err = vhost_memory_remove(&dev->memory, &p->one.region, why);
		break;
	default:
		vhost_memory_clear(&dev->memory);
		for (i = 0; !err && i < p->table.nr; i++)
			err = vhost_memory_add(
				&dev->memory, &p->table.region[i], fds[i], why);
	}
	/* There is no way back to the memory that was. */
	return err ? table_error(why) : 0;
}

static int paused(struct vhost_dev *dev, struct why *why)
{
	unsigned i;
	int err;

	for (i = 0; i < dev->params.nr_queues; i++) {
		struct vhost_ring *r = &dev->rings[i];

		r->paused = r->runs;
		note_stopped(dev, r);
	}
	err = change_memory(dev, why);
	return err ? err : resume(dev, why);
}

/* No queue may run while the memory changes. */
static int set_memory(struct vhost_dev *dev, struct why *why)
{
	if (!vhost_stop_all(dev))
		return change_memory(dev, why);
	dev->then = paused;
	return VHOST_WAIT;
}

static int set_mem_table(struct vhost_dev *dev, struct why *why)
{
	const struct vhost_msg *msg = &dev->conn.msg;
	const struct vhost_table *table = &payload(dev)->table;

	if (msg->head.size < 8 || table->nr > VHOST_TABLE_MAX ||
	    msg->head.size != 8 + table->nr * sizeof(table->region[0]))
		return why_set(why, -EPROTO,
			       "a memory table of %u bytes has %u regions",
			       msg->head.size, table->nr);
	if (msg->nr_fds != table->nr)
		return why_set(why, -EPROTO,
			       "%u regions of memory with %u descriptors",
			       table->nr, msg->nr_fds);
	return set_memory(dev, why);
}

static int get_max_mem_slots(struct vhost_dev *dev, struct why *why)
{
	return reply_u64(dev, VHOST_MAX_SLOTS, why);
}

static int set_vring_num(struct vhost_dev *dev, struct why *why)
{
	const struct vhost_vring_state *s = &payload(dev)->state;
	unsigned max = vblk_queue_size(dev->params.vblk);
	struct vhost_ring *r;
	int err = find_idle(dev, s->index, &r, why);

	if (err)
		return err;
	if (!s->num || s->num > max)
		return why_set(why, -EINVAL, "ring %u of %u entries (1 to %u)",
			       s->index, s->num, max);
	r->num = s->num;
	return 0;
}

static int set_vring_addr(struct vhost_dev *dev, struct why *why)
{
	const struct vhost_vring_addr *a = &payload(dev)->addr;
	struct vhost_ring *r;
	int err = find_idle(dev, a->index, &r, why);

	if (err)
		return err;
	if (a->flags)
		return why_set(why, -EPROTO,
			       "ring %u: flags %#x of its addresses", a->index,
			       a->flags);
	r->addr = *a;
	r->has_addr = true;
	return 0;
}

static int set_vring_base(struct vhost_dev *dev, struct why *why)
{
	const struct vhost_vring_state *s = &payload(dev)->state;
	struct vhost_ring *r;
	int err = find_idle(dev, s->index, &r, why);

	if (err)
		return err;
	r->base = s->num;
	return 0;
}

/* Its log is empty now, and need not be what the next start goes by. */
static int base_known(struct vhost_dev *dev, struct why *why)
{
	struct vhost_vring_state s = payload(dev)->state;
	struct vhost_ring *r = &dev->rings[s.index];

	if (r->runs) {
		note_stopped(dev, r);
		inflight_queue_reset(&r->log);
	}
	vhost_ring_set_kick(r, -1);
	vhost_tell_status(dev);
	s.num = vhost_ring_base(r, dev->features);
	return reply(dev, &s, sizeof(s), why);
}

static int get_vring_base(struct vhost_dev *dev, struct why *why)
{
	struct vhost_ring *r;
	int err = find_ring(dev, payload(dev)->state.index, &r, why);

	if (err)
		return err;
	if (!r->runs)
		return base_known(dev, why);
	vhost_stop(dev, r);
	dev->then = base_known;
	return VHOST_WAIT;
}

/* The ring that SET_VRING_KICK, CALL or ERR is for, and what came with it. */
static int take_event(struct vhost_dev *dev, struct vhost_ring **ret,
		      int *ret_fd, struct why *why)
{
	const struct vhost_msg *msg = &dev->conn.msg;
	uint64_t value = payload(dev)->u64;
	unsigned want = value & VHOST_VRING_NOFD ? 0 : 1;
	int err;

	err = find_ring(dev, value & VHOST_VRING_INDEX_MASK, ret, why);
	if (err)
		return err;
	if (value & ~(uint64_t)(VHOST_VRING_INDEX_MASK | VHOST_VRING_NOFD) ||
	    msg->nr_fds != want)
		return why_set(why, -EPROTO,
			       "ring %u: %#llx with %u descriptors",
			       (*ret)->index, (unsigned long long)value,
			       msg->nr_fds);
	if (want && !vhost_fd_is_event(msg->fds[0]))
		return why_set(why, -EPROTO, "ring %u: what is no eventfd",
			       (*ret)->index);
	*ret_fd = want ? vhost_conn_take(&dev->conn, 0) : -1;
	return 0;
}

static int disabled(struct vhost_dev *dev, struct why *why)
{
	struct vhost_ring *r = &dev->rings[payload(dev)->state.index];

	note_stopped(dev, r);
	vhost_tell_status(dev);
	return 0;
}

static int set_vring_kick(struct vhost_dev *dev, struct why *why)
{
	struct vhost_ring *r;
	int fd, err;

	err = take_event(dev, &r, &fd, why);
	if (err)
		return err;
	if (r->runs) {
		if (fd >= 0)
			close(fd);
		return why_set(why, -EPROTO, "ring %u runs", r->index);
	}
	if (fd < 0)
		fd = vhost_fd_ticks();
	if (fd < 0)
		return why_set(why, fd, "no timer: %s", strerror(-fd));
	vhost_ring_set_kick(r, fd);
	return follow(dev, r, disabled, why);
}

static int set_vring_call(struct vhost_dev *dev, struct why *why)
{
	struct vhost_ring *r;
	int fd, err;

	err = take_event(dev, &r, &fd, why);
	if (!err)
		vhost_ring_set_call(r, fd);
	return err;
}

static int set_vring_err(struct vhost_dev *dev, struct why *why)
{
	struct vhost_ring *r;
	int fd, err;

	err = take_event(dev, &r, &fd, why);
	if (!err)
		vhost_ring_set_err(r, fd);
	return err;
}

static int set_vring_enable(struct vhost_dev *dev, struct why *why)
{
	const struct vhost_vring_state *s = &payload(dev)->state;
	struct vhost_ring *r;
	int err = find_ring(dev, s->index, &r, why);

	if (err)
		return err;
	if (s->num > 1)
		return why_set(why, -EPROTO, "ring %u is enabled with %u",
			       s->index, s->num);
	r->enabled = s->num ? VHOST_ENABLED : VHOST_DISABLED;
	return follow(dev, r, disabled, why);
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
	const struct vhost_config *c = &payload(dev)->config;
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
	struct vhost_config c = payload(dev)->config;
	uint8_t all[VHOST_CONFIG_MAX] = { 0 };
	int err = check_config(dev, why);

	if (err)
		return err;
	vblk_config(dev->params.vblk, all, sizeof(all));
	memcpy(c.data, all + c.offset, c.size);
	return reply(dev, &c, VHOST_CONFIG_HEAD + c.size, why);
}

static int set_config(struct vhost_dev *dev, struct why *why)
{
	const struct vhost_config *c = &payload(dev)->config;
	int err = check_config(dev, why);

	if (err)
		return err;
	err = vblk_write_config(dev->params.vblk, c->offset, c->data, c->size);
	return err ? why_set(why, err,
			     "configuration: %u bytes at %u cannot be written",
			     c->size, c->offset)
		   : 0;
}

static int check_inflight(const struct vhost_dev *dev, struct why *why)
{
	const struct vhost_inflight *in = &payload(dev)->inflight;
	uint32_t len = dev->conn.msg.head.size;

	if (len != VHOST_INFLIGHT_LEN && len != sizeof(*in))
		return why_set(why, -EPROTO, "in-flight log: %u bytes", len);
	if (any_runs(dev))
		return why_set(why, -EPROTO,
			       "another in-flight log while a ring runs");
	if (!in->nr_queues || in->nr_queues > dev->params.nr_queues ||
	    !in->queue_size ||
	    in->queue_size > vblk_queue_size(dev->params.vblk))
		return why_set(why, -EINVAL,
			       "in-flight log of %u queues of %u (%u of %u)",
			       in->nr_queues, in->queue_size,
			       dev->params.nr_queues,
			       vblk_queue_size(dev->params.vblk));
	return 0;
}

static int get_inflight(struct vhost_dev *dev, struct why *why)
{
	struct vhost_inflight answer = { 0 };
	int fd, err = check_inflight(dev, why);

	if (err)
		return err;
	err = vhost_log_mem_new(&dev->log_mem, &payload(dev)->inflight, &fd,
				why);
	if (err)
		return err;
	dev->replied = true;
	memcpy(&answer, &dev->log_mem.at, VHOST_INFLIGHT_LEN);
	err = vhost_conn_reply(&dev->conn, &answer, dev->conn.msg.head.size, fd,
			       why);
	close(fd);
	return err;
}

static int set_inflight(struct vhost_dev *dev, struct why *why)
{
	int err = check_inflight(dev, why);

	return err ? err
		   : vhost_log_mem_open(&dev->log_mem, &payload(dev)->inflight,
					dev->conn.msg.fds[0], why);
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
	uint64_t status = payload(dev)->u64;

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
	return reply_u64(dev, dev->status, why);
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
				  NO_PF, set_mem_table },
	[VHOST_SET_VRING_NUM] = { "SET_VRING_NUM", 8, 0, 0, NO_PF,
				  set_vring_num },
	[VHOST_SET_VRING_ADDR] = { "SET_VRING_ADDR", 40, 0, 0, NO_PF,
				   set_vring_addr },
	[VHOST_SET_VRING_BASE] = { "SET_VRING_BASE", 8, 0, 0, NO_PF,
				   set_vring_base },
	[VHOST_GET_VRING_BASE] = { "GET_VRING_BASE", 8, 0, 0, NO_PF,
				   get_vring_base },
	[VHOST_SET_VRING_KICK] = { "SET_VRING_KICK", 8, 0, 1, NO_PF,
				   set_vring_kick },
	[VHOST_SET_VRING_CALL] = { "SET_VRING_CALL", 8, 0, 1, NO_PF,
				   set_vring_call },
	[VHOST_SET_VRING_ERR] = { "SET_VRING_ERR", 8, 0, 1, NO_PF,
				  set_vring_err },
	[VHOST_GET_PROTOCOL_FEATURES] = { "GET_PROTOCOL_FEATURES", 0, 0, 0,
					  NO_PF, get_protocol_features },
	[VHOST_SET_PROTOCOL_FEATURES] = { "SET_PROTOCOL_FEATURES", 8, 0, 0,
					  NO_PF, set_protocol_features },
	[VHOST_GET_QUEUE_NUM] = { "GET_QUEUE_NUM", 0, 0, 0, VHOST_PF_MQ,
				  get_queue_num },
	[VHOST_SET_VRING_ENABLE] = { "SET_VRING_ENABLE", 8, 0, 0, NO_PF,
				     set_vring_enable },
	[VHOST_SET_BACKEND_REQ_FD] = { "SET_BACKEND_REQ_FD", 0, 1, 1,
				       VHOST_PF_BACKEND_REQ, set_backend_fd },
	[VHOST_GET_CONFIG] = { "GET_CONFIG", ANY_LEN, 0, 0, VHOST_PF_CONFIG,
			       get_config },
	[VHOST_SET_CONFIG] = { "SET_CONFIG", ANY_LEN, 0, 0, VHOST_PF_CONFIG,
			       set_config },
	[VHOST_GET_INFLIGHT_FD] = { "GET_INFLIGHT_FD", ANY_LEN, 0, 0,
				    VHOST_PF_INFLIGHT_SHMFD, get_inflight },
	[VHOST_SET_INFLIGHT_FD] = { "SET_INFLIGHT_FD", ANY_LEN, 1, 1,
				    VHOST_PF_INFLIGHT_SHMFD, set_inflight },
	[VHOST_RESET_DEVICE] = { "RESET_DEVICE", 0, 0, 0, VHOST_PF_RESET_DEVICE,
				 reset_device },
	[VHOST_GET_MAX_MEM_SLOTS] = { "GET_MAX_MEM_SLOTS", 0, 0, 0,
				      VHOST_PF_CONFIGURE_MEM_SLOTS,
				      get_max_mem_slots },
	[VHOST_ADD_MEM_REG] = { "ADD_MEM_REG", 40, 1, 1,
				VHOST_PF_CONFIGURE_MEM_SLOTS, set_memory },
	/* It may come with the region's descriptor, which nobody needs. */
	[VHOST_REM_MEM_REG] = { "REM_MEM_REG", 40, 0, 1,
				VHOST_PF_CONFIGURE_MEM_SLOTS, set_memory },
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
