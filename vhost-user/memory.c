/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The front end's memory: see memory.h.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "lib/why.h"
#include "vhost-user/fd.h"
#include "vhost-user/memory.h"

static bool wraps(uint64_t start, uint64_t len)
{
	return len - 1 > UINT64_MAX - start;
}

static bool overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a <= b + (b_len - 1) && b <= a + (a_len - 1);
}

static int check_place(const struct vhost_memory *mem,
		       const struct vhost_region *r, struct why *why)
{
	unsigned i;

	if (!r->size)
		return why_set(why, -EINVAL, "a region of memory is empty");
	/* An offset is signed in the kernel; pages must fit behind it. */
	if (wraps(r->guest, r->size) || wraps(r->user, r->size) ||
	    r->size > INT64_MAX || r->offset > INT64_MAX - r->size)
		return why_set(why, -EINVAL, "a region of memory wraps around");
	if (mem->nr == VHOST_MAX_SLOTS)
		return why_set(why, -EINVAL, "more than %d regions of memory",
			       VHOST_MAX_SLOTS);
	for (i = 0; i < mem->nr; i++) {
		const struct vhost_region *o = &mem->mapping[i].at;

		if (overlap(r->guest, r->size, o->guest, o->size) ||
		    overlap(r->user, r->size, o->user, o->size))
			return why_set(why, -EINVAL,
				       "regions of memory overlap");
	}
	return 0;
}

/* @ret_page: what offset and length of a mapping are multiples of. */
static int check_file(const struct vhost_region *r, int fd, uint64_t *ret_page,
		      struct why *why)
{
	struct statfs fs;
	uint64_t size;

	if (fstatfs(fd, &fs) ||
	    (fs.f_type != TMPFS_MAGIC && fs.f_type != HUGETLBFS_MAGIC))
		return why_set(why, -EINVAL,
			       "a region of memory is not shared memory "
			       "(memfd, tmpfs or hugetlbfs)");
	if (vhost_fd_size(fd, &size) || size < r->offset + r->size)
		return why_set(why, -EINVAL,
			       "a region of memory ends behind its file");
	*ret_page = (uint64_t)sysconf(_SC_PAGESIZE);
	if (fs.f_type == HUGETLBFS_MAGIC)
		*ret_page = (uint64_t)fs.f_bsize;
	return 0;
}

static int map(struct vhost_mapping *m, int fd, uint64_t page, struct why *why)
{
	uint64_t skip = m->at.offset % page;
	void *p;

	m->map_len = (m->at.size + skip + page - 1) / page * page;
	p = mmap(NULL, m->map_len, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_NORESERVE, fd, (off_t)(m->at.offset - skip));
	if (p == MAP_FAILED)
		return why_set(why, -errno,
			       "a region of memory cannot be mapped: %s",
			       strerror(errno));
	m->map = p;
	m->host = (char *)p + skip;
	return 0;
}

/* The number of mappings that start at @guest or before it. */
static unsigned count_up_to(const struct vhost_memory *mem, uint64_t guest)
{
	unsigned low = 0, high = mem->nr, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (mem->mapping[middle].at.guest <= guest)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int vhost_memory_add(struct vhost_memory *mem,
		     const struct vhost_region *region, int fd, struct why *why)
{
	struct vhost_mapping m = { .at = *region };
	uint64_t page = 1;
	unsigned at;
	int err;

	err = check_place(mem, region, why);
	if (!err)
		err = check_file(region, fd, &page, why);
	if (!err)
		err = map(&m, fd, page, why);
	if (err)
		return err;
	at = count_up_to(mem, region->guest);
	memmove(&mem->mapping[at + 1], &mem->mapping[at],
		(mem->nr - at) * sizeof(m));
	mem->mapping[at] = m;
	mem->nr++;
	return 0;
}

int vhost_memory_remove(struct vhost_memory *mem,
			const struct vhost_region *region, struct why *why)
{
	unsigned at = count_up_to(mem, region->guest);
	struct vhost_mapping *m = at ? &mem->mapping[at - 1] : NULL;

	if (!m || m->at.guest != region->guest || m->at.user != region->user ||
	    m->at.size != region->size)
		return why_set(why, -EINVAL,
			       "a region of memory to be removed is not there");
	munmap(m->map, m->map_len);
	memmove(m, m + 1, (mem->nr - at) * sizeof(*m));
	mem->nr--;
	return 0;
}

void vhost_memory_clear(struct vhost_memory *mem)
{
	unsigned i;

	for (i = 0; i < mem->nr; i++)
		munmap(mem->mapping[i].map, mem->mapping[i].map_len);
	mem->nr = 0;
}

void *vhost_memory_translate(const struct vhost_memory *mem, uint64_t guest,
			     uint64_t *len, unsigned *hint)
{
	const struct vhost_mapping *m;
	unsigned at = *hint;
	uint64_t skip;

	if (at >= mem->nr ||
	    guest - mem->mapping[at].at.guest >= mem->mapping[at].at.size) {
		at = count_up_to(mem, guest) - 1;
		if (at >= mem->nr)
			return NULL;
	}
	m = &mem->mapping[at];
	skip = guest - m->at.guest;
	if (skip >= m->at.size)
		return NULL;
	*hint = at;
	if (*len > m->at.size - skip)
		*len = m->at.size - skip;
	return m->host + skip;
}

uint64_t vhost_memory_back(const struct vhost_memory *mem, const void *host)
{
	uintptr_t at = (uintptr_t)host;
	unsigned i;

	for (i = 0; i < mem->nr; i++) {
		const struct vhost_mapping *m = &mem->mapping[i];

		if (at - (uintptr_t)m->host < m->at.size)
			return m->at.guest + (at - (uintptr_t)m->host);
	}
	return UINT64_MAX;
}

int vhost_memory_guest(const struct vhost_memory *mem, uint64_t user,
		       uint64_t *ret_guest)
{
	unsigned i;

	for (i = 0; i < mem->nr; i++) {
		const struct vhost_region *r = &mem->mapping[i].at;

		if (user - r->user < r->size) {
			*ret_guest = r->guest + (user - r->user);
			return 0;
		}
	}
	return -EFAULT;
}
