/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The options that the programs of the benchmark share, and their names. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum workload {
	RANDREAD,
	RANDWRITE,
	RANDRW,
	READ,
	WRITE,
	FILL,  /* write all of the range once */
	CHECK, /* read all of the range once, and compare */
	IDLE,  /* random reads for the warm-up, then nothing */
	NR_WORKLOADS,
};

extern const char *const workload_names[NR_WORKLOADS];

struct options {
	const char *socket, *file;
	enum workload rw;
	uint32_t bs, seg;
	uint32_t depth, queues, queue_size;
	uint32_t read_percent;
	uint64_t range; /* bytes from the start; 0: all */
	double warmup, seconds;
	uint64_t seed;
	bool packed, no_event_idx, no_indirect, poll, kick_each, verify;
	bool syscalls;
	int cpu, pid;
	/* of the floor only */
	uint32_t sector;
	uint64_t offset;
	bool direct, plain;
};

/* Fills @opt from the command line, and with defaults; or ends. */
void options_parse(struct options *opt, int argc, char **argv,
		   const char *usage);

/* Run the calling thread on one processor only; -1: on any. */
void pin_to_cpu(int cpu);

uint64_t now_ns(void);

/* xorshift64*: a random number below @limit. */
static inline uint64_t random_below(uint64_t *state, uint64_t limit)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (unsigned __int128)(*state * 0x2545f4914f6cdd1dULL) * limit >>
	       64;
}

#endif
