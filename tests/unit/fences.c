/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The two places where device and driver each write a word and then read the
 * other's: a full fence stands in between, or both may miss the other.  See
 * fences.h.
 */
#include <check.h>
#include <linux/virtio_config.h>
#include <stdlib.h>

#include "lib/guard.h"
#include "lib/why.h"
#include "tests/unit/driver_split.h"
#include "tests/unit/fences.h"
#include "tests/unit/store_buffer.h"
#include "virtio/virtq.h"

#define NUM 8

static bool packed;
static struct driver d;
static struct virtq *vq;
static struct virtq_chain c;

static void begin(bool event_idx)
{
	struct why why = { "" };

	ck_assert_int_eq(guard_install(), 0);
	driver_init(&d, NUM,
		    (event_idx ? 1ULL << VIRTIO_RING_F_EVENT_IDX : 0) |
			    (packed ? 1ULL << VIRTIO_F_RING_PACKED : 0));
	ck_assert_int_eq(virtq_new(NUM, 4, &vq), 0);
	ck_assert_int_eq(virtq_start(vq, &d.setup, &why), 0);
}

static void end(void)
{
	virtq_stop(vq);
	virtq_free(vq);
	driver_free(&d);
}

/* One that the device has fetched. */
static void fetch_one(void)
{
	const struct driver_seg seg = { DRIVER_DATA, 1, true };

	driver_add(&d, DRIVER_DIRECT, &seg, 1);
	driver_publish(&d);
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_REQUEST);
}

/* The first answer interrupts in any case: not the one that is looked at. */
static void answer_one(void)
{
	uint16_t head;

	fetch_one();
	virtq_push(vq, c.id, 1);
	virtq_publish(vq);
	ck_assert(driver_collect(&d, &head, NULL));
}

struct driver_turn {
	bool noticed;
	unsigned turns;
};

static void offer(void *arg)
{
	const struct driver_seg seg = { DRIVER_DATA, 1, true };
	struct driver_turn *t = arg;

	t->turns++;
	driver_add(&d, DRIVER_DIRECT, &seg, 1);
	t->noticed = driver_publish(&d);
}

/* The device is about to sleep: it sees the request, or is kicked. */
static unsigned enable_kick(unsigned at, unsigned before)
{
	struct driver_turn t = { 0 };
	unsigned n;
	bool seen;

	while (before--)
		answer_one();
	virtq_disable_kick(vq);
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_EMPTY);
	sb_begin(at, offer, &t);
	seen = virtq_enable_kick(vq);
	n = sb_end();
	ck_assert_uint_eq(t.turns, 1);
	ck_assert_msg(seen || t.noticed, "no kick, at access %u of %u", at, n);
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_REQUEST);
	virtq_push(vq, c.id, 1);
	virtq_publish(vq);
	return n;
}

static void wait_for_used(void *arg)
{
	struct driver_turn *t = arg;

	t->turns++;
	driver_want_interrupt(&d, true);
	t->noticed = driver_has_used(&d);
}

/* The driver is about to sleep: it sees the answer, or is interrupted. */
static unsigned publish(unsigned at, unsigned before)
{
	struct driver_turn t = { 0 };
	unsigned n, sent;
	uint16_t head;

	while (before--)
		answer_one();
	driver_want_interrupt(&d, false);
	fetch_one();
	virtq_push(vq, c.id, 1);
	sb_begin(at, wait_for_used, &t);
	sent = virtq_publish(vq);
	n = sb_end();
	ck_assert_uint_eq(t.turns, 1);
	ck_assert_msg(sent || t.noticed, "no interrupt, at access %u of %u", at,
		      n);
	ck_assert(driver_collect(&d, &head, NULL));
	return n;
}

static unsigned (*const sides[])(unsigned at, unsigned before) = {
	enable_kick,
	publish,
};

/*
 * The driver comes in before each access of the function, and after the last,
 * around the end of the ring too, with and without EVENT_IDX.
 */
START_TEST(test_every_order)
{
	static const unsigned places[] = { 1, NUM - 1, NUM, NUM + 1 };
	unsigned at, n, i;

	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		at = 0;
		do {
			begin(_i % 2);
			n = sides[_i / 2](at, places[i]);
			end();
		} while (at++ < n);
		/* A store, a fence and a load at least. */
		ck_assert_uint_ge(n, 3);
	}
}
END_TEST

int fences_main(const char *name, bool of_packed)
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create("fences");
	SRunner *sr = srunner_create(s);
	int failed;

	packed = of_packed;
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_every_order, 0, 4);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
