// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The histogram of latencies: percentiles, and how they are printed. */
#include <stdio.h>

#include "tests/bench/hist.h"

void hist_merge(struct hist *into, const struct hist *from)
{
	unsigned int i;

	for (i = 0; i < HIST_SIZE; i++)
		into->cell[i] += from->cell[i];
	into->count += from->count;
	if (from->max > into->max)
		into->max = from->max;
}

/* The upper end of a cell. */
static uint64_t cell_value(unsigned int cell)
{
	unsigned int shift;

	if (cell < HIST_STEPS)
		return cell;
	shift = cell / HIST_STEPS - 1;
	return ((uint64_t)(HIST_STEPS + cell % HIST_STEPS + 1) << shift) - 1;
}

uint64_t hist_percentile(const struct hist *hist, double share)
{
	uint64_t want = share * hist->count, seen = 0;
	unsigned int i;

	for (i = 0; i < HIST_SIZE; i++) {
		seen += hist->cell[i];
		if (seen > want)
			break;
	}
	if (i == HIST_SIZE || cell_value(i) > hist->max)
		return hist->max;
	return cell_value(i);
}

void hist_print(const struct hist *hist)
{
	printf("\"lat_us\": {\"p50\": %.3f, \"p99\": %.3f, \"p999\": %.3f, "
	       "\"max\": %.3f}",
	       hist_percentile(hist, 0.5) / 1e3,
	       hist_percentile(hist, 0.99) / 1e3,
	       hist_percentile(hist, 0.999) / 1e3, hist->max / 1e3);
}
