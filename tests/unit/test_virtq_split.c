/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The rings: chains, batches, suppression, and a start that cannot be.  What
 * both formats have is tried with both: the second half of a loop is packed.
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
#define NUM	 16
#define IOV_MAX_ 24

static struct driver d;
static struct virtq *vq;
static struct virtq_chain c;
static struct why why;

static void begin(uint64_t features)
{
	ck_assert_int_eq(guard_install(), 0);
	driver_init(&d, NUM, features);
	ck_assert_int_eq(virtq_new(NUM, IOV_MAX_, &vq), 0);
	ck_assert_int_eq(virtq_start(vq, &d.setup, &why), 0);
	ck_assert(!virtq_enable_kick(vq));
}

/* The split ring goes on where another device left off. */
static void start_at(uint16_t index)
{
	virtq_stop(vq);
	d.setup.state.avail_index = index;
	d.avail_idx = d.published = d.used_seen = index;
	d.used->idx = d.avail->idx = index;
	ck_assert_int_eq(virtq_start(vq, &d.setup, &why), 0);
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_EMPTY);
}

static void end(void)
{
	virtq_stop(vq);
	virtq_free(vq);
	driver_free(&d);
}

static void restart(void)
{
	virtq_stop(vq);
	driver_reset(&d);
	ck_assert_int_eq(virtq_start(vq, &d.setup, &why), 0);
	ck_assert_ptr_null(virtq_broken(vq));
}

static struct driver_seg seg(uint32_t len, bool write)
{
	struct driver_seg s = { driver_alloc(&d, len + 64, 8), len, write };

	return s;
}

static void answer(uint32_t len)
{
	uint16_t head;
	uint32_t used;

	virtq_push(vq, c.id, len);
	virtq_publish(vq);
	ck_assert(driver_collect(&d, &head, &used));
	ck_assert_uint_eq(head, c.id);
	ck_assert_uint_eq(used, len);
}

/* Three to read, two to write, in each shape, and back. */
START_TEST(test_shapes)
{
	struct driver_seg s[5];
	uint16_t head;
	int i;

	begin(INDIRECT | EVENT | (_i < DRIVER_NR_SHAPES ? 0 : PACKED));
	_i %= DRIVER_NR_SHAPES;
	for (i = 0; i < 5; i++)
		s[i] = seg(10 + (uint32_t)i, i > 2);
	head = driver_add(&d, _i, s, 5);
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_EMPTY);
	ck_assert(driver_publish(&d));
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_REQUEST);
	ck_assert_uint_eq(c.id, head);
	ck_assert_int_eq(c.err, 0);
	ck_assert(!c.replayed);
	ck_assert_uint_eq(c.nr_out, 3);
	ck_assert_uint_eq(c.nr_in, 2);
	ck_assert_uint_eq(c.out_len, 33);
	ck_assert_uint_eq(c.in_len, 27);
	for (i = 0; i < 5; i++) {
		ck_assert_ptr_eq(c.iov[i].iov_base, driver_at(&d, s[i].iova));
		ck_assert_uint_eq(c.iov[i].iov_len, s[i].len);
	}
	ck_assert_ptr_eq(c.last_in, (uint8_t *)c.iov[4].iov_base + 13);
	ck_assert_uint_eq(virtq_in_flight(vq), 1);
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_EMPTY);
	answer(27);
	ck_assert_uint_eq(virtq_in_flight(vq), 0);
	if (!d.packed.desc)
		ck_assert_uint_eq(virtq_state(vq).avail_index, 1);
	end();
}
END_TEST

/* Indices wrap; answers out of order; all shapes on one ring. */
START_TEST(test_many)
{
	/* Over each place where the sign or the whole of an index turns. */
	static const uint16_t from[] = { 32000, 64500 };
	uint16_t id[3], head;
	unsigned i, k;

	begin(INDIRECT | EVENT | (_i < 2 ? 0 : PACKED));
	if (_i < 2)
		start_at(from[_i]);
	for (i = 0; i < 1000; i++) {
		struct driver_seg s[2] = { { DRIVER_DATA, 16, false },
					   { DRIVER_DATA + 64, 1, true } };

		d.next_data = DRIVER_DATA + 4096;
		for (k = 0; k < 3; k++)
			driver_add(&d, (int)k, s, 2);
		driver_publish(&d);
		for (k = 0; k < 3; k++) {
			ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_REQUEST);
			id[k] = c.id;
		}
		ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_EMPTY);
		for (k = 3; k--;)
			virtq_push(vq, id[k], 1);
		ck_assert(!driver_collect(&d, &head, NULL));
		virtq_publish(vq);
		for (k = 3; k--;) {
			ck_assert(driver_collect(&d, &head, NULL));
			ck_assert_uint_eq(head, id[k]);
		}
	}
	ck_assert_uint_eq(d.nr_free, NUM);
	end();
}
END_TEST

START_TEST(test_full_ring)
{
	struct driver_seg s = { DRIVER_DATA, 1, true };
	unsigned i;

	begin(_i ? PACKED : 0);
	for (i = 0; i < NUM; i++)
		driver_add(&d, DRIVER_DIRECT, &s, 1);
	driver_publish(&d);
	for (i = 0; i < NUM; i++) {
		ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_REQUEST);
		virtq_push(vq, c.id, 1);
	}
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_EMPTY);
	ck_assert_uint_eq(virtq_publish(vq), 1);
	for (i = 0; i < NUM; i++) {
		uint16_t head;

		ck_assert(driver_collect(&d, &head, NULL));
	}
	end();
}
END_TEST

/* One buffer over three mappings, one of which stands elsewhere. */
START_TEST(test_piecewise)
{
	uint64_t at = 0x9000000;
	struct driver_seg s = { at + 4000, 200, true };
	uint8_t mem[3 * 4096], *p = mem, *q = mem + 8192;

	begin(_i ? PACKED : 0);
	driver_mem_map(&d.mem, at, 4096, p);
	driver_mem_map(&d.mem, at + 4096, 50, q);
	driver_mem_map(&d.mem, at + 4146, 4000, p + 4097);
	driver_add(&d, DRIVER_DIRECT, &s, 1);
	driver_publish(&d);
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_REQUEST);
	ck_assert_int_eq(c.err, 0);
	ck_assert_uint_eq(c.nr_in, 3);
	ck_assert_ptr_eq(c.iov[0].iov_base, p + 4000);
	ck_assert_uint_eq(c.iov[0].iov_len, 96);
	ck_assert_ptr_eq(c.iov[1].iov_base, q);
	ck_assert_uint_eq(c.iov[1].iov_len, 50);
	ck_assert_uint_eq(c.iov[2].iov_len, 54);
	answer(200);
	end();
}
END_TEST

/* Neighbours in memory become one piece, but not across directions. */
START_TEST(test_merge)
{
	struct driver_seg s[4] = {
		{ DRIVER_DATA, 16, false },
		{ DRIVER_DATA + 16, 16, false },
		{ DRIVER_DATA + 32, 16, true },
		{ DRIVER_DATA + 48, 16, true },
	};

	begin(_i ? PACKED : 0);
	driver_add(&d, DRIVER_DIRECT, s, 4);
	driver_publish(&d);
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_REQUEST);
	ck_assert_uint_eq(c.nr_out, 1);
	ck_assert_uint_eq(c.nr_in, 1);
	ck_assert_uint_eq(c.iov[0].iov_len, 32);
	ck_assert_uint_eq(c.iov[1].iov_len, 32);
	answer(32);
	end();
}
END_TEST

static void one(uint32_t len)
{
	struct driver_seg s = { DRIVER_DATA, len, true };

	driver_add(&d, DRIVER_DIRECT, &s, 1);
}

static const uint64_t combos[] = { 0, EVENT, PACKED, PACKED | EVENT };

/* Kicks: wanted when the queue sleeps, not while it works. */
START_TEST(test_kicks)
{
	begin(combos[_i]);
	one(1);
	ck_assert(driver_publish(&d));
	virtq_disable_kick(vq);
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_REQUEST);
	answer(1);
	one(1);
	ck_assert(!driver_publish(&d));
	/* It came while kicks were off: enabling must say so. */
	ck_assert(virtq_enable_kick(vq));
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_REQUEST);
	answer(1);
	ck_assert(!virtq_enable_kick(vq));
	one(1);
	ck_assert(driver_publish(&d));
	ck_assert(virtq_enable_kick(vq));
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_REQUEST);
	answer(1);
	end();
}
END_TEST

static void run_one(void)
{
	uint16_t head;

	one(1);
	driver_publish(&d);
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_REQUEST);
	virtq_push(vq, c.id, 1);
	virtq_publish(vq);
	ck_assert(driver_collect(&d, &head, NULL));
}

/* The first one is unconditional, the others only as wanted, one a batch. */
START_TEST(test_interrupts)
{
	uint16_t head;
	int i;

	begin(combos[_i]);
	driver_want_interrupt(&d, false);
	run_one();
	ck_assert_uint_eq(d.mem.interrupts, 1);
	driver_want_interrupt(&d, false);
	run_one();
	ck_assert_uint_eq(d.mem.interrupts, 1);
	driver_want_interrupt(&d, true);
	for (i = 0; i < 5; i++)
		one(1);
	driver_publish(&d);
	while (virtq_pop(vq, &c) == VIRTQ_REQUEST)
		virtq_push(vq, c.id, 1);
	ck_assert_uint_eq(d.mem.interrupts, 1);
	ck_assert_uint_eq(virtq_publish(vq), 1);
	ck_assert_uint_eq(virtq_publish(vq), 0);
	ck_assert_uint_eq(d.mem.interrupts, 2);
	for (i = 0; i < 5; i++)
		ck_assert(driver_collect(&d, &head, NULL));
	end();
}
END_TEST

/* used_event in the middle of a batch, at its end, and beyond. */
START_TEST(test_event_in_batch)
{
	uint16_t *event;
	int i;

	begin(EVENT);
	run_one();
	event = (uint16_t *)&d.avail->ring[NUM];
	*event = (uint16_t)(1 + _i);
	d.mem.interrupts = 0;
	for (i = 0; i < 3; i++)
		one(1);
	driver_publish(&d);
	while (virtq_pop(vq, &c) == VIRTQ_REQUEST)
		virtq_push(vq, c.id, 1);
	ck_assert_uint_eq(virtq_publish(vq), _i < 3);
	end();
}
END_TEST

/* With EVENT_IDX the flags mean nothing. */
START_TEST(test_flags_ignored)
{
	begin(EVENT);
	run_one();
	d.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	driver_want_interrupt(&d, true);
	run_one();
	ck_assert_uint_eq(d.mem.interrupts, 2);
	ck_assert_uint_eq(d.used->flags, 0);
	virtq_disable_kick(vq);
	ck_assert_uint_eq(d.used->flags, 0);
	end();
}
END_TEST

/* A ring that goes on where another device left off. */
START_TEST(test_start_in_the_middle)
{
	begin(EVENT);
	start_at(65530);
	for (int i = 0; i < 20; i++)
		run_one();
	ck_assert_uint_eq(d.used->idx, (uint16_t)(65530 + 20));
	ck_assert_uint_eq(virtq_state(vq).avail_index, (uint16_t)(65530 + 20));
	end();
}
END_TEST

static void too_many(void)
{
	d.setup.num = NUM * 2;
}

static void no_power(void)
{
	d.setup.num = 12;
}

static void none(void)
{
	d.setup.num = 0;
}

static void desc_unaligned(void)
{
	d.setup.desc_addr += 8;
}

static void avail_unaligned(void)
{
	d.setup.driver_addr += 1;
}

static void used_unaligned(void)
{
	d.setup.device_addr += 2;
}

static void desc_unmapped(void)
{
	d.setup.desc_addr = 0x5000000;
}

static void used_readonly(void)
{
	d.setup.device_addr = DRIVER_AVAIL;
}

static void desc_too_short(void)
{
	d.setup.desc_addr += 16;
}

static void avail_too_short(void)
{
	d.setup.driver_addr += 2;
}

static void used_too_short(void)
{
	d.setup.device_addr += 4;
}

static void desc_wraps(void)
{
	d.setup.desc_addr = UINT64_MAX - 15;
}

static void used_in_two(void)
{
	driver_mem_map(&d.mem, 0x3000000, 16, NULL);
	driver_mem_map(&d.mem, 0x3000010, 4096, NULL);
	d.setup.device_addr = 0x3000000;
}

static const struct {
	void (*spoil)(void);
	int err;
} bad_starts[] = {
	{ too_many, -EINVAL },
	{ no_power, -EINVAL },
	{ none, -EINVAL },
	{ desc_unaligned, -EINVAL },
	{ avail_unaligned, -EINVAL },
	{ used_unaligned, -EINVAL },
	{ desc_unmapped, -EFAULT },
	{ used_readonly, -EFAULT },
	{ desc_too_short, -EFAULT },
	{ avail_too_short, -EFAULT },
	{ used_too_short, -EFAULT },
	{ desc_wraps, -EINVAL },
	{ used_in_two, -EFAULT },
};

START_TEST(test_bad_start)
{
	struct virtq_setup good;

	begin(EVENT);
	ck_assert_int_eq(virtq_start(vq, &d.setup, &why), -EBUSY);
	virtq_stop(vq);
	good = d.setup;
	why.text[0] = '\0';
	bad_starts[_i].spoil();
	ck_assert_int_eq(virtq_start(vq, &d.setup, &why), bad_starts[_i].err);
	ck_assert_str_ne(why.text, "");
	d.setup = good;
	ck_assert_int_eq(virtq_start(vq, &d.setup, &why), 0);
	run_one();
	restart();
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtq");
	TCase *tc = tcase_create("rings");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_shapes, 0, 2 * DRIVER_NR_SHAPES);
	tcase_add_loop_test(tc, test_many, 0, 3);
	tcase_add_loop_test(tc, test_full_ring, 0, 2);
	tcase_add_loop_test(tc, test_piecewise, 0, 2);
	tcase_add_loop_test(tc, test_merge, 0, 2);
	tcase_add_loop_test(tc, test_kicks, 0, 4);
	tcase_add_loop_test(tc, test_interrupts, 0, 4);
	tcase_add_loop_test(tc, test_event_in_batch, 0, 5);
	tcase_add_test(tc, test_flags_ignored);
	tcase_add_test(tc, test_start_in_the_middle);
	tcase_add_loop_test(tc, test_bad_start, 0,
			    sizeof(bad_starts) / sizeof(*bad_starts));
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
