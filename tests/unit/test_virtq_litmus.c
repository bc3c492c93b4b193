/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The two places where a wakeup could be lost, as litmus tests on the real
 * processor: driver and device in two threads write and look at the same
 * moment, many times, with stores in front that keep the device's one waiting
 * in the store buffer.  What one processor cannot show in this many rounds is
 * left to test_virtq_fences_*.c.
 */
#include <check.h>
#include <linux/virtio_config.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/guard.h"
#include "lib/why.h"
#include "tests/unit/driver_split.h"
#include "virtio/virtq.h"

/* What a sanitizer adds keeps the two from meeting; it looks for races. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ROUNDS 2000
#else
#define ROUNDS 10000
#endif
#define SECONDS 1
#define NUM	8

static struct driver d;
static struct virtq *vq;
static struct virtq_chain c;
static bool publishes; /* the device does; else it is about to sleep */

/* Where the two wait for each other. */
static _Alignas(64) unsigned device_at, driver_at_round;
static bool over;

/* Lines that the driver's thread has written last. */
static _Alignas(64) struct {
	volatile unsigned v;
	char pad[60];
} line[40];

static bool noticed; /* the driver saw something, or would kick */

static void touch_lines(unsigned v)
{
	unsigned i;

	for (i = 0; i < sizeof(line) / sizeof(*line); i++)
		line[i].v = v;
}

static void arrive(unsigned *p, unsigned v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/* The two threads may have one processor between them. */
static void wait_for(const unsigned *p, unsigned v)
{
	unsigned spins = 0;

	while (__atomic_load_n(p, __ATOMIC_ACQUIRE) != v)
		if (++spins % 4096 == 0)
			sched_yield();
}

static void pause_for(unsigned n)
{
	volatile unsigned i;

	for (i = 0; i < n; i++)
		;
}

static void add_one(void)
{
	const struct driver_seg seg = { DRIVER_DATA, 1, true };

	driver_add(&d, DRIVER_DIRECT, &seg, 1);
}

/* Each round: lines are made the driver's, then both act, then both rest. */
static void *drive(void *arg)
{
	unsigned round;

	for (round = 1; !over; round++) {
		if (!publishes)
			add_one();
		touch_lines(round);
		arrive(&driver_at_round, 2 * round);
		wait_for(&device_at, 2 * round);
		pause_for(round % 61);
		if (publishes) {
			driver_want_interrupt(&d, true);
			noticed = driver_has_used(&d);
		} else {
			noticed = driver_publish(&d);
		}
		arrive(&driver_at_round, 2 * round + 1);
		wait_for(&device_at, 2 * round + 1);
	}
	return NULL;
}

/* What the device does in a round; the return value is what it noticed. */
static bool act(void)
{
	return publishes ? virtq_publish(vq) : virtq_enable_kick(vq);
}

/* The rest of the driver's work is done here, while its thread waits. */
static void prepare(void)
{
	if (!publishes) {
		virtq_disable_kick(vq);
		return;
	}
	driver_want_interrupt(&d, false);
	add_one();
	driver_publish(&d);
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_REQUEST);
	virtq_push(vq, c.id, 1);
}

static void clean_up(void)
{
	uint16_t head;

	if (!publishes) {
		ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_REQUEST);
		virtq_push(vq, c.id, 1);
		virtq_publish(vq);
	}
	ck_assert(driver_collect(&d, &head, NULL));
}

static void begin(bool packed, bool event_idx)
{
	struct why why = { "" };

	ck_assert_int_eq(guard_install(), 0);
	driver_init(&d, NUM,
		    (event_idx ? 1ULL << VIRTIO_RING_F_EVENT_IDX : 0) |
			    (packed ? 1ULL << VIRTIO_F_RING_PACKED : 0));
	ck_assert_int_eq(virtq_new(NUM, 4, &vq), 0);
	ck_assert_int_eq(virtq_start(vq, &d.setup, &why), 0);
	/* The first answer interrupts in any case. */
	add_one();
	driver_publish(&d);
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_REQUEST);
	virtq_push(vq, c.id, 1);
	virtq_publish(vq);
	ck_assert(driver_collect(&d, &c.id, NULL));
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

START_TEST(test_wakeup)
{
	unsigned round, lost = 0;
	time_t until = now() + SECONDS;
	pthread_t thread;
	bool saw;

	publishes = _i & 1;
	begin(_i & 2, _i & 4);
	device_at = driver_at_round = 0;
	over = false;
	ck_assert_int_eq(pthread_create(&thread, NULL, drive, NULL), 0);
	for (round = 1; !over; round++) {
		wait_for(&driver_at_round, 2 * round);
		prepare();
		arrive(&device_at, 2 * round);
		touch_lines(round);
		saw = act();
		wait_for(&driver_at_round, 2 * round + 1);
		lost += !saw && !noticed;
		clean_up();
		over = round == ROUNDS || now() > until;
		arrive(&device_at, 2 * round + 1);
	}
	pthread_join(thread, NULL);
	ck_assert_msg(!lost, "%u of %u wakeups were lost", lost, round - 1);
	virtq_stop(vq);
	virtq_free(vq);
	driver_free(&d);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtq_litmus");
	TCase *tc = tcase_create("litmus");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_wakeup, 0, 8);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
