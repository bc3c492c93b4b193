/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The driver's side of a split ring: see driver_split.h. */
#include <check.h>
#include <linux/virtio_config.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/driver_split.h"

#define BIT(n) (1ULL << (n))

void driver_reset(struct driver *d)
{
	unsigned i;

	memset(d->busy, 0, sizeof(d->busy));
	d->nr_free = d->num;
	d->next_data = d->mem.place.base + DRIVER_DATA;
	if (d->packed.desc) {
		driver_packed_reset(d);
		return;
	}
	memset(d->desc, 0, d->num * sizeof(*d->desc));
	memset(d->avail, 0, 6 + 2 * d->num);
	memset(d->used, 0, 6 + 8 * d->num);
	d->setup.state = (struct virtq_state){ 0 };
	d->avail_idx = 0;
	d->published = 0;
	d->used_seen = 0;
	for (i = 0; i < d->num; i++)
		d->free[i] = (uint16_t)(d->num - 1 - i);
}

void *driver_map(struct driver *d, uint64_t at, uint64_t len)
{
	return driver_mem_map(&d->mem, d->mem.place.base + at, len, NULL)->host;
}

static void split_init(struct driver *d)
{
	unsigned num = d->num;

	/* Exactly as long as they must be. */
	d->desc = driver_map(d, DRIVER_DESC, 16 * num);
	d->avail = driver_map(d, DRIVER_AVAIL, 6 + 2 * num);
	d->used = driver_map(d, DRIVER_USED, 6 + 8 * num);
	d->mem.map[0].readonly = true;
	d->mem.map[1].readonly = true;
}

void driver_init(struct driver *d, unsigned num, uint64_t features)
{
	const struct driver_place here = { 0 };

	driver_init_at(d, num, features, &here);
}

void driver_init_at(struct driver *d, unsigned num, uint64_t features,
		    const struct driver_place *place)
{
	uint64_t base = place->base;

	memset(d, 0, sizeof(*d));
	d->mem.place = *place;
	d->num = num;
	if (features & BIT(VIRTIO_F_RING_PACKED))
		driver_packed_init(d);
	else
		split_init(d);
	driver_map(d, DRIVER_DATA, DRIVER_DATA_LEN);
	d->setup = (struct virtq_setup){
		.features = features | BIT(VIRTIO_F_VERSION_1) |
			    BIT(VIRTIO_F_ACCESS_PLATFORM),
		.num = num,
		.desc_addr = base + DRIVER_DESC,
		.driver_addr = base + DRIVER_AVAIL,
		.device_addr = base + DRIVER_USED,
		.kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.ops = &driver_mem_ops,
		.host = &d->mem,
	};
	ck_assert_int_ge(d->setup.kick_fd, 0);
	driver_reset(d);
}

void driver_free(struct driver *d)
{
	close(d->setup.kick_fd);
	driver_mem_free(&d->mem);
}

uint64_t driver_alloc(struct driver *d, uint32_t len, uint32_t align)
{
	uint64_t at = (d->next_data + align - 1) & ~(uint64_t)(align - 1);

	ck_assert_uint_le(at + len,
			  d->mem.place.base + DRIVER_DATA + DRIVER_DATA_LEN);
	d->next_data = at + len;
	return at;
}

void *driver_at(struct driver *d, uint64_t iova)
{
	return driver_mem_at(&d->mem, iova);
}

void driver_raw_desc(struct driver *d, unsigned i, uint64_t addr, uint32_t len,
		     uint16_t flags, uint16_t next)
{
	d->desc[i] = (struct vring_desc){ addr, len, flags, next };
}

void driver_raw_avail(struct driver *d, uint16_t head)
{
	d->avail->ring[d->avail_idx++ & (d->num - 1)] = head;
}

static uint16_t flags_of(const struct driver_seg *seg, bool last)
{
	return (uint16_t)((seg->write ? VRING_DESC_F_WRITE : 0) |
			  (last ? 0 : VRING_DESC_F_NEXT));
}

/* A table, linked back to front to show that the links are followed. */
static uint64_t make_table(struct driver *d, const struct driver_seg *seg,
			   unsigned nr)
{
	uint64_t iova = driver_alloc(d, 16 * nr, 16);
	struct vring_desc *table = driver_at(d, iova);
	unsigned i, at;

	for (i = 0; i < nr; i++) {
		at = i ? nr - i : 0;
		table[at] = (struct vring_desc){ seg[i].iova, seg[i].len,
						 flags_of(&seg[i], i + 1 == nr),
						 (uint16_t)(nr - 1 - i) };
	}
	return iova;
}

uint16_t driver_add(struct driver *d, enum driver_shape shape,
		    const struct driver_seg *seg, unsigned nr)
{
	unsigned direct = shape == DRIVER_DIRECT     ? nr
			  : shape == DRIVER_INDIRECT ? 0
						     : 1;
	unsigned total = direct + (direct < nr), i;
	uint16_t head, at;

	if (d->packed.desc)
		return driver_packed_add(d, shape != DRIVER_DIRECT, seg, nr);
	ck_assert_uint_ge(d->nr_free, total);
	head = at = d->free[d->nr_free - 1];
	for (i = 0; i < direct; i++) {
		at = d->free[--d->nr_free];
		driver_raw_desc(d, at, seg[i].iova, seg[i].len,
				flags_of(&seg[i], i + 1 == total),
				i + 1 == total ? 0 : d->free[d->nr_free - 1]);
	}
	if (direct < nr) {
		at = d->free[--d->nr_free];
		driver_raw_desc(d, at, make_table(d, seg + direct, nr - direct),
				16 * (nr - direct), VRING_DESC_F_INDIRECT, 0);
	}
	d->busy[head] = true;
	driver_raw_avail(d, head);
	return head;
}

static bool has_event_idx(const struct driver *d)
{
	return d->setup.features & BIT(VIRTIO_RING_F_EVENT_IDX);
}

bool driver_publish(struct driver *d)
{
	uint16_t old = d->published, event;

	if (d->packed.desc)
		return driver_packed_publish(d);
	__atomic_store_n(&d->avail->idx, d->avail_idx, __ATOMIC_RELEASE);
	d->published = d->avail_idx;
	__sync_synchronize();
	if (!has_event_idx(d))
		return !(__atomic_load_n(&d->used->flags, __ATOMIC_RELAXED) &
			 VRING_USED_F_NO_NOTIFY);
	event = __atomic_load_n((uint16_t *)&d->used->ring[d->num],
				__ATOMIC_RELAXED);
	return vring_need_event(event, d->avail_idx, old);
}

void driver_kick(struct driver *d)
{
	if (driver_publish(d))
		ck_assert_int_eq(eventfd_write(d->setup.kick_fd, 1), 0);
}

bool driver_has_used(const struct driver *d)
{
	if (d->packed.desc)
		return driver_packed_has_used(d);
	return __atomic_load_n(&d->used->idx, __ATOMIC_ACQUIRE) != d->used_seen;
}

bool driver_collect(struct driver *d, uint16_t *head, uint32_t *len)
{
	const struct vring_used_elem *e;
	uint16_t i;

	if (!driver_has_used(d))
		return false;
	if (d->packed.desc) {
		driver_packed_collect(d, head, len);
		return true;
	}
	e = &d->used->ring[d->used_seen++ & (d->num - 1)];
	ck_assert_uint_lt(e->id, d->num);
	ck_assert(d->busy[e->id]);
	d->busy[e->id] = false;
	for (i = (uint16_t)e->id;; i = d->desc[i].next) {
		d->free[d->nr_free++] = i;
		if (!(d->desc[i].flags & VRING_DESC_F_NEXT))
			break;
	}
	*head = (uint16_t)e->id;
	if (len)
		*len = e->len;
	return true;
}

void driver_want_interrupt(struct driver *d, bool want)
{
	uint16_t *event;

	if (d->packed.desc) {
		driver_packed_want_interrupt(d, want);
		return;
	}
	event = (uint16_t *)&d->avail->ring[d->num];
	if (has_event_idx(d))
		__atomic_store_n(event,
				 (uint16_t)(d->used_seen - (want ? 0 : 1)),
				 __ATOMIC_RELAXED);
	else
		__atomic_store_n(&d->avail->flags,
				 want ? 0 : VRING_AVAIL_F_NO_INTERRUPT,
				 __ATOMIC_RELAXED);
	__sync_synchronize();
}
