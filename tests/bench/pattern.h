/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a block must hold, by where it is and how often it was written: so that
 * data of another place, or older data, or none, is noticed.
 */
#ifndef BENCH_PATTERN_H
#define BENCH_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

/* @len, a multiple of 8, bytes at @offset of the device. */
void pattern_fill(void *data, uint32_t len, uint64_t offset, uint64_t seed,
		  uint8_t generation);
/* The first byte that is not as it must be, or -1. */
int64_t pattern_check(const void *data, uint32_t len, uint64_t offset,
		      uint64_t seed, uint8_t generation);

#endif
