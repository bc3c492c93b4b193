/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Random requests of an honest driver, and what a disk in memory says they
 * must come to: the half of test_virtio_blk_schedule.c that knows what is on
 * the disk, and nothing of resets and crashes.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/unit/driver_blk.h"

#define SCHEDULE_SECTORS 512 /* the most that the disk may have */
#define SCHEDULE_SLOTS	 24  /* requests at the same time */
#define SCHEDULE_RANGES	 4

struct schedule_range {
	uint64_t sector;
	uint32_t nr;
};

/* A request, from the driver's point of view. */
struct schedule_req {
	bool busy;
	uint16_t head;
	uint32_t type;
	uint8_t want; /* status */
	bool beyond;  /* wanted to be, because of the size */
	struct schedule_range range[SCHEDULE_RANGES];
	unsigned nr_ranges;
	/* Pieces: header, data, status; those of the data are [1] to [2]. */
	struct driver_seg seg[40];
	unsigned first_data, end_data, nr_seg;
	uint64_t status;
	uint32_t data_len;
};

struct schedule {
	struct driver_blk *b;
	unsigned seed;
	uint64_t nr_sectors; /* now */
	uint8_t model[SCHEDULE_SECTORS][512];
	/* By sector: requests that read it, and whether one changes it. */
	unsigned readers[SCHEDULE_SECTORS];
	bool writer[SCHEDULE_SECTORS];
	struct schedule_req req[SCHEDULE_SLOTS];
	unsigned nr_busy;
	unsigned long nr_done[16]; /* by type */
};

/* From 0 to @n - 1. */
unsigned schedule_random(struct schedule *s, unsigned n);

/* Make a random request available, if there is room for it. */
void schedule_add(struct schedule *s);

/* Take all answers, and compare them with what they must be. */
void schedule_collect(struct schedule *s);

/* A request that nobody will answer any more, and did not begin. */
void schedule_forget_all(struct schedule *s);

/* Whether a request is about sectors from @sector on, or about none. */
bool schedule_uses(const struct schedule *s, uint64_t sector);

#endif
