/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * How much bounce memory requests may take together: see bounce.h.
 */
#include <errno.h>
#include <unistd.h>

#include "daemon/bounce.h"
#include "daemon/volume.h"
#include "lib/why.h"

/* What the kernel allows (VDUSE_MAX_BOUNCE_SIZE). */
#define BYTES_MAX (1ULL << 30)

/* Requests of up to 500 KiB: larger ones are not faster, and the memory that
 * they took once is not given back. */
#define SEG_MAX 125

/* Header, status and indirect table take a page each. */
#define EXTRA_PAGES 3

/*
 * Every mapping is to be one page, whatever its length: then the memory does
 * not become fragmented, and counting pages is all.  The first page is not
 * used by the kernel; an eighth more covers what its caches hold for a moment.
 */
int bounce_plan(const struct volume *volume, struct bounce_plan *ret,
		struct why *why)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), pages, seg;
	/* A flush may come on top of a full queue. */
	uint64_t requests =
		(uint64_t)volume->nr_queues * (volume->queue_size + 1);

	*ret = (struct bounce_plan){ 0 };
	if (!volume->packed)
		return 0;
	pages = (BYTES_MAX / page - 1) * 8 / 9 / requests;
	if (pages <= EXTRA_PAGES)
		return why_set(
			why, -EDOM,
			"%u queues of %u entries are too many for packed "
			"rings: use fewer, or --ring split",
			volume->nr_queues, volume->queue_size);
	seg = pages - EXTRA_PAGES < SEG_MAX ? pages - EXTRA_PAGES : SEG_MAX;
	ret->seg_max = (uint32_t)seg;
	ret->size_max = (uint32_t)page;
	pages = requests * (seg + EXTRA_PAGES);
	ret->bytes = (pages + pages / 8 + 1) * page;
	return 0;
}
