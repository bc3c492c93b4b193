/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The IOTLB of one queue: see iotlb.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vduse.h>

#include "vduse/iotlb.h"

#define ROOM_AT_FIRST 16
#define HUGE_PAGE_MAX (1ULL << 30) /* bytes, of what Linux has */

void iotlb_init(struct iotlb *tlb, iotlb_ask_fn ask, void *arg)
{
	*tlb = (struct iotlb){ .ask = ask, .arg = arg };
}

static bool covers(const struct iotlb_region *r, uint64_t iova)
{
	return iova >= r->start && iova <= r->last;
}

/* The number of regions that start at @iova or before it. */
static unsigned count_up_to(const struct iotlb *tlb, uint64_t iova)
{
	unsigned low = 0, high = tlb->nr, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (tlb->regions[middle].start <= iova)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Regions do not overlap, so one that holds @iova is the last before it. */
static struct iotlb_region *find(struct iotlb *tlb, uint64_t iova)
{
	unsigned n;

	if (tlb->last_hit < tlb->nr &&
	    covers(&tlb->regions[tlb->last_hit], iova))
		return &tlb->regions[tlb->last_hit];
	n = count_up_to(tlb, iova);
	if (!n || !covers(&tlb->regions[n - 1], iova))
		return NULL;
	tlb->last_hit = n - 1;
	return &tlb->regions[n - 1];
}

static bool make_room(struct iotlb *tlb)
{
	unsigned room = tlb->room ? 2 * tlb->room : ROOM_AT_FIRST;
	struct iotlb_region *p;

	if (tlb->nr < tlb->room)
		return true;
	p = reallocarray(tlb->regions, room, sizeof(*p));
	if (!p)
		return false;
	tlb->regions = p;
	tlb->room = room;
	return true;
}

static int prot_of(uint8_t perm)
{
	return (perm & VDUSE_ACCESS_RO ? PROT_READ : 0) |
	       (perm & VDUSE_ACCESS_WO ? PROT_WRITE : 0);
}

/*
 * The file offset need not stand on a page boundary, but mmap wants one; and
 * if the file is one of huge pages, of a size that is not told, a boundary of
 * those.
 */
static bool map_region(struct iotlb_region *r, int fd, uint64_t offset)
{
	uint64_t unit, skip;
	void *p;

	for (unit = (uint64_t)sysconf(_SC_PAGESIZE); unit <= HUGE_PAGE_MAX;
	     unit *= 2) {
		skip = offset % unit;
		if (r->last - r->start > UINT64_MAX - 1 - skip - unit)
			return false;
		r->map_len = r->last - r->start + 1 + skip;
		p = mmap(NULL, r->map_len, prot_of(r->perm), MAP_SHARED, fd,
			 (off_t)(offset - skip));
		if (p != MAP_FAILED) {
			r->map = p;
			r->host = (char *)p + skip;
			return true;
		}
		if (errno != EINVAL)
			return false;
	}
	return false;
}

/* mmap made whole huge pages of the length, munmap wants to be told so. */
static void unmap_region(const struct iotlb_region *r)
{
	uint64_t unit = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t len = r->map_len;

	while (munmap(r->map, len) && errno == EINVAL && unit < HUGE_PAGE_MAX) {
		unit *= 2;
		len = (r->map_len + unit - 1) & ~(unit - 1);
	}
}

/*
 * Cut from the answer what is known already, so that regions do not overlap.
 * It can be a different mapping there: the driver has changed its memory and
 * VDUSE_UPDATE_IOTLB, which will drop the old one, is on its way.  Region @at
 * is the first one behind @iova, which none holds.
 */
static void cut(const struct iotlb *tlb, unsigned at,
		struct vduse_iotlb_entry *entry)
{
	if (at && tlb->regions[at - 1].last >= entry->start) {
		uint64_t start = tlb->regions[at - 1].last + 1;

		entry->offset += start - entry->start;
		entry->start = start;
	}
	if (at < tlb->nr && tlb->regions[at].start <= entry->last)
		entry->last = tlb->regions[at].start - 1;
}

/*
 * The kernel answers with the first region that overlaps what was asked, so
 * whether it holds the address at all is checked here.
 */
static struct iotlb_region *miss(struct iotlb *tlb, uint64_t iova)
{
	struct vduse_iotlb_entry entry = { .start = iova, .last = iova };
	unsigned at = count_up_to(tlb, iova);
	struct iotlb_region r;
	bool ok;
	int fd;

	if (!make_room(tlb))
		return NULL;
	fd = tlb->ask(tlb->arg, &entry);
	if (fd < 0)
		return NULL;
	ok = entry.start <= iova && iova <= entry.last;
	if (ok) {
		cut(tlb, at, &entry);
		r.start = entry.start;
		r.last = entry.last;
		r.perm = entry.perm;
		ok = map_region(&r, fd, entry.offset);
	}
	close(fd);
	if (!ok)
		return NULL;
	memmove(&tlb->regions[at + 1], &tlb->regions[at],
		(tlb->nr - at) * sizeof(r));
	tlb->regions[at] = r;
	tlb->nr++;
	tlb->last_hit = at;
	return &tlb->regions[at];
}

void *iotlb_translate(struct iotlb *tlb, uint64_t iova, uint64_t *len,
		      bool write)
{
	struct iotlb_region *r = find(tlb, iova);

	if (!r)
		r = miss(tlb, iova);
	if (!r || !(r->perm & (write ? VDUSE_ACCESS_WO : VDUSE_ACCESS_RO)))
		return NULL;
	if (*len - 1 > r->last - iova)
		*len = r->last - iova + 1;
	return r->host + (iova - r->start);
}

void iotlb_drop(struct iotlb *tlb, uint64_t start, uint64_t last)
{
	unsigned i, left = 0;

	for (i = 0; i < tlb->nr; i++) {
		struct iotlb_region *r = &tlb->regions[i];

		if (r->start > last || r->last < start)
			tlb->regions[left++] = *r;
		else
			unmap_region(r);
	}
	tlb->nr = left;
	if (!left) {
		free(tlb->regions);
		tlb->regions = NULL;
		tlb->room = 0;
	}
}
