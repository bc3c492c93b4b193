/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * One queue and the thread that drives it: it keeps --depth requests in flight,
 * takes what completed, and counts.
 */
#ifndef BENCH_JOB_H
#define BENCH_JOB_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/front.h"
#include "tests/bench/hist.h"
#include "tests/bench/options.h"
#include "tests/bench/ring.h"

enum phase {
	PHASE_WARMUP,
	PHASE_MEASURE,
	PHASE_STOP,
};

/* What all queues share. */
struct run {
	const struct options *opt;
	struct front front;
	enum phase phase; /* atomic; set by the main thread */
	pthread_barrier_t start;
};

struct slot;

struct job {
	struct run *run;
	unsigned int index;
	pthread_t thread;
	struct ring ring;
	struct slot *slots;
	int kick, call;

	/* Blocks of this queue: nobody else's. */
	uint64_t first, blocks, next;
	uint64_t random;
	uint8_t *generation; /* of each block; for verification */
	bool *busy;
	unsigned int inflight;
	bool put_any;

	/* Atomic: written by this thread, read by the main thread. */
	uint64_t ops, kicks, calls;
	bool done;

	struct hist hist; /* of requests begun and ended in PHASE_MEASURE */
};

/* Bytes of shared memory that a queue takes. */
uint64_t job_memory(const struct options *opt);

/* Set up queue @index in @memory (job_memory bytes), and start its thread. */
void job_start(struct job *job, struct run *run, unsigned int index,
	       uint8_t *memory);

/* After its thread ended. */
void job_free(struct job *job);

#endif
