/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The IOTLB of one queue: see iotlb.h.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vduse.h>

#include "vduse/iotlb.h"

void iotlb_init(struct iotlb *tlb, iotlb_ask_fn ask, void *arg)
{
	tlb->ask = ask;
	tlb->arg = arg;
	tlb->nr = 0;
	tlb->last_hit = 0;
}

static bool covers(const struct iotlb_region *r, uint64_t iova)
{
	return iova >= r->start && iova <= r->last;
}

static struct iotlb_region *find(struct iotlb *tlb, uint64_t iova)
{
	unsigned i;

	if (tlb->last_hit < tlb->nr &&
	    covers(&tlb->regions[tlb->last_hit], iova))
		return &tlb->regions[tlb->last_hit];
	for (i = 0; i < tlb->nr; i++) {
		if (covers(&tlb->regions[i], iova)) {
			tlb->last_hit = i;
			return &tlb->regions[i];
		}
	}
	return NULL;
}

/* The file offset need not stand on a page boundary; mmap wants one. */
static bool map_region(struct iotlb_region *r, int fd, uint64_t offset)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t skip = offset % page;
	int prot = 0;
	void *p;

	if (r->perm & VDUSE_ACCESS_RO)
		prot |= PROT_READ;
	if (r->perm & VDUSE_ACCESS_WO)
		prot |= PROT_WRITE;
	if (r->last - r->start > UINT64_MAX - 1 - skip - page)
		return false;
	r->map_len = r->last - r->start + 1 + skip;
	p = mmap(NULL, r->map_len, prot, MAP_SHARED, fd,
		 (off_t)(offset - skip));
	if (p == MAP_FAILED)
		return false;
	r->map = p;
	r->host = (char *)p + skip;
	return true;
}

/*
 * The kernel answers with the first region that overlaps what was asked, so
 * whether it holds the address at all is checked here.
 */
static struct iotlb_region *miss(struct iotlb *tlb, uint64_t iova)
{
	struct vduse_iotlb_entry entry = { .start = iova, .last = iova };
	struct iotlb_region *r = &tlb->regions[tlb->nr];
	bool ok;
	int fd;

	if (tlb->nr == IOTLB_MAX_REGIONS)
		return NULL;
	fd = tlb->ask(tlb->arg, &entry);
	if (fd < 0)
		return NULL;
	r->start = entry.start;
	r->last = entry.last;
	r->perm = entry.perm;
	ok = entry.start <= entry.last && covers(r, iova) &&
	     map_region(r, fd, entry.offset);
	close(fd);
	if (!ok)
		return NULL;
	tlb->last_hit = tlb->nr++;
	return r;
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
	unsigned i = 0;

	while (i < tlb->nr) {
		struct iotlb_region *r = &tlb->regions[i];

		if (r->start > last || r->last < start) {
			i++;
			continue;
		}
		munmap(r->map, r->map_len);
		*r = tlb->regions[--tlb->nr];
	}
}
