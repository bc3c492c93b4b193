/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What only a packed ring has: any size, wrap counters, chains that answers
 * overwrite, descriptor events.  The rest is in test_virtq_split.c.
 */
#include <check.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <stdlib.h>
#include <string.h>

#include "lib/guard.h"
#include "lib/why.h"
#include "tests/unit/driver_split.h"
#include "virtio/virtq.h"

#define INDIRECT (1ULL << VIRTIO_RING_F_INDIRECT_DESC)
#define EVENT	 (1ULL << VIRTIO_RING_F_EVENT_IDX)
#define PACKED	 (1ULL << VIRTIO_F_RING_PACKED)
#define IOV_MAX_ 1024

static struct driver d;
static struct virtq *vq;
static struct virtq_chain c;
static struct why why;

static void begin(unsigned num, uint64_t features)
{
	ck_assert_int_eq(guard_install(), 0);
	driver_init(&d, num, features | PACKED);
	ck_assert_int_eq(virtq_new(num, IOV_MAX_, &vq), 0);
	ck_assert_int_eq(virtq_start(vq, &d.setup, &why), 0);
}

static void end(void)
{
	virtq_stop(vq);
	virtq_free(vq);
	driver_free(&d);
}

/* A chain of @nr, each of whose bytes is somewhere else. */
static uint16_t add(unsigned nr, bool indirect)
{
	static struct driver_seg s[1024];
	static unsigned turn;
	unsigned i;

	for (i = 0; i < nr; i++)
		s[i] = (struct driver_seg){ DRIVER_DATA + 2 * i, 1,
					    i + 1 == nr };
	/* Tables of many are there before the first is read. */
	d.next_data = DRIVER_DATA + 65536 + turn++ % 128 * 16384;
	return driver_add(&d, indirect ? DRIVER_INDIRECT : DRIVER_DIRECT, s,
			  nr);
}

/*
 * A ring of @_i entries, full of chains of all lengths, answered in random
 * order and batches, over many laps.
 */
START_TEST(test_sizes)
{
	static const unsigned sizes[] = { 1, 2, 3, 7, 16, 100, 1023, 1024 };
	static uint16_t held[1024];
	unsigned num = sizes[_i], nr = 0, n, i, rounds, waiting = 0;
	uint16_t head;

	begin(num, INDIRECT | EVENT);
	srandom((unsigned)_i);
	for (rounds = 0; rounds < 20000; rounds++) {
		n = 1 + (unsigned)random() % (num < 20 ? num : 20);
		if (!(rounds % 100))
			n = num;
		if (d.packed.nr_desc >= n && d.nr_free) {
			add(n, n > 1 && random() % 2);
			waiting++;
		}
		if (random() % 2)
			driver_publish(&d);
		if (d.packed.nr_hidden)
			continue;
		while (virtq_pop(vq, &c) == VIRTQ_REQUEST) {
			ck_assert_int_eq(c.err, 0);
			held[nr++] = c.id;
		}
		for (n = nr ? (unsigned)random() % (nr + 1) : 0; n; n--) {
			i = (unsigned)random() % nr;
			virtq_push(vq, held[i], (unsigned)random() % 2);
			held[i] = held[--nr];
		}
		virtq_publish(vq);
		while (driver_collect(&d, &head, NULL))
			waiting--;
		ck_assert_uint_eq(waiting, nr);
	}
	ck_assert_ptr_null(virtq_broken(vq));
	while (nr)
		virtq_push(vq, held[--nr], 1);
	end();
}
END_TEST

/* The state, when nothing is in flight, starts another queue. */
START_TEST(test_state)
{
	struct virtq_state s;
	uint16_t head;
	int i;

	begin(5, EVENT);
	for (i = 0; i < 100; i++) {
		add(1 + (unsigned)i % 4, false);
		driver_publish(&d);
		ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_REQUEST);
		virtq_push(vq, c.id, 1);
		virtq_publish(vq);
		ck_assert(driver_collect(&d, &head, NULL));
		virtq_stop(vq);
		s = virtq_state(vq);
		ck_assert_uint_eq(s.last_avail_idx, d.packed.used.idx);
		ck_assert_uint_eq(s.last_used_idx, d.packed.used.idx);
		ck_assert_int_eq(s.last_avail_counter, d.packed.used.wrap);
		ck_assert_int_eq(s.last_used_counter, d.packed.used.wrap);
		virtq_free(vq);
		ck_assert_int_eq(virtq_new(5, 8, &vq), 0);
		d.setup.state = s;
		ck_assert_int_eq(virtq_start(vq, &d.setup, &why), 0);
		ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_EMPTY);
	}
	end();
}
END_TEST

/* The event lies before, in or after a batch, and the batch may wrap. */
START_TEST(test_event)
{
	uint16_t head;
	struct driver_pos pos;
	int lap, at, i;

	begin(8, EVENT);
	add(1, false);
	driver_publish(&d);
	for (lap = 0; lap < 40; lap++) {
		while (virtq_pop(vq, &c) == VIRTQ_REQUEST)
			virtq_push(vq, c.id, 1);
		virtq_publish(vq);
		while (driver_collect(&d, &head, NULL))
			;
		/* Two chains of two and one: descriptors 0 to 4 from here. */
		at = lap % 8 - 1;
		pos = d.packed.used;
		for (i = 0; i < (at + 16) % 16 % 8; i++)
			if (++pos.idx == 8) {
				pos.idx = 0;
				pos.wrap = !pos.wrap;
			}
		if (at < 0) {
			pos = d.packed.used;
			if (!pos.idx--) {
				pos.idx = 7;
				pos.wrap = !pos.wrap;
			}
		}
		d.packed.driver->off_wrap =
			(uint16_t)(pos.idx | pos.wrap << 15);
		d.packed.driver->flags = VRING_PACKED_EVENT_FLAG_DESC;
		add(2, false);
		add(2, false);
		add(1, false);
		driver_publish(&d);
		while (virtq_pop(vq, &c) == VIRTQ_REQUEST)
			virtq_push(vq, c.id, 1);
		ck_assert_msg(virtq_publish(vq) == (at >= 0 && at < 5),
			      "lap %d, event at %d", lap, at);
	}
	end();
}
END_TEST

/* Events that mean nothing: interrupt rather than not. */
START_TEST(test_event_flags)
{
	static const struct {
		uint64_t features;
		uint16_t flags;
		unsigned interrupts;
	} cases[] = {
		{ 0, 0, 1 },	 { 0, 1, 0 },	  { 0, 2, 1 },
		{ 0, 3, 1 },	 { EVENT, 0, 1 }, { EVENT, 1, 0 },
		{ EVENT, 3, 1 }, { EVENT, 5, 0 },
	};
	uint16_t head;
	int i;

	begin(8, cases[_i].features);
	for (i = 0; i < 2; i++) {
		d.packed.driver->flags = cases[_i].flags;
		d.packed.driver->off_wrap = 0xffff;
		add(1, false);
		driver_publish(&d);
		ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_REQUEST);
		virtq_push(vq, c.id, 1);
		/* The first one is unconditional. */
		ck_assert_uint_eq(virtq_publish(vq),
				  i ? cases[_i].interrupts : 1);
		ck_assert(driver_collect(&d, &head, NULL));
	}
	end();
}
END_TEST

/* What the device asks for, as the driver reads it. */
START_TEST(test_kick_event)
{
	begin(3, _i ? EVENT : 0);
	virtq_disable_kick(vq);
	ck_assert_uint_eq(d.packed.device->flags,
			  VRING_PACKED_EVENT_FLAG_DISABLE);
	ck_assert(!virtq_enable_kick(vq));
	ck_assert_uint_eq(d.packed.device->flags,
			  _i ? VRING_PACKED_EVENT_FLAG_DESC
			     : VRING_PACKED_EVENT_FLAG_ENABLE);
	add(2, false);
	ck_assert(driver_publish(&d));
	ck_assert(virtq_enable_kick(vq));
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_REQUEST);
	ck_assert(!virtq_enable_kick(vq));
	if (_i)
		ck_assert_uint_eq(d.packed.device->off_wrap, 2 | 1 << 15);
	virtq_push(vq, c.id, 1);
	virtq_publish(vq);
	end();
}
END_TEST

static void none(void)
{
	d.setup.num = 0;
}

static void too_many(void)
{
	d.setup.num = 9;
}

static void desc_unaligned(void)
{
	d.setup.desc_addr += 8;
}

static void driver_unaligned(void)
{
	d.setup.driver_addr += 2;
}

static void device_unaligned(void)
{
	d.setup.device_addr += 1;
}

static void desc_readonly(void)
{
	d.mem.map[0].readonly = true;
}

static void device_readonly(void)
{
	d.setup.device_addr = d.setup.driver_addr;
}

static void desc_too_short(void)
{
	d.setup.desc_addr += 16;
}

static void driver_unmapped(void)
{
	d.setup.driver_addr += 4;
}

static void starts_outside(void)
{
	d.setup.state.last_avail_idx = d.setup.state.last_used_idx = 8;
}

static void starts_in_two(void)
{
	d.setup.state.last_avail_idx = 1;
}

static void starts_in_two_laps(void)
{
	d.setup.state.last_avail_counter = false;
}

static const struct {
	void (*spoil)(void);
	int err;
} bad_starts[] = {
	{ none, -EINVAL },
	{ too_many, -EINVAL },
	{ desc_unaligned, -EINVAL },
	{ driver_unaligned, -EINVAL },
	{ device_unaligned, -EINVAL },
	{ desc_readonly, -EFAULT },
	{ device_readonly, -EFAULT },
	{ desc_too_short, -EFAULT },
	{ driver_unmapped, -EFAULT },
	{ starts_outside, -EINVAL },
	{ starts_in_two, -EINVAL },
	{ starts_in_two_laps, -EINVAL },
};

START_TEST(test_bad_start)
{
	struct virtq_setup good;

	begin(8, EVENT);
	virtq_stop(vq);
	good = d.setup;
	why.text[0] = '\0';
	bad_starts[_i].spoil();
	ck_assert_int_eq(virtq_start(vq, &d.setup, &why), bad_starts[_i].err);
	ck_assert_str_ne(why.text, "");
	d.setup = good;
	d.mem.map[0].readonly = false;
	ck_assert_int_eq(virtq_start(vq, &d.setup, &why), 0);
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtq_packed");
	TCase *tc = tcase_create("packed");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_sizes, 0, 8);
	tcase_add_test(tc, test_state);
	tcase_add_test(tc, test_event);
	tcase_add_loop_test(tc, test_event_flags, 0, 8);
	tcase_add_loop_test(tc, test_kick_event, 0, 2);
	tcase_add_loop_test(tc, test_bad_start, 0,
			    sizeof(bad_starts) / sizeof(*bad_starts));
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
