/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A block device for tests, on top of another one: it delays and reorders
 * requests, fails the ones it is told to, and counts them.
 */
#ifndef TESTS_UNIT_FAULT_BLK_H
#define TESTS_UNIT_FAULT_BLK_H

#include "backend/blk.h"

/* May be read and written by the test while the device is open. */
struct fault_blk {
	struct blk_dev base;
	struct blk_dev *lower;

	/* Fail the @nth request (from 1) of @op, and all later ones of it. */
	enum blk_op op;
	unsigned nth; /* 0: none */
	bool only_one;
	int err; /* -errno */

	bool reorder;  /* some turns later, in random order */
	bool hold;     /* not at all, until this is false again */
	unsigned seed; /* of the random order */

	/* Sectors in front of the lower device; info.nr_sectors has them. */
	uint64_t hole;

	unsigned count[BLK_WRITE_ZEROES + 1]; /* of each operation */
	unsigned fua;			      /* with BLK_FUA */
	unsigned in_flight, max_in_flight;
	uint64_t max_sectors; /* of a request with data */
};

int fault_blk_new(struct blk_dev *lower, struct fault_blk **ret);

#endif
