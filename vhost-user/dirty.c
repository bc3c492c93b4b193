/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The log of dirty pages: see dirty.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/why.h"
#include "vhost-user/dirty.h"
#include "vhost-user/fd.h"

/* Whatever the pages of the guest and of this machine are. */
#define PAGE_SHIFT 12

int vhost_dirty_open(struct vhost_dirty *dirty, const struct vhost_log *at,
		     int fd, struct why *why)
{
	int err;
	void *p;

	if (!at->size)
		return why_set(why, -EINVAL, "the log of dirty pages is empty");
	err = vhost_fd_check_sealed(fd, at->offset, at->size,
				    "the log of dirty pages", why);
	if (err)
		return err;
	p = mmap(NULL, at->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 (off_t)at->offset);
	if (p == MAP_FAILED)
		return why_set(why, -errno,
			       "the log of dirty pages cannot be mapped: %s",
			       strerror(errno));
	vhost_dirty_close(dirty);
	dirty->bits = p;
	dirty->len = at->size;
	return 0;
}

void vhost_dirty_close(struct vhost_dirty *dirty)
{
	if (dirty->bits)
		munmap(dirty->bits, dirty->len);
	memset(dirty, 0, sizeof(*dirty));
}

void vhost_dirty_mark(const struct vhost_dirty *dirty, uint64_t guest,
		      uint64_t len)
{
	uint64_t page, last;

	if (!len)
		return;
	last = (guest + (len - 1)) >> PAGE_SHIFT;
	for (page = guest >> PAGE_SHIFT; page <= last; page++) {
		if (page / 8 >= dirty->len)
			return;
		/* The front end takes bits away while others set them. */
		__atomic_fetch_or(&dirty->bits[page / 8],
				  (uint8_t)(1U << page % 8), __ATOMIC_SEQ_CST);
	}
}
