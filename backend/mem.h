/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A block device in memory, for tests and benchmarks.
 */
#ifndef BACKEND_MEM_H
#define BACKEND_MEM_H

#include <stdbool.h>
#include <stdint.h>

struct blk_dev;

struct mem_blk_options {
	uint32_t block_size; /* bytes; 0: 512 */
	bool readonly;
	bool deferred; /* requests end at the end of the turn, in order;
			  else before blk_submit returns */
};

/* @nr_sectors of 512 bytes of zeroes.  Errors: -ENOMEM. */
int mem_blk_new(uint64_t nr_sectors, const struct mem_blk_options *options,
		struct blk_dev **ret);

/* Its contents; may be read and written while no request is in flight. */
uint8_t *mem_blk_data(struct blk_dev *dev);

#endif
