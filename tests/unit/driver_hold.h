/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A block device that does what the test says: requests are recorded and, if
 * wanted, held until the test ends them, in any order and with any result.
 */
#ifndef DRIVER_HOLD_H
#define DRIVER_HOLD_H

#include <stdbool.h>

#include "backend/blk.h"

#define HOLD_MAX 1024

struct hold {
	struct blk_dev dev;
	int open_err;	  /* what open_queue returns */
	bool hold;	  /* else requests end at once */
	int res;	  /* with this */
	uint8_t fill;	  /* what a READ that succeeds writes */
	unsigned fail_at; /* the Nth request from now ends with -EIO; 0: none */
	unsigned nr_held;
	struct blk_req *held[HOLD_MAX]; /* in the order of submission */
	unsigned seen[BLK_WRITE_ZEROES + 1];
	struct blk_req last; /* a copy */
};

/* Initialises @hold, which the caller keeps. */
void hold_init(struct hold *hold, uint64_t nr_sectors, uint32_t block_size);

/* End what was held at place @i. */
void hold_end(struct hold *hold, unsigned i, int res);

#endif
