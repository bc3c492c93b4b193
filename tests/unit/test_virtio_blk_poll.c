/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A queue that looks at its ring before it sleeps.  Each test runs with a
 * split ring (0) and with a packed one (1).
 */
#include <check.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "backend/blk.h"
#include "backend/mem.h"
#include "lib/loop.h"
#include "tests/unit/driver_blk.h"

#define SIZE	 64
#define SECTORS	 4096
#define LONG_US	 60000000 /* until a request is found */
#define BRIEF_US 1

static struct blk_dev *dev;
static struct driver_blk b;

static void begin(bool packed, uint32_t poll_us, uint64_t without)
{
	const struct mem_blk_options options = { 0 };
	const struct vblk_params params = {
		.nr_queues = 1,
		.queue_size = SIZE,
		.packed = packed,
		.poll_us = poll_us,
		.serial = "a",
	};

	ck_assert_int_eq(mem_blk_new(SECTORS, &options, &dev), 0);
	driver_blk_init_params(&b, dev, &params, without);
}

static void end(void)
{
	driver_blk_free(&b);
	blk_close(dev);
}

static void ignore(struct loop_op *op, int res)
{
}

static struct loop_op other = { .done = ignore };

static void turn(void)
{
	ck_assert_int_eq(loop_turn(b.loop, true), 0);
}

/* Nobody kicks, and the requests are served. */
START_TEST(test_no_kick)
{
	struct driver_req r;
	uint16_t head;
	int i;

	begin(_i, LONG_US, 0);
	turn(); /* of the start */
	for (i = 0; i < 3 * SIZE; i++) {
		r = driver_blk_add(&b, VIRTIO_BLK_T_IN, 8, 512, true);
		driver_want_interrupt(&b.d, true);
		driver_publish(&b.d);
		turn();
		ck_assert(driver_collect(&b.d, &head, NULL));
		ck_assert_uint_eq(head, r.head);
		ck_assert_uint_eq(*driver_blk_at(&b, r.status),
				  VIRTIO_BLK_S_OK);
	}
	ck_assert_uint_eq(b.stats.kicks, 0);
	ck_assert_uint_eq(b.stats.polls, 3 * SIZE);
	end();
}
END_TEST

/* Awake, it wants no kick, whatever the format and its features. */
START_TEST(test_no_kick_wanted)
{
	uint64_t without = _i & 2 ? 1ULL << VIRTIO_RING_F_EVENT_IDX : 0;
	uint16_t head;

	begin(_i & 1, BRIEF_US, without);
	turn(); /* of the start */
	/* It looks in vain, falls asleep, and is woken for nothing. */
	ck_assert_int_eq(eventfd_write(b.d.setup.kick_fd, 1), 0);
	turn();
	ck_assert_uint_eq(b.stats.kicks, 1);
	driver_blk_add(&b, VIRTIO_BLK_T_FLUSH, 0, 0, false);
	ck_assert(!driver_publish(&b.d));
	turn();
	ck_assert(driver_collect(&b.d, &head, NULL));
	ck_assert_uint_eq(b.stats.kicks, 1);
	ck_assert_uint_eq(b.stats.polls, 1);
	end();
}
END_TEST

/* A ring that makes no sense is noticed by looking, and reported. */
START_TEST(test_broken)
{
	begin(false, LONG_US, 0);
	turn(); /* of the start */
	driver_raw_avail(&b.d, SIZE);
	driver_publish(&b.d);
	ck_assert_int_eq(eventfd_write(b.d.setup.kick_fd, 1), 0);
	turn();
	ck_assert_uint_eq(b.stats.broken, 1);
	ck_assert_str_ne(b.stats.reason, "");
	end();
}
END_TEST

/* A queue that does not run is not looked at. */
START_TEST(test_stopped)
{
	begin(_i, LONG_US, 0);
	driver_blk_stop(&b);
	driver_blk_add(&b, VIRTIO_BLK_T_FLUSH, 0, 0, false);
	driver_publish(&b.d);
	/* What wakes the loop is something else. */
	io_uring_prep_nop(loop_sqe(b.loop, &other));
	turn();
	ck_assert_uint_eq(b.stats.polls, 0);
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtio_blk_poll");
	TCase *tc = tcase_create("poll");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, test_no_kick, 0, 2);
	tcase_add_loop_test(tc, test_no_kick_wanted, 0, 4);
	tcase_add_test(tc, test_broken);
	tcase_add_loop_test(tc, test_stopped, 0, 2);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
