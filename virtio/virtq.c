/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Virtqueues: what the ring formats have in common.  Memory of the queue, and
 * the way from descriptors to pieces of memory in this process.
 */
#include <assert.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "lib/guard.h"
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
	vq->format = NULL;
}

enum virtq_result virtq_break(struct virtq *vq, const char *reason)
{
	if (!vq->broken)
		vq->broken = reason;
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

int virtq_map_area(struct virtq *vq, const char *name, uint64_t addr,
		   uint64_t len, unsigned align, bool write, void **ret,
		   struct why *why)
{
	uint64_t got = len;
	void *p;

	if (addr % align || len - 1 > UINT64_MAX - addr)
		return why_set(why, -EINVAL, "%s at %#llx is misplaced", name,
			       (unsigned long long)addr);
	p = vq->setup.ops->translate(vq->setup.host, addr, &got, write);
	if (!p)
		return why_set(why, -EFAULT, "%s at %#llx is not mapped", name,
			       (unsigned long long)addr);
	if (got < len || (uintptr_t)p % align)
		return why_set(why, -EFAULT,
			       "%s at %#llx is not in one mapping", name,
			       (unsigned long long)addr);
	*ret = p;
	return 0;
}

/* The race with the other side is meant. */
__attribute__((no_sanitize("thread"))) void
virtq_copy_in(void *dst, const void *src, size_t len)
{
	const volatile unsigned char *s = src;
	unsigned char *d = dst;

	if (!((uintptr_t)s % 8)) {
		for (; len >= 8; len -= 8, s += 8, d += 8) {
			uint64_t v = *(const volatile uint64_t *)s;

			memcpy(d, &v, 8);
		}
	}
	while (len--)
		*d++ = *s++;
}

/* A piece of driver memory to copy or to clear. */
struct piece {
	void *mem;
	const void *src;
	size_t len;
};

static void copy_piece(void *arg)
{
	struct piece *p = arg;

	virtq_copy_in(p->mem, p->src, p->len);
}

static void clear_piece(void *arg)
{
	struct piece *p = arg;

	memset(p->mem, 0, p->len);
}

static void *translate(struct virtq *vq, uint64_t addr, uint64_t *len,
		       bool write)
{
	if (*len - 1 > UINT64_MAX - addr)
		return NULL;
	return vq->setup.ops->translate(vq->setup.host, addr, len, write);
}

int virtq_copy_table(struct virtq *vq, uint64_t addr, uint32_t len)
{
	struct piece p = { .mem = vq->table };
	uint64_t left = len, got;

	for (; left; left -= got, addr += got) {
		got = left;
		p.src = translate(vq, addr, &got, false);
		if (!p.src)
			return -EFAULT;
		p.len = got;
		if (guard_run(copy_piece, &p))
			return -EFAULT;
		p.mem = (char *)p.mem + got;
	}
	return 0;
}

/* Sums and order.  The counts do not wrap: there are at most 2048 terms. */
static int measure(const struct virtq *vq, struct virtq_chain *chain)
{
	uint64_t in = 0, out = 0;
	unsigned i;

	for (i = 0; i < vq->nr_desc; i++) {
		const struct virtq_desc *d = &vq->desc[i];

		if (d->write)
			in += d->len;
		else if (i && vq->desc[i - 1].write)
			return -EINVAL;
		else
			out += d->len;
	}
	if (in + out > UINT32_MAX)
		return -EINVAL;
	chain->in_len = (uint32_t)in;
	chain->out_len = (uint32_t)out;
	return 0;
}

/* Append what @d covers to the iovecs, @nr of which are in use. */
static int map_desc(struct virtq *vq, const struct virtq_desc *d,
		    struct iovec *iov, unsigned *nr, unsigned start)
{
	uint64_t addr = d->addr, left = d->len, got;

	for (; left; left -= got, addr += got) {
		struct iovec *last = *nr > start ? &iov[*nr - 1] : NULL;
		void *p;

		got = left;
		p = translate(vq, addr, &got, d->write);
		if (!p)
			return -EFAULT;
		if (last && (char *)last->iov_base + last->iov_len == p) {
			last->iov_len += got;
			continue;
		}
		if (*nr == vq->iov_max)
			return -E2BIG;
		iov[(*nr)++] = (struct iovec){ p, got };
	}
	return 0;
}

static int map_chain(struct virtq *vq, struct virtq_chain *chain)
{
	unsigned i, nr = 0;
	int err = measure(vq, chain);

	for (i = 0; !err && i < vq->nr_desc && !vq->desc[i].write; i++)
		err = map_desc(vq, &vq->desc[i], chain->iov, &nr, 0);
	chain->nr_out = nr;
	for (; !err && i < vq->nr_desc; i++)
		err = map_desc(vq, &vq->desc[i], chain->iov, &nr,
			       chain->nr_out);
	chain->nr_in = nr - chain->nr_out;
	if (!err && chain->nr_in)
		chain->last_in = (uint8_t *)chain->iov[nr - 1].iov_base +
				 chain->iov[nr - 1].iov_len - 1;
	return err;
}

/* Clear what @d covers, as far as it is mapped; returns how much that was. */
static uint64_t clear_desc(struct virtq *vq, const struct virtq_desc *d)
{
	uint64_t addr = d->addr, left = d->len, got;
	struct piece p;

	for (; left; left -= got, addr += got) {
		got = left;
		p.mem = translate(vq, addr, &got, true);
		p.len = got;
		if (!p.mem || guard_run(clear_piece, &p))
			break;
	}
	return d->len - left;
}

/*
 * A chain that cannot be served is answered all the same, as far as possible:
 * what the driver will look at must be nothing old.
 */
static void map_unservable(struct virtq *vq, struct virtq_chain *chain)
{
	const struct virtq_desc *last = NULL;
	uint64_t total = 0, cleared = 0, one = 1;
	bool whole = true;
	unsigned i;

	for (i = 0; i < vq->nr_desc; i++)
		total += vq->desc[i].len;
	for (i = 0; i < vq->nr_desc; i++) {
		const struct virtq_desc *d = &vq->desc[i];
		uint64_t n;

		if (!d->write || !d->len)
			continue;
		last = d;
		n = total > UINT32_MAX ? 0 : clear_desc(vq, d);
		if (whole)
			cleared += n;
		whole = whole && n == d->len;
	}
	chain->nr_in = 0;
	chain->nr_out = 0;
	chain->out_len = 0;
	chain->in_len = (uint32_t)cleared;
	chain->last_in = NULL;
	if (last && last->len - 1 <= UINT64_MAX - last->addr)
		chain->last_in =
			translate(vq, last->addr + last->len - 1, &one, true);
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
		chain->err = map_chain(vq, chain);
	if (chain->err)
		map_unservable(vq, chain);
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
