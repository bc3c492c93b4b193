/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Virtqueues: what the ring formats have in common.  The queue's own memory,
 * its life, and the way of a request through it.
 */
#include <assert.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "lib/why.h"
#include "virtio/virtq_int.h"

int virtq_new(unsigned size, unsigned iov_max, struct virtq **ret)
{
	struct virtq *vq = calloc(1, sizeof(*vq));

	if (!vq)
		return -ENOMEM;
	vq->size = size;
	vq->iov_max = iov_max;
	vq->max_desc = size + VIRTQ_TABLE_MAX;
	vq->iov = calloc((size_t)size * iov_max, sizeof(*vq->iov));
	vq->taken = calloc(size, sizeof(*vq->taken));
	vq->desc = calloc(vq->max_desc, sizeof(*vq->desc));
	vq->table = calloc(VIRTQ_TABLE_MAX, VIRTQ_DESC_SIZE);
	vq->raw = calloc(size, VIRTQ_DESC_SIZE);
	vq->chain = calloc(size, sizeof(*vq->chain));
	vq->batch = calloc(size, sizeof(*vq->batch));
	vq->batch_id = calloc(size, sizeof(*vq->batch_id));
	vq->replay = calloc(size, sizeof(*vq->replay));
	if (!vq->iov || !vq->taken || !vq->desc || !vq->table || !vq->raw ||
	    !vq->chain || !vq->batch || !vq->batch_id || !vq->replay) {
		virtq_free(vq);
		return -ENOMEM;
	}
	*ret = vq;
	return 0;
}

void virtq_free(struct virtq *vq)
{
	if (!vq)
		return;
	free(vq->iov);
	free(vq->taken);
	free(vq->desc);
	free(vq->table);
	free(vq->raw);
	free(vq->chain);
	free(vq->batch);
	free(vq->batch_id);
	free(vq->replay);
	free(vq);
}

int virtq_start(struct virtq *vq, const struct virtq_setup *setup,
		struct why *why)
{
	const struct virtq_format *format = &virtq_split_format;
	int err;

	if (vq->format)
		return why_set(why, -EBUSY, "the queue runs already");
	if (setup->num < 1 || setup->num > vq->size)
		return why_set(why, -EINVAL, "queue of %u entries (1 to %u)",
			       setup->num, vq->size);
	if (setup->features & (1ULL << VIRTIO_F_RING_PACKED))
		format = &virtq_packed_format;
	vq->setup = *setup;
	vq->event_idx = setup->features & (1ULL << VIRTIO_RING_F_EVENT_IDX);
	vq->indirect = setup->features & (1ULL << VIRTIO_RING_F_INDIRECT_DESC);
	memset(vq->taken, 0, vq->size * sizeof(*vq->taken));
	vq->in_flight = 0;
	vq->nr_batch = 0;
	vq->nr_replay = 0;
	vq->next_replay = 0;
	vq->broken = NULL;
	/* What the driver was told before the start is not known here. */
	vq->interrupt_first = true;
	vq->interrupt_now = false;
	err = format->start(vq, why);
	if (err)
		return err;
	vq->format = format;
	return 0;
}

void virtq_stop(struct virtq *vq)
{
	assert(!vq->in_flight);
	if (!vq->format)
		return;
	vq->format->state(vq, &vq->setup.state);
	if (virtq_logs(vq))
		vq->format->wrote(vq);
	vq->format = NULL;
}

bool virtq_logs(const struct virtq *vq)
{
	return vq->setup.ops->wrote;
}

void virtq_wrote(struct virtq *vq, const void *mem, uint64_t len)
{
	if (vq->setup.ops->wrote && len)
		vq->setup.ops->wrote(vq->setup.host, mem, len);
}

enum virtq_result virtq_break(struct virtq *vq, const char *reason)
{
	if (vq->broken)
		return VIRTQ_BROKEN;
	vq->broken = reason;
	if (vq->setup.ops->broken)
		vq->setup.ops->broken(vq->setup.host);
	return VIRTQ_BROKEN;
}

const char *virtq_broken(const struct virtq *vq)
{
	return vq->broken;
}

unsigned virtq_in_flight(const struct virtq *vq)
{
	return vq->in_flight;
}

unsigned virtq_nr_replay(const struct virtq *vq)
{
	return vq->nr_replay - vq->next_replay;
}

struct virtq_state virtq_state(const struct virtq *vq)
{
	struct virtq_state state = vq->setup.state;

	if (vq->format)
		vq->format->state(vq, &state);
	return state;
}

const char *virtq_check_indirect(const struct virtq *vq, bool next,
				 uint32_t len)
{
	if (!vq->indirect)
		return "an indirect descriptor was not negotiated";
	if (next)
		return "a descriptor is indirect and has a next one";
	if (!len || len % VIRTQ_DESC_SIZE)
		return "an indirect table is no multiple of 16 bytes";
	if (len / VIRTQ_DESC_SIZE > VIRTQ_TABLE_MAX)
		return "an indirect table is too long";
	return NULL;
}

enum virtq_result virtq_pop(struct virtq *vq, struct virtq_chain *chain)
{
	enum virtq_result res;

	if (vq->broken)
		return VIRTQ_BROKEN;
	chain->err = 0;
	chain->last_in = NULL;
	res = vq->format->fetch(vq, chain);
	if (res != VIRTQ_REQUEST)
		return res;
	vq->taken[chain->id] = true;
	vq->in_flight++;
	chain->iov = &vq->iov[(size_t)chain->id * vq->iov_max];
	if (!chain->err)
		chain->err = virtq_map_chain(vq, chain);
	if (chain->err)
		virtq_map_unservable(vq, chain);
	return VIRTQ_REQUEST;
}

void virtq_push(struct virtq *vq, uint16_t id, uint32_t len)
{
	assert(id < vq->setup.num && vq->taken[id]);
	assert(vq->in_flight && vq->nr_batch < vq->setup.num);
	vq->in_flight--;
	vq->batch[vq->nr_batch] = (struct virtq_used){ id, len };
	vq->batch_id[vq->nr_batch++] = id;
}

unsigned virtq_publish(struct virtq *vq)
{
	bool interrupt = false;
	unsigned i;

	if (vq->nr_batch) {
		if (vq->format->publish(vq, &interrupt))
			virtq_break(vq,
				    "the used ring is not backed by memory");
		if (virtq_logs(vq))
			vq->format->wrote(vq);
		for (i = 0; i < vq->nr_batch; i++)
			vq->taken[vq->batch_id[i]] = false;
		vq->nr_batch = 0;
		interrupt = interrupt || vq->interrupt_first;
		vq->interrupt_first = false;
	}
	if (!interrupt && !vq->interrupt_now)
		return 0;
	vq->interrupt_now = false;
	vq->setup.ops->interrupt(vq->setup.host);
	return 1;
}

void virtq_disable_kick(struct virtq *vq)
{
	if (!vq->broken && vq->format->disable_kick(vq))
		virtq_break(vq, "the used ring is not backed by memory");
}

bool virtq_enable_kick(struct virtq *vq)
{
	int res = vq->broken ? 0 : vq->format->enable_kick(vq);

	if (res < 0)
		virtq_break(vq, "the rings are not backed by memory");
	return res > 0;
}

bool virtq_pending(struct virtq *vq)
{
	int res = vq->broken ? 0 : vq->format->pending(vq);

	if (res < 0)
		virtq_break(vq, "the rings are not backed by memory");
	return res > 0;
}
