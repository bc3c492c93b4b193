// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * blkload: load for a vhost-user-blk server, from the driver's side, and what
 * the server does with it: requests per second, latency, processor time, kicks,
 * calls and system calls.  One line of JSON on standard output.
 */
#include <err.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/job.h"
#include "tests/bench/server.h"

#define STALL_SECONDS 30
#define NS	      1000000000ULL

static const char usage[] =
	"blkload --socket PATH [OPTION...]\n"
	"\n"
	"  --rw WORKLOAD     randread, randwrite, randrw, read, write; idle\n"
	"                    (warm-up, then nothing); fill, check (all once)\n"
	"  --bs N            bytes of a request (4K)\n"
	"  --seg N           bytes of a descriptor (all of a request)\n"
	"  --depth N         requests in flight for each queue (32)\n"
	"  --queues N        queues, a thread each (1)\n"
	"  --queue-size N    entries of a ring (256)\n"
	"  --read-percent N  of randrw (70)\n"
	"  --range N         bytes from the start of the device (all)\n"
	"  --warmup S, --seconds S   not measured, measured (0.5, 2)\n"
	"  --seed N          of the order and the data (1)\n"
	"  --packed, --no-event-idx, --no-indirect   the ring\n"
	"  --poll            look at the ring, do not wait for calls\n"
	"  --kick-each       after each request, not after all that are ready\n"
	"  --verify          fill the range first, check every read, check the\n"
	"                    range at the end\n"
	"  --syscalls        count those of the server (root, tracefs)\n"
	"  --cpu N           the processor for all queues (any)\n"
	"  --pid N           the server (default: who listens on the socket)\n";

/* A moment: when, and what was counted until then. */
struct moment {
	uint64_t time, ops, kicks, calls;
	struct server_use use;
};

static uint64_t total_ops(const struct run *run, const struct job *jobs)
{
	uint64_t ops = 0;
	unsigned int i;

	for (i = 0; i < run->opt->queues; i++)
		ops += __atomic_load_n(&jobs[i].ops, __ATOMIC_RELAXED);
	return ops;
}

static bool all_done(const struct run *run, const struct job *jobs)
{
	unsigned int i;

	for (i = 0; i < run->opt->queues; i++)
		if (!__atomic_load_n(&jobs[i].done, __ATOMIC_ACQUIRE))
			return false;
	return true;
}

/*
 * Until @until, or (0) until all threads are done.  A server that went away, or
 * that answers nothing, ends the program.
 */
static void wait_until(const struct run *run, const struct job *jobs,
		       uint64_t until)
{
	struct pollfd pfd = { .fd = run->front.sock, .events = POLLRDHUP };
	uint64_t now = now_ns(), moved = now, seen = total_ops(run, jobs), ops;
	int ms;

	while (until ? now < until : !all_done(run, jobs)) {
		ms = until && until - now < NS / 10
			     ? (int)((until - now) / 1000000 + 1)
			     : (until ? 100 : 2);
		if (poll(&pfd, 1, ms) > 0)
			errx(1, "the server closed the connection");
		now = now_ns();
		ops = total_ops(run, jobs);
		if (ops != seen || all_done(run, jobs))
			moved = now;
		seen = ops;
		if (now - moved > STALL_SECONDS * NS)
			errx(1, "no request completed for %d seconds",
			     STALL_SECONDS);
	}
}

static void look(const struct run *run, const struct job *jobs,
		 const struct server *server, struct moment *ret)
{
	struct moment moment = { .time = now_ns() };
	unsigned int i;

	server_use(server, &moment.use);
	moment.ops = total_ops(run, jobs);
	for (i = 0; i < run->opt->queues; i++) {
		moment.kicks +=
			__atomic_load_n(&jobs[i].kicks, __ATOMIC_RELAXED);
		moment.calls +=
			__atomic_load_n(&jobs[i].calls, __ATOMIC_RELAXED);
	}
	*ret = moment;
}

static void set_phase(struct run *run, enum phase phase)
{
	__atomic_store_n(&run->phase, phase, __ATOMIC_RELAXED);
}

/* Warm up, then measure under load or, for idle, without. */
static void measure(struct run *run, struct job *jobs,
		    const struct server *server, struct moment *begin,
		    struct moment *end)
{
	const struct options *opt = run->opt;

	pthread_barrier_wait(&run->start);
	wait_until(run, jobs, now_ns() + opt->warmup * NS);
	if (opt->rw == IDLE) {
		set_phase(run, PHASE_STOP);
		wait_until(run, jobs, 0);
		/* The server may have noticed by now that all is quiet. */
		wait_until(run, jobs, now_ns() + NS / 2);
	}
	look(run, jobs, server, begin);
	if (opt->rw != IDLE)
		set_phase(run, PHASE_MEASURE);
	wait_until(run, jobs, now_ns() + opt->seconds * NS);
	/* Longer, if not even these were begun and ended meanwhile. */
	while (opt->rw != IDLE &&
	       total_ops(run, jobs) - begin->ops < 2 * opt->depth * opt->queues)
		wait_until(run, jobs, now_ns() + NS / 1000);
	look(run, jobs, server, end);
	set_phase(run, PHASE_STOP);
}

static void print_setting(const struct options *opt)
{
	printf("{\"rw\": \"%s\", \"bs\": %u, \"seg\": %u, \"depth\": %u, "
	       "\"queues\": %u, \"packed\": %s, \"event_idx\": %s, "
	       "\"indirect\": %s, \"poll\": %s, \"verify\": %s, ",
	       workload_names[opt->rw], opt->bs, opt->seg, opt->depth,
	       opt->queues, opt->packed ? "true" : "false",
	       opt->no_event_idx ? "false" : "true",
	       opt->no_indirect ? "false" : "true",
	       opt->poll ? "true" : "false", opt->verify ? "true" : "false");
}

static void print_result(const struct run *run, const struct job *jobs,
			 const struct server *server, const struct moment *a,
			 const struct moment *b)
{
	double seconds = (b->time - a->time) / 1e9;
	double ops = b->ops - a->ops, each = ops > 0 ? ops : 1;
	struct hist *hist = calloc(1, sizeof(*hist));
	unsigned int i;

	if (!hist)
		err(1, "memory");
	for (i = 0; i < run->opt->queues; i++)
		hist_merge(hist, &jobs[i].hist);
	print_setting(run->opt);
	printf("\"seconds\": %.3f, \"ops\": %.0f, \"iops\": %.1f, "
	       "\"mib_s\": %.2f, ",
	       seconds, ops, ops / seconds,
	       ops * run->opt->bs / seconds / (1 << 20));
	printf("\"cpu_s\": %.6f, \"user_s\": %.3f, \"sys_s\": %.3f, "
	       "\"cpu_percent\": %.4f, ",
	       (b->use.cpu_ns - a->use.cpu_ns) / 1e9,
	       (b->use.user_ns - a->use.user_ns) / 1e9,
	       (b->use.sys_ns - a->use.sys_ns) / 1e9,
	       (b->use.cpu_ns - a->use.cpu_ns) / 1e7 / seconds);
	if (ops > 0)
		printf("\"cpu_us_per_io\": %.4f, ",
		       (b->use.cpu_ns - a->use.cpu_ns) / 1e3 / ops);
	printf("\"kicks_per_io\": %.4f, \"calls_per_io\": %.4f, ",
	       (b->kicks - a->kicks) / each, (b->calls - a->calls) / each);
	if (server->counters)
		printf("\"syscalls_per_io\": %.4f, ",
		       (b->use.syscalls - a->use.syscalls) / each);
	printf("\"rss_anon_kib\": %llu, \"rss_peak_kib\": %llu, ",
	       (unsigned long long)server_memory(server, "RssAnon"),
	       (unsigned long long)server_memory(server, "VmHWM"));
	hist_print(hist);
	printf("}\n");
	free(hist);
}

static uint64_t wanted_features(const struct options *opt)
{
	uint64_t want = 1ULL << VIRTIO_F_VERSION_1;

	if (!opt->no_event_idx)
		want |= 1ULL << VIRTIO_RING_F_EVENT_IDX;
	if (!opt->no_indirect)
		want |= 1ULL << VIRTIO_RING_F_INDIRECT_DESC;
	if (opt->packed)
		want |= 1ULL << VIRTIO_F_RING_PACKED;
	if (opt->queues > 1)
		want |= 1ULL << VIRTIO_BLK_F_MQ;
	return want | 1ULL << VIRTIO_BLK_F_SEG_MAX;
}

static void open_device(struct run *run, struct options *opt)
{
	struct front *front = &run->front;

	run->opt = opt;
	front_connect(front, opt->socket, wanted_features(opt));
	if (!opt->range || opt->range > front->capacity)
		opt->range = front->capacity;
	if (opt->bs / opt->seg > front->seg_max)
		errx(2, "the server takes no more than %u segments",
		     front->seg_max);
	if (opt->queues > front->max_queues)
		errx(2, "the server has no more than %u queues",
		     front->max_queues);
	front_share(front, opt->queues * job_memory(opt));
	pthread_barrier_init(&run->start, NULL, opt->queues + 1);
}

int main(int argc, char **argv)
{
	struct options opt;
	struct moment begin = { 0 }, end = { 0 };
	struct server server = { 0 };
	struct run run = { 0 };
	struct job *jobs;
	unsigned int i;
	bool timed;

	options_parse(&opt, argc, argv, usage);
	if (!opt.socket)
		errx(2, "--socket is missing");
	open_device(&run, &opt);
	timed = opt.rw != FILL && opt.rw != CHECK;
	jobs = calloc(opt.queues, sizeof(*jobs));
	if (!jobs)
		err(1, "memory");
	for (i = 0; i < opt.queues; i++)
		job_start(&jobs[i], &run, i,
			  run.front.memory + i * job_memory(&opt));
	server_find(&server, opt.pid ? opt.pid : run.front.server);
	if (opt.syscalls && !server_count_syscalls(&server))
		warnx("system calls cannot be counted (root? tracefs?)");
	if (timed)
		measure(&run, jobs, &server, &begin, &end);
	wait_until(&run, jobs, 0);
	for (i = 0; i < opt.queues; i++) {
		pthread_join(jobs[i].thread, NULL);
		front_stop(&run.front, i);
	}
	if (timed)
		print_result(&run, jobs, &server, &begin, &end);
	for (i = 0; i < opt.queues; i++)
		job_free(&jobs[i]);
	free(jobs);
	return 0;
}
