/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * How much bounce memory requests may take together.
 *
 * VDUSE copies what the driver reads and writes through memory of a fixed
 * size.  When that is used up, Linux lets requests of a split ring wait, but
 * fails those of a packed one.  So with packed rings the worst case has to
 * fit: here is what requests may look like, and how much memory it takes.
 */
#ifndef DAEMON_BOUNCE_H
#define DAEMON_BOUNCE_H

#include <stdint.h>

struct volume;
struct why;

struct bounce_plan {
	uint32_t seg_max, size_max; /* 0: no limit is needed */
	uint64_t bytes;		    /* of memory; 0: as the kernel has it */
};

/* 0, or -EDOM: there is no way for so many requests. */
int bounce_plan(const struct volume *volume, struct bounce_plan *ret,
		struct why *why);

#endif
