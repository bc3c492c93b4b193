/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The messages about memory that is shared: the driver's, the log of dirty
 * pages, and the in-flight log.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/why.h"
#include "vhost-user/dev_int.h"
#include "vhost-user/requests.h"
#include "virtio/blk_dev.h"

static int table_error(struct why *why)
{
	why_prefix(why, "memory");
	return -EPROTO;
}

static int change_memory(struct vhost_dev *dev, struct why *why)
{
	const union vhost_payload *p = vhost_payload(dev);
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

/* No queue may run while the memory changes. */
int vhost_set_memory(struct vhost_dev *dev, struct why *why)
{
	return vhost_pause(dev, change_memory, why);
}

int vhost_set_mem_table(struct vhost_dev *dev, struct why *why)
{
	const struct vhost_msg *msg = &dev->conn.msg;
	const struct vhost_table *table = &vhost_payload(dev)->table;

	if (msg->head.size < 8 || table->nr > VHOST_TABLE_MAX ||
	    msg->head.size != 8 + table->nr * sizeof(table->region[0]))
		return why_set(why, -EPROTO,
			       "a memory table of %u bytes has %u regions",
			       msg->head.size, table->nr);
	if (msg->nr_fds != table->nr)
		return why_set(why, -EPROTO,
			       "%u regions of memory with %u descriptors",
			       table->nr, msg->nr_fds);
	return vhost_set_memory(dev, why);
}

static int change_log(struct vhost_dev *dev, struct why *why)
{
	int err = vhost_dirty_open(&dev->dirty, &vhost_payload(dev)->log,
				   dev->conn.msg.fds[0], why);

	/* The answer has no room for an error. */
	return err ? -EPROTO : vhost_reply_u64(dev, 0, why);
}

int vhost_set_log_base(struct vhost_dev *dev, struct why *why)
{
	return vhost_pause(dev, change_log, why);
}

static int check_inflight(const struct vhost_dev *dev, struct why *why)
{
	const struct vhost_inflight *in = &vhost_payload(dev)->inflight;
	uint32_t len = dev->conn.msg.head.size;

	if (len != VHOST_INFLIGHT_LEN && len != sizeof(*in))
		return why_set(why, -EPROTO, "in-flight log: %u bytes", len);
	if (vhost_any_runs(dev))
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

int vhost_get_inflight(struct vhost_dev *dev, struct why *why)
{
	struct vhost_inflight answer = { 0 };
	int fd, err = check_inflight(dev, why);

	if (err)
		return err;
	err = vhost_log_mem_new(&dev->log_mem, &vhost_payload(dev)->inflight,
				&fd, why);
	if (err)
		return err;
	dev->replied = true;
	memcpy(&answer, &dev->log_mem.at, VHOST_INFLIGHT_LEN);
	err = vhost_conn_reply(&dev->conn, &answer, dev->conn.msg.head.size, fd,
			       why);
	close(fd);
	return err;
}

int vhost_set_inflight(struct vhost_dev *dev, struct why *why)
{
	int err = check_inflight(dev, why);

	if (!err)
		err = vhost_log_mem_open(&dev->log_mem,
					 &vhost_payload(dev)->inflight,
					 dev->conn.msg.fds[0], why);
	if (!err)
		vhost_recall_mode(dev);
	return err;
}
