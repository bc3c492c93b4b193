/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a loop does before it sleeps: when it looks, how often, when it stops
 * doing so, and how much a turn takes.  No case depends on how long anything
 * takes.
 */
#include <check.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/loop_poll.h"

#define FOREVER_NS 60000000000ULL /* until work is found */
#define BRIEF_NS   16000ULL

struct fake {
	struct loop_source source;
	enum loop_source_state state;
	unsigned found_at; /* the look that finds work; 0: none does */
	unsigned looks, arms, disarms;
	enum loop_source_state then; /* the state with that work */
	unsigned begins;	     /* with each look, besides */
	bool late;		     /* work comes while it is armed */
};

/* The loop: it is ready at look number @ready_at of @watched, 0: never. */
static struct fake *watched;
static unsigned ready_at, submits;

static bool is_ready(void *arg)
{
	return ready_at && watched->looks >= ready_at;
}

static void submit(void *arg)
{
	submits++;
}

static const struct loop_poll_ops ops = { is_ready, submit };

static struct fake *fake_of(struct loop_source *s)
{
	return (struct fake *)s;
}

static enum loop_source_state fake_state(struct loop_source *s)
{
	return fake_of(s)->state;
}

static void fake_disarm(struct loop_source *s)
{
	fake_of(s)->disarms++;
}

static unsigned fake_look(struct loop_source *s)
{
	struct fake *f = fake_of(s);

	if (++f->looks != f->found_at)
		return f->begins;
	f->state = f->then;
	return 1;
}

static bool fake_arm(struct loop_source *s)
{
	fake_of(s)->arms++;
	return !fake_of(s)->late;
}

static const struct fake idle_source = {
	.source = { fake_state, fake_disarm, fake_look, fake_arm, NULL },
	.state = SOURCE_IDLE,
	.then = SOURCE_KERNEL,
};

START_TEST(test_nobody)
{
	struct loop_poll p = { .ops = &ops };

	loop_poll_set(&p, FOREVER_NS);
	loop_poll_run(&p, true);
	ck_assert_uint_eq(p.idle.slept_at, 0);
}
END_TEST

/* Work that comes while it looks; then somebody else wakes the loop. */
START_TEST(test_found)
{
	struct loop_poll p = { .ops = &ops };
	struct fake a = idle_source, b = idle_source;

	b.found_at = 1000;
	loop_poll_add(&p, &a.source);
	loop_poll_add(&p, &b.source);
	loop_poll_set(&p, FOREVER_NS);
	ck_assert(loop_poll_run(&p, true));
	ck_assert_uint_eq(b.looks, 1000);
	ck_assert_uint_eq(a.looks, 1000);
	ck_assert_uint_eq(a.disarms, 1);
	ck_assert_uint_eq(b.disarms, 1);
	ck_assert_uint_eq(a.arms, 1);
	ck_assert_uint_eq(b.arms, 1);
	ck_assert_uint_eq(p.idle.now_ns, FOREVER_NS);
	/* What it waits for is no peer. */
	ck_assert_uint_eq(p.idle.slept_at, 0);
}
END_TEST

/* Found at the first look: there is no reason to look for longer. */
START_TEST(test_found_at_once)
{
	struct loop_poll p = { .ops = &ops };
	struct fake a = idle_source;

	a.found_at = 1;
	loop_poll_add(&p, &a.source);
	loop_poll_set(&p, FOREVER_NS);
	loop_poll_run(&p, true);
	ck_assert_uint_eq(a.looks, 1);
	ck_assert_uint_eq(a.disarms, 0);
	ck_assert_uint_eq(a.arms, 1);
}
END_TEST

static const enum loop_source_state no_polling[] = { SOURCE_OFF,
						     SOURCE_KERNEL };

/* The kernel has work, or nothing can come: one look, then sleep. */
START_TEST(test_not_idle)
{
	struct loop_poll p = { .ops = &ops };
	struct fake a = idle_source, off = idle_source;

	a.state = no_polling[_i];
	off.state = SOURCE_OFF;
	loop_poll_add(&p, &a.source);
	loop_poll_add(&p, &off.source);
	loop_poll_set(&p, FOREVER_NS);
	loop_poll_run(&p, true);
	ck_assert_uint_eq(a.looks, 1);
	ck_assert_uint_eq(a.disarms, 0);
	ck_assert_uint_eq(a.arms, 1);
	ck_assert_uint_eq(p.idle.slept_at, 0);
}
END_TEST

/* What comes while a source is armed is begun; the others are armed as well. */
START_TEST(test_late)
{
	struct loop_poll p = { .ops = &ops };
	struct fake a = idle_source, b = idle_source;

	a.late = true;
	loop_poll_add(&p, &b.source);
	loop_poll_add(&p, &a.source);
	ck_assert(!loop_poll_run(&p, true));
	ck_assert_uint_eq(a.arms, 1);
	ck_assert_uint_eq(b.arms, 1);
	ck_assert_uint_eq(p.idle.slept_at, 0);
}
END_TEST

/* There is something to do: it looks for more to do, and that is all. */
START_TEST(test_awake)
{
	struct loop_poll p = { .ops = &ops };
	struct fake a = idle_source;

	ck_assert(!loop_poll_run(&p, false));
	loop_poll_add(&p, &a.source);
	loop_poll_set(&p, FOREVER_NS);
	ck_assert(!loop_poll_run(&p, false));
	ck_assert_uint_eq(a.looks, 1);
	ck_assert_uint_eq(submits + a.arms + a.disarms, 0);
}
END_TEST

/* Enough for a turn: the others come first in the next one. */
START_TEST(test_enough)
{
	struct fake a = idle_source, b = idle_source, c = idle_source;
	struct loop_poll p = { .ops = &ops };

	loop_poll_add(&p, &c.source);
	loop_poll_add(&p, &b.source);
	loop_poll_add(&p, &a.source);
	a.begins = b.begins = c.begins = LOOP_BATCH / 2;
	loop_poll_run(&p, false);
	ck_assert_uint_eq(a.looks, 1);
	ck_assert_uint_eq(b.looks, 1);
	ck_assert_uint_eq(c.looks, 0);
	loop_poll_run(&p, false);
	ck_assert_uint_eq(a.looks, 2);
	ck_assert_uint_eq(b.looks, 1);
	ck_assert_uint_eq(c.looks, 1);
	a.begins = b.begins = c.begins = LOOP_BATCH;
	loop_poll_run(&p, false);
	ck_assert_uint_eq(b.looks, 2);
	ck_assert_uint_eq(c.looks, 1);
	/* Few: each is looked at once. */
	a.begins = b.begins = c.begins = 1;
	loop_poll_run(&p, false);
	ck_assert_uint_eq(a.looks, 3);
	ck_assert_uint_eq(b.looks, 3);
	ck_assert_uint_eq(c.looks, 2);
}
END_TEST

/* Switched off, what is there is found all the same. */
START_TEST(test_off)
{
	struct loop_poll p = { .ops = &ops };
	struct fake a = idle_source;

	loop_poll_add(&p, &a.source);
	loop_poll_run(&p, true);
	ck_assert_uint_eq(a.looks, 1);
	ck_assert_uint_eq(a.disarms, 0);
	ck_assert_uint_eq(a.arms, 1);
	ck_assert_uint_eq(p.idle.slept_at, 0);
}
END_TEST

/* Nothing comes, again and again: it ends up not looking any more. */
START_TEST(test_gives_up)
{
	struct loop_poll p = { .ops = &ops };
	struct fake a = idle_source;
	unsigned looks, i;

	loop_poll_add(&p, &a.source);
	loop_poll_set(&p, BRIEF_NS);
	for (i = 0; p.idle.now_ns && i < 100; i++) {
		loop_poll_run(&p, true);
		ck_assert_uint_ne(p.idle.slept_at, 0);
		p.idle.slept_at = 1; /* for very long */
	}
	ck_assert_uint_eq(p.idle.now_ns, 0);
	ck_assert_uint_eq(i, 4);
	looks = a.looks;
	loop_poll_run(&p, true);
	ck_assert_uint_eq(a.looks, looks + 1);
	ck_assert_uint_eq(a.disarms, 4);
	ck_assert_uint_eq(a.arms, 5);
}
END_TEST

/* A sleep shorter than the time to look brings the looking back. */
START_TEST(test_takes_up)
{
	struct loop_poll p = { .ops = &ops };
	struct fake a = idle_source;

	loop_poll_add(&p, &a.source);
	loop_poll_set(&p, FOREVER_NS);
	p.idle.now_ns = 0;
	p.idle.slept_at = clock_ns();
	a.found_at = 2;
	loop_poll_run(&p, true);
	ck_assert_uint_eq(p.idle.now_ns, FOREVER_NS);
	ck_assert_uint_eq(a.looks, 2);
}
END_TEST

/*
 * Sleeps that were a little longer may be due to the waking: now and then one of
 * them counts.  Of those that were really long none does.
 */
START_TEST(test_nearly_short)
{
	struct loop_poll p = { .ops = &ops };
	struct fake a = idle_source;
	unsigned i, nr = 0;

	watched = &a;
	loop_poll_add(&p, &a.source);
	loop_poll_set(&p, FOREVER_NS);
	for (i = 0; i < 64; i++) {
		p.idle.now_ns = 0;
		p.idle.slept_at = clock_ns() - FOREVER_NS * (_i ? 3 : 1) - 1;
		ready_at = a.looks + 2;
		loop_poll_run(&p, true);
		nr += p.idle.now_ns == FOREVER_NS;
	}
	ck_assert_uint_eq(nr, _i ? 0 : 4);
}
END_TEST

/* What was found is answered already: no sleep, and no kick is asked for. */
START_TEST(test_answered)
{
	struct loop_poll p = { .ops = &ops };
	struct fake a = idle_source;

	watched = &a;
	a.found_at = 5;
	a.then = SOURCE_IDLE;
	ready_at = 5;
	loop_poll_add(&p, &a.source);
	loop_poll_set(&p, FOREVER_NS);
	ck_assert(!loop_poll_run(&p, true));
	ck_assert_uint_eq(a.looks, 5);
	ck_assert_uint_eq(a.arms, 0);
}
END_TEST

/* A device is at work: it is given what there is, and its end is awaited. */
START_TEST(test_device)
{
	struct loop_poll p = { .ops = &ops };
	struct fake a = idle_source;

	watched = &a;
	a.state = SOURCE_DEVICE;
	ready_at = 100;
	loop_poll_add(&p, &a.source);
	loop_poll_set(&p, FOREVER_NS);
	ck_assert(!loop_poll_run(&p, true));
	ck_assert_uint_eq(submits, 2); /* and when it has ended */
	ck_assert_uint_eq(a.disarms, 1);
	ck_assert_uint_eq(a.arms, 0);
	ck_assert_uint_eq(a.looks, 100);
}
END_TEST

/* A request comes while the device is at work: it gets that as well. */
START_TEST(test_device_more)
{
	struct loop_poll p = { .ops = &ops };
	struct fake a = idle_source;

	watched = &a;
	a.state = SOURCE_DEVICE;
	a.found_at = 50;
	a.then = SOURCE_DEVICE;
	ready_at = 100;
	loop_poll_add(&p, &a.source);
	loop_poll_set(&p, FOREVER_NS);
	ck_assert(!loop_poll_run(&p, true));
	ck_assert_uint_eq(submits, 3);
	ck_assert_uint_eq(a.looks, 100);
}
END_TEST

/* A slow device: that looking is in vain says nothing about the driver. */
START_TEST(test_two_windows)
{
	struct loop_poll p = { .ops = &ops };
	struct fake a = idle_source;
	int i;

	a.state = SOURCE_DEVICE;
	loop_poll_add(&p, &a.source);
	loop_poll_set(&p, BRIEF_NS);
	for (i = 0; i < 10; i++) {
		ck_assert(loop_poll_run(&p, true));
		ck_assert_uint_ne(p.device.slept_at, 0);
		p.device.slept_at = 1; /* for very long */
	}
	ck_assert_uint_eq(p.device.now_ns, 0);
	ck_assert_uint_eq(p.idle.now_ns, BRIEF_NS);
	ck_assert_uint_eq(p.idle.slept_at, 0);
	p.max_ns = FOREVER_NS;
	p.device.slept_at = clock_ns();
	watched = &a;
	ready_at = a.looks + 10;
	ck_assert(!loop_poll_run(&p, true));
	ck_assert_uint_eq(p.device.now_ns, FOREVER_NS);
}
END_TEST

/* Small answers for who waits for a device, until it is no longer waited for. */
START_TEST(test_batch)
{
	struct loop_poll p = { .ops = &ops };
	struct fake a = idle_source;
	unsigned turns = 0;

	loop_poll_add(&p, &a.source);
	loop_poll_run(&p, true);
	ck_assert_uint_eq(loop_poll_batch(&p), LOOP_BATCH);
	a.state = SOURCE_KERNEL;
	loop_poll_run(&p, true);
	ck_assert_uint_eq(loop_poll_batch(&p), LOOP_BATCH);
	a.state = SOURCE_DEVICE;
	loop_poll_run(&p, false);
	ck_assert_uint_eq(loop_poll_batch(&p), LOOP_BATCH);
	loop_poll_run(&p, true);
	for (; loop_poll_batch(&p) < LOOP_BATCH; turns++) {
		ck_assert_uint_gt(loop_poll_batch(&p), 0);
		loop_poll_run(&p, false);
	}
	ck_assert_uint_ge(turns, 2);
	ck_assert_uint_le(turns, 100);
}
END_TEST

START_TEST(test_remove)
{
	struct loop_poll p = { .ops = &ops };
	struct fake a = idle_source, b = idle_source, c = idle_source;

	loop_poll_add(&p, &a.source);
	loop_poll_add(&p, &b.source);
	loop_poll_remove(&p, &c.source);
	loop_poll_remove(&p, &a.source);
	loop_poll_run(&p, true);
	ck_assert_uint_eq(a.looks, 0);
	ck_assert_uint_eq(b.looks, 1);
	loop_poll_remove(&p, &b.source);
	loop_poll_run(&p, true);
	ck_assert_uint_eq(b.looks, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("loop_poll");
	TCase *tc = tcase_create("loop_poll");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_nobody);
	tcase_add_test(tc, test_found);
	tcase_add_test(tc, test_found_at_once);
	tcase_add_loop_test(tc, test_not_idle, 0, 2);
	tcase_add_test(tc, test_late);
	tcase_add_test(tc, test_awake);
	tcase_add_test(tc, test_enough);
	tcase_add_test(tc, test_off);
	tcase_add_test(tc, test_gives_up);
	tcase_add_test(tc, test_takes_up);
	tcase_add_loop_test(tc, test_nearly_short, 0, 2);
	tcase_add_test(tc, test_answered);
	tcase_add_test(tc, test_device);
	tcase_add_test(tc, test_device_more);
	tcase_add_test(tc, test_two_windows);
	tcase_add_test(tc, test_batch);
	tcase_add_test(tc, test_remove);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
