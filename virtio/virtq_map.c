/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * From addresses in a ring to pieces of memory in this process.  Every address
 * and every length is the driver's, and so is what stands there.
 */
#include <errno.h>
#include <string.h>

#include "lib/guard.h"
#include "lib/why.h"
#include "virtio/virtq_int.h"

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

int virtq_map_chain(struct virtq *vq, struct virtq_chain *chain)
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
		virtq_wrote(vq, p.mem, got);
	}
	return d->len - left;
}

void virtq_map_unservable(struct virtq *vq, struct virtq_chain *chain)
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
