/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A histogram of latencies: 64 steps for each power of two, so a percentile is
 * right to 1.6 %; the longest is kept as it is.
 */
#ifndef BENCH_HIST_H
#define BENCH_HIST_H

#include <stdint.h>

#define HIST_STEPS 64
#define HIST_SIZE  (HIST_STEPS * 60)

struct hist {
	uint64_t count;
	uint64_t max;
	uint64_t cell[HIST_SIZE];
};

static inline unsigned int hist_cell(uint64_t ns)
{
	unsigned int shift;

	if (ns < HIST_STEPS)
		return ns;
	shift = 63 - __builtin_clzll(ns) - 6;
	return (shift + 1) * HIST_STEPS + ((ns >> shift) & (HIST_STEPS - 1));
}

static inline void hist_add(struct hist *hist, uint64_t ns)
{
	hist->cell[hist_cell(ns)]++;
	hist->count++;
	if (ns > hist->max)
		hist->max = ns;
}

void hist_merge(struct hist *into, const struct hist *from);

/* The latency in nanoseconds that @share (0 to 1) of all do not exceed. */
uint64_t hist_percentile(const struct hist *hist, double share);

/* Prints "lat_us": {...} with the usual percentiles, in microseconds. */
void hist_print(const struct hist *hist);

#endif
