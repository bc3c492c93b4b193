/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a driver can do while requests are in flight: give their ids away
 * again, wipe or take away the ring, reset the device.  What is in flight is
 * finished all the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/loop.h"
#include "tests/unit/hostile.h"

/* A read, in descriptors from @i on, or in a table of its own. */
static void offer(unsigned i, unsigned at, bool in_table)
{
	struct vring_desc *t = (void *)driver_blk_at(&hostile.b, TABLE);
	unsigned id = i;

	if (in_table) {
		h_good_table();
		memcpy(t + 4 * i, t, 48);
		h_put(at, TABLE + 64 * i, 48, I, id);
	} else {
		h_put(at, HDR, 16, N, at + 1);
		h_put(at + 1, DATA + 512 * i, 512, W | N, at + 2);
		h_put(at + 2, STATUS + i, 1, W, hostile.packed ? id : 0);
	}
	if (!hostile.packed)
		driver_raw_avail(&hostile.b.d, (uint16_t)at);
	hostile.b.d.busy[hostile.packed ? id : at] = true;
	hostile.b.d.packed.count[id] = in_table ? 1 : 3;
}

/* Two that the device has, and keeps. */
static void two_in_flight(int i)
{
	hostile_begin(i & 1, 0);
	hostile.hold.hold = true;
	offer(0, 0, i & 2);
	offer(1, i & 2 ? 1 : 3, i & 2);
	hostile_kick();
	driver_blk_turns(&hostile.b, 5);
	ck_assert_uint_eq(hostile.hold.nr_held, 2);
	ck_assert_uint_eq(hostile.b.stats.in_flight, 2);
}

/* By id, or in a split ring by head: what becomes of the two. */
static void finish_two(int i)
{
	unsigned second = hostile.packed || i & 2 ? 1 : 3;

	hold_end(&hostile.hold, 1, 0);
	hold_end(&hostile.hold, 0, 0);
	ck_assert_uint_eq(driver_blk_wait(&hostile.b, NULL), second);
	ck_assert_uint_eq(driver_blk_wait(&hostile.b, NULL), 0);
	ck_assert(!driver_has_used(&hostile.b.d));
}

/* Whoever has an id must not get another request with it. */
START_TEST(test_id_again)
{
	unsigned at = _i & 2 ? 2 : 6;

	two_in_flight(_i);
	if (hostile.packed)
		offer(1, at, _i & 2);
	else
		driver_raw_avail(&hostile.b.d, _i & 2 ? 1 : 3);
	hostile_kick();
	driver_blk_turns(&hostile.b, 5);
	ck_assert(hostile.b.stats.broken);
	/* Nothing more is taken. */
	at += _i & 2 ? 1 : 3;
	offer(2, at, _i & 2);
	hostile_kick();
	driver_blk_turns(&hostile.b, 5);
	ck_assert_uint_eq(hostile.hold.nr_held, 2);
	finish_two(_i);
	hostile_recovers();
	hostile_end();
}
END_TEST

/* All zeroes, as a driver leaves a ring that it sets up anew. */
START_TEST(test_ring_wiped)
{
	struct driver *d = &hostile.b.d;

	two_in_flight(_i);
	if (hostile.packed) {
		memset(d->packed.desc, 0, H_SIZE * 16);
		memset(d->packed.driver, 0, 4);
	} else {
		memset(d->desc, 0, H_SIZE * 16);
		memset(d->avail, 0, 6 + 2 * H_SIZE);
	}
	eventfd_write(d->setup.kick_fd, 1);
	driver_blk_turns(&hostile.b, 5);
	/* The index of a split ring went back; a packed one is just empty. */
	ck_assert_uint_eq(hostile.b.stats.broken, !hostile.packed);
	finish_two(_i);
	ck_assert_uint_eq(hostile.b.stats.in_flight, 0);
	hostile_recovers();
	hostile_end();
}
END_TEST

static void count_stop(void *arg)
{
	++*(int *)arg;
}

/* The device is reset: it waits for what is in flight, and then is silent. */
START_TEST(test_reset)
{
	int stops = 0;

	two_in_flight(_i);
	vblk_queue_stop(hostile.b.queue, count_stop, &stops);
	offer(2, _i & 2 ? 2 : 6, _i & 2);
	hostile_kick();
	driver_blk_turns(&hostile.b, 10);
	ck_assert_int_eq(stops, 0);
	ck_assert_uint_eq(hostile.hold.nr_held, 2);
	finish_two(_i);
	driver_blk_turns(&hostile.b, 10);
	ck_assert_int_eq(stops, 1);
	ck_assert(!vblk_queue_runs(hostile.b.queue));
	driver_blk_turns(&hostile.b, 10);
	ck_assert(!driver_has_used(&hostile.b.d));
	hostile_recovers();
	hostile_end();
}
END_TEST

/* No event that a driver can ask for keeps the answers from it. */
START_TEST(test_any_event)
{
	struct driver *d;
	unsigned k, v = 1;

	hostile_begin(_i, 0);
	d = &hostile.b.d;
	for (k = 0; k < 2000; k++) {
		v = v * 1664525 + 1013904223;
		if (k % 50 == 0) {
			driver_blk_stop(&hostile.b);
			driver_reset(d);
			driver_blk_start(&hostile.b);
		}
		if (hostile.packed)
			memcpy(d->packed.driver, &v, 4);
		else
			*(uint16_t *)&d->avail->ring[H_SIZE] =
				(uint16_t)(v >> 16);
		driver_blk_add(&hostile.b, VIRTIO_BLK_T_IN, 0, 512, true);
		hostile_kick();
		driver_blk_wait(&hostile.b, NULL);
	}
	ck_assert_uint_eq(hostile.b.stats.broken, 0);
	hostile_end();
}
END_TEST

static void use_area(int area, void *p)
{
	void **at[2][3] = {
		{ (void **)&hostile.b.d.desc, (void **)&hostile.b.d.avail,
		  (void **)&hostile.b.d.used },
		{ (void **)&hostile.b.d.packed.desc,
		  (void **)&hostile.b.d.packed.driver,
		  (void **)&hostile.b.d.packed.device },
	};

	*at[hostile.packed][area] = p;
}

/*
 * An area of the ring goes away in mid-flight: descriptors, the driver's, the
 * device's.
 */
START_TEST(test_ring_goes_away)
{
	uint64_t *addr[] = { &hostile.b.d.setup.desc_addr,
			     &hostile.b.d.setup.driver_addr,
			     &hostile.b.d.setup.device_addr };
	int fd = memfd_create("ring", MFD_CLOEXEC);
	static const int restart[2][3] = { { 0, -EFAULT, -EFAULT },
					   { -EFAULT, 0, -EFAULT } };
	static const uint64_t iova[] = { DRIVER_DESC, DRIVER_AVAIL,
					 DRIVER_USED };
	struct virtq_setup setup;
	void *p;
	int i;

	hostile_begin(_i / 3, 0);
	_i %= 3;
	setup = hostile.b.d.setup;
	driver_blk_stop(&hostile.b);
	driver_reset(&hostile.b.d);
	ck_assert_int_eq(ftruncate(fd, 4096), 0);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(p, MAP_FAILED);
	driver_mem_map(&hostile.b.d.mem, 0x9000000, 4096, p);
	*addr[_i] = 0x9000000;
	use_area(_i, p);
	hostile.hold.hold = true;
	driver_blk_start(&hostile.b);
	driver_blk_add(&hostile.b, VIRTIO_BLK_T_IN, 0, 512, true);
	driver_kick(&hostile.b.d);
	driver_blk_turns(&hostile.b, 5);
	ck_assert_uint_eq(hostile.hold.nr_held, 1);
	if (_i != 1) {
		driver_blk_add(&hostile.b, VIRTIO_BLK_T_IN, 0, 512, true);
		driver_publish(&hostile.b.d);
	}
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	hold_end(&hostile.hold, 0, 0);
	eventfd_write(hostile.b.d.setup.kick_fd, 1);
	driver_blk_turns(&hostile.b, 5);
	if (hostile.hold.nr_held) {
		hold_end(&hostile.hold, 0, 0);
		driver_blk_turns(&hostile.b, 5);
	}
	/* The device's area of a packed ring is what kicks are asked for in. */
	driver_blk_sleep(&hostile.b);
	ck_assert(hostile.b.stats.broken);
	driver_blk_stop(&hostile.b);
	hostile.b.d.setup.state = setup.state;
	ck_assert_int_eq(vblk_queue_start(hostile.b.queue, &hostile.b.d.setup,
					  NULL),
			 restart[hostile.packed][_i]);
	if (!restart[hostile.packed][_i])
		driver_blk_stop(&hostile.b);
	hostile.hold.hold = false;
	hostile.b.d.setup = setup;
	for (i = 0; i < 3; i++)
		use_area(i, driver_blk_at(&hostile.b, iova[i]));
	driver_reset(&hostile.b.d);
	driver_blk_start(&hostile.b);
	hostile_recovers();
	hostile_end();
	munmap(p, 4096);
	close(fd);
}
END_TEST

/*
 * The used length of a request that is refused counts what is zeroed from the
 * first writable byte on, up to where memory is missing, and no more: not the
 * status byte behind the gap.
 */
START_TEST(test_used_length)
{
	bool packed = _i & 1, in_table = _i & 2;
	struct driver_blk *b = &hostile.b;
	uint32_t len;

	hostile_begin(packed, 0);
	hostile_show();
	hostile.in_table = in_table;
	h_put(0, HDR, 16, N, 1);
	h_put(1, DRIVER_DATA + DRIVER_DATA_LEN - 256, 512, W | N, 2);
	h_put(2, STATUS, 1, W, 0);
	hostile.in_table = false;
	if (in_table)
		h_put(0, TABLE, 48, I, 0);
	hostile_kick();
	b->d.busy[0] = true;
	b->d.packed.count[0] = packed && !in_table ? 3 : 1;
	ck_assert_uint_eq(driver_blk_wait(b, &len), 0);
	ck_assert_uint_eq(*driver_blk_at(b, STATUS), IOERR);
	ck_assert_uint_eq(len, 256);
	hostile_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtq_hostile_flight");
	TCase *tc = tcase_create("flight");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_id_again, 0, 4);
	tcase_add_loop_test(tc, test_ring_wiped, 0, 4);
	tcase_add_loop_test(tc, test_reset, 0, 4);
	tcase_add_loop_test(tc, test_any_event, 0, 2);
	tcase_add_loop_test(tc, test_ring_goes_away, 0, 6);
	tcase_add_loop_test(tc, test_used_length, 0, 4);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
