/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A random schedule of requests, resets, resizes, pauses and crashes, on both
 * ring formats, against a model of the disk: every byte that is read on the
 * way, and every byte at the end.  SEED=N has it run with another seed.
 */
#include <check.h>
#include <linux/virtio_blk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backend/mem.h"
#include "lib/loop.h"
#include "tests/unit/driver_blk.h"
#include "tests/unit/fault_blk.h"
#include "tests/unit/schedule.h"
#include "virtio/inflight.h"

#define SIZE	64
#define STEPS	12000
#define MIN	64 /* sectors */
#define CRASHES 40

static const unsigned seeds[] = { 1, 20, 300 };

#define NR_SEEDS ((int)(sizeof(seeds) / sizeof(*seeds)))

static struct driver_blk b;
static struct schedule s;
static struct blk_dev *mem;
static struct fault_blk *fault;
static struct inflight_queue log_now;
static void *log_mem; /* NULL: without */

/* Those that died stay as they were: nothing of them is called again. */
static struct {
	struct vblk_queue *queue;
	int kick_fd;
} dead[CRASHES];
static unsigned nr_dead;

static void new_log(void)
{
	inflight_queue_init(&log_now, log_mem, SIZE);
	b.d.setup.inflight = &log_now;
}

static void begin(unsigned seed, bool packed, bool with_log)
{
	const struct mem_blk_options options = { .deferred = true };

	memset(&s, 0, sizeof(s));
	s.b = &b;
	s.seed = seed;
	s.nr_sectors = SCHEDULE_SECTORS / 2;
	ck_assert_int_eq(mem_blk_new(SCHEDULE_SECTORS, &options, &mem), 0);
	ck_assert_int_eq(fault_blk_new(mem, &fault), 0);
	fault->reorder = true;
	fault->seed = seed;
	ck_assert_int_eq(blk_resize(&fault->base, s.nr_sectors), 0);
	driver_blk_init_ring(&b, &fault->base, SIZE, 0, packed);
	nr_dead = 0;
	log_mem = with_log ? calloc(1, inflight_size(SIZE)) : NULL;
	if (!with_log)
		return;
	driver_blk_stop(&b);
	new_log();
	driver_blk_start(&b);
}

/* The driver gives up, and comes back with other features. */
static void reset(void)
{
	const uint64_t some = 1ULL << VIRTIO_RING_F_INDIRECT_DESC |
			      1ULL << VIRTIO_RING_F_EVENT_IDX |
			      1ULL << VIRTIO_BLK_F_FLUSH;

	driver_blk_stop(&b);
	schedule_collect(&s);
	schedule_forget_all(&s);
	driver_reset(&b.d);
	b.d.setup.features |= some;
	/* rand_r has 31 bits, and all of these are below. */
	b.d.setup.features &= ~(some & (uint64_t)rand_r(&s.seed));
	if (log_mem)
		inflight_queue_reset(&log_now);
	driver_blk_start(&b);
}

/* All is finished; another queue goes on where this one was. */
static void pause_and_go_on(void)
{
	driver_blk_stop(&b);
	b.d.setup.state = vblk_queue_state(b.queue);
	if (log_mem)
		new_log();
	driver_blk_start(&b);
}

/* Nothing is finished; the next one has the log alone, and a kick descriptor. */
static void crash(void)
{
	if (!log_mem || nr_dead == CRASHES)
		return;
	dead[nr_dead].queue = b.queue;
	dead[nr_dead++].kick_fd = b.d.setup.kick_fd;
	loop_free(b.loop);
	b.d.setup.kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ck_assert_int_eq(loop_new(16, &b.loop), 0);
	ck_assert_int_eq(vblk_queue_new(b.vblk, 0, b.loop, &b.stats, &b.queue),
			 0);
	ck_assert_int_eq(loop_seal(b.loop), 0);
	new_log();
	driver_blk_start(&b);
}

static void check_capacity(void)
{
	struct virtio_blk_config c;

	vblk_config(b.vblk, &c, sizeof(c));
	ck_assert_uint_eq(c.capacity, s.nr_sectors);
}

/* What is cut off is gone: if it comes back, then as zeroes. */
static void resize(void)
{
	uint64_t nr = MIN + schedule_random(&s, SCHEDULE_SECTORS - MIN + 1);
	uint64_t lost = s.nr_sectors > nr ? s.nr_sectors - nr : 0;

	if (schedule_uses(&s, nr))
		return;
	ck_assert_int_eq(blk_resize(&fault->base, nr), 0);
	if (lost) {
		memset(mem_blk_data(mem) + nr * 512, 0, lost * 512);
		memset(s.model[nr], 0, lost * 512);
	}
	s.nr_sectors = nr;
	check_capacity();
}

static void step(void)
{
	unsigned what = schedule_random(&s, 1000);

	if (what < 500)
		schedule_add(&s);
	else if (what < 650)
		driver_kick(&b.d);
	else if (what < 900)
		driver_blk_turns(&b, 1 + schedule_random(&s, 3));
	else if (what < 980)
		schedule_collect(&s);
	else if (what < 990)
		resize();
	else if (what < 994)
		pause_and_go_on();
	else if (what < 997)
		crash();
	else
		reset();
}

static void drain(void)
{
	unsigned i;

	driver_kick(&b.d);
	for (i = 0; i < 10000 && s.nr_busy; i++) {
		driver_blk_turns(&b, 1);
		schedule_collect(&s);
	}
	ck_assert_msg(!s.nr_busy, "%u requests have no answer", s.nr_busy);
}

static void end(void)
{
	driver_blk_free(&b);
	while (nr_dead)
		close(dead[--nr_dead].kick_fd);
	free(log_mem);
	blk_close(&fault->base);
}

/* By seed, ring format, and whether there is a log. */
START_TEST(test_schedule)
{
	const char *given = getenv("SEED");
	unsigned seed = given ? (unsigned)atoi(given) : seeds[_i / 4];
	unsigned i;

	printf("seed %u, %s, %s\n", seed, _i & 1 ? "packed" : "split",
	       _i & 2 ? "with a log" : "without a log");
	begin(seed, _i & 1, _i & 2);
	for (i = 0; i < STEPS; i++) {
		step();
		ck_assert_msg(!b.stats.broken, "seed %u, step %u: %s", seed, i,
			      b.stats.reason);
	}
	drain();
	ck_assert_msg(!memcmp(s.model, mem_blk_data(mem), sizeof(s.model)),
		      "seed %u: the disk is not as written", seed);
	/* It was about something. */
	ck_assert_uint_gt(s.nr_done[VIRTIO_BLK_T_IN], 500);
	ck_assert_uint_gt(s.nr_done[VIRTIO_BLK_T_OUT], 500);
	ck_assert_uint_gt(s.nr_done[VIRTIO_BLK_T_DISCARD], 20);
	ck_assert_uint_gt(s.nr_done[VIRTIO_BLK_T_WRITE_ZEROES], 20);
	ck_assert(!(_i & 2) == !nr_dead);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("virtio_blk_schedule");
	TCase *tc = tcase_create("schedule");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_schedule, 0, 4 * NR_SEEDS);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
