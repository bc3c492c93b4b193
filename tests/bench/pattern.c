// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The pattern of the verification: a number for each 8 bytes. */
#include "tests/bench/pattern.h"

static uint64_t word(uint64_t base, uint64_t index)
{
	uint64_t x = (base + index) * 0x9e3779b97f4a7c15ULL;

	return x ^ x >> 29;
}

static uint64_t start(uint64_t offset, uint64_t seed, uint8_t generation)
{
	return offset / 8 + (seed << 40) + ((uint64_t)generation << 56);
}

void pattern_fill(void *data, uint32_t len, uint64_t offset, uint64_t seed,
		  uint8_t generation)
{
	uint64_t *words = data, base = start(offset, seed, generation);
	uint32_t i;

	for (i = 0; i < len / 8; i++)
		words[i] = word(base, i);
}

int64_t pattern_check(const void *data, uint32_t len, uint64_t offset,
		      uint64_t seed, uint8_t generation)
{
	const uint64_t *words = data;
	uint64_t base = start(offset, seed, generation);
	uint32_t i;

	for (i = 0; i < len / 8; i++)
		if (words[i] != word(base, i))
			return i * 8;
	return -1;
}
