// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The command line of the programs of the benchmark. */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/options.h"

const char *const workload_names[NR_WORKLOADS] = {
	[RANDREAD] = "randread", [RANDWRITE] = "randwrite", [RANDRW] = "randrw",
	[READ] = "read",	 [WRITE] = "write",	    [FILL] = "fill",
	[CHECK] = "check",	 [IDLE] = "idle",
};

/* What getopt_long returns for each. */
enum option_key {
	O_SOCKET = 256,
	O_FILE,
	O_RW,
	O_BS,
	O_SEG,
	O_DEPTH,
	O_QUEUES,
	O_QUEUE_SIZE,
	O_READ_PERCENT,
	O_RANGE,
	O_WARMUP,
	O_SECONDS,
	O_SEED,
	O_PACKED,
	O_NO_EVENT_IDX,
	O_NO_INDIRECT,
	O_POLL,
	O_KICK_EACH,
	O_VERIFY,
	O_SYSCALLS,
	O_CPU,
	O_PID,
	O_SECTOR,
	O_OFFSET,
	O_DIRECT_IO,
	O_PLAIN,
	O_HELP,
};

static const struct option table[] = {
	{ "socket", required_argument, NULL, O_SOCKET },
	{ "file", required_argument, NULL, O_FILE },
	{ "rw", required_argument, NULL, O_RW },
	{ "bs", required_argument, NULL, O_BS },
	{ "seg", required_argument, NULL, O_SEG },
	{ "depth", required_argument, NULL, O_DEPTH },
	{ "queues", required_argument, NULL, O_QUEUES },
	{ "queue-size", required_argument, NULL, O_QUEUE_SIZE },
	{ "read-percent", required_argument, NULL, O_READ_PERCENT },
	{ "range", required_argument, NULL, O_RANGE },
	{ "warmup", required_argument, NULL, O_WARMUP },
	{ "seconds", required_argument, NULL, O_SECONDS },
	{ "seed", required_argument, NULL, O_SEED },
	{ "packed", no_argument, NULL, O_PACKED },
	{ "no-event-idx", no_argument, NULL, O_NO_EVENT_IDX },
	{ "no-indirect", no_argument, NULL, O_NO_INDIRECT },
	{ "poll", no_argument, NULL, O_POLL },
	{ "kick-each", no_argument, NULL, O_KICK_EACH },
	{ "verify", no_argument, NULL, O_VERIFY },
	{ "syscalls", no_argument, NULL, O_SYSCALLS },
	{ "cpu", required_argument, NULL, O_CPU },
	{ "pid", required_argument, NULL, O_PID },
	{ "sector", required_argument, NULL, O_SECTOR },
	{ "offset", required_argument, NULL, O_OFFSET },
	{ "direct", no_argument, NULL, O_DIRECT_IO },
	{ "plain", no_argument, NULL, O_PLAIN },
	{ "help", no_argument, NULL, O_HELP },
	{ 0 },
};

/* A number with K, M or G, at least @min and at most @max. */
static uint64_t number(const char *text, uint64_t min, uint64_t max)
{
	uint64_t value, unit = 1;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	switch (*end) {
	case 'G':
	case 'g':
		unit <<= 10;
		/* fallthrough */
	case 'M':
	case 'm':
		unit <<= 10;
		/* fallthrough */
	case 'K':
	case 'k':
		unit <<= 10;
		end++;
		break;
	}
	if (errno || end == text || *end || value > UINT64_MAX / unit ||
	    value * unit < min || value * unit > max)
		errx(2, "%s: not a number in the range that is allowed", text);
	return value * unit;
}

static double duration(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= 0 && value <= 86400))
		errx(2, "%s: not a number of seconds", text);
	return value;
}

static enum workload workload(const char *text)
{
	unsigned int i;

	for (i = 0; i < NR_WORKLOADS; i++)
		if (!strcmp(text, workload_names[i]))
			return i;
	errx(2, "%s: not a workload", text);
}

/* The options that only switch something on. */
static bool parse_switch(struct options *opt, int key)
{
	switch (key) {
	case O_PACKED:
		return opt->packed = true;
	case O_NO_EVENT_IDX:
		return opt->no_event_idx = true;
	case O_NO_INDIRECT:
		return opt->no_indirect = true;
	case O_POLL:
		return opt->poll = true;
	case O_KICK_EACH:
		return opt->kick_each = true;
	case O_VERIFY:
		return opt->verify = true;
	case O_SYSCALLS:
		return opt->syscalls = true;
	case O_DIRECT_IO:
		return opt->direct = true;
	case O_PLAIN:
		return opt->plain = true;
	}
	return false;
}

static bool parse_size(struct options *opt, int key, const char *text)
{
	switch (key) {
	case O_BS:
		opt->bs = number(text, 512, 16 << 20);
		return true;
	case O_SEG:
		opt->seg = number(text, 512, 16 << 20);
		return true;
	case O_RANGE:
		opt->range = number(text, 512, INT64_MAX);
		return true;
	case O_OFFSET:
		opt->offset = number(text, 0, INT64_MAX);
		return true;
	case O_SECTOR:
		opt->sector = number(text, 512, 4096);
		return true;
	case O_QUEUE_SIZE:
		opt->queue_size = number(text, 2, 1024);
		return true;
	}
	return false;
}

static bool parse_count(struct options *opt, int key, const char *text)
{
	switch (key) {
	case O_DEPTH:
		opt->depth = number(text, 1, 1024);
		return true;
	case O_QUEUES:
		opt->queues = number(text, 1, 64);
		return true;
	case O_READ_PERCENT:
		opt->read_percent = number(text, 0, 100);
		return true;
	case O_SEED:
		opt->seed = number(text, 1, UINT64_MAX);
		return true;
	case O_CPU:
		opt->cpu = number(text, 0, CPU_SETSIZE - 1);
		return true;
	case O_PID:
		opt->pid = number(text, 1, INT32_MAX);
		return true;
	}
	return false;
}

static bool parse_other(struct options *opt, int key, const char *text)
{
	switch (key) {
	case O_SOCKET:
		opt->socket = text;
		return true;
	case O_FILE:
		opt->file = text;
		return true;
	case O_RW:
		opt->rw = workload(text);
		return true;
	case O_WARMUP:
		opt->warmup = duration(text);
		return true;
	case O_SECONDS:
		opt->seconds = duration(text);
		return true;
	}
	return false;
}

static void check(struct options *opt)
{
	if (!opt->seg)
		opt->seg = opt->bs;
	if (opt->bs % 512 || opt->seg % 512 || opt->bs % opt->seg)
		errx(2, "--seg must divide --bs, and 512 both");
	if (opt->queue_size & (opt->queue_size - 1))
		errx(2, "--queue-size must be a power of two");
	if (opt->sector != 512 && opt->sector != 4096)
		errx(2, "--sector must be 512 or 4096");
}

void options_parse(struct options *opt, int argc, char **argv,
		   const char *usage)
{
	int key;

	*opt = (struct options){
		.rw = RANDREAD,
		.bs = 4096,
		.depth = 32,
		.queues = 1,
		.queue_size = 256,
		.read_percent = 70,
		.warmup = 0.5,
		.seconds = 2,
		.seed = 1,
		.cpu = -1,
		.sector = 512,
	};

	while ((key = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (key == O_HELP) {
			fputs(usage, stdout);
			exit(0);
		}
		if (!parse_switch(opt, key) && !parse_size(opt, key, optarg) &&
		    !parse_count(opt, key, optarg) &&
		    !parse_other(opt, key, optarg))
			exit(2);
	}
	if (optind < argc)
		errx(2, "%s: not an option", argv[optind]);
	check(opt);
}

void pin_to_cpu(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "CPU %d", cpu);
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}
