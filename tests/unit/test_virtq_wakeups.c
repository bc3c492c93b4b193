/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A driver and a device in two threads, which both sleep whenever they may:
 * no kick and no interrupt gets lost.
 */
#include <check.h>
#include <liburing.h>
#include <linux/virtio_blk.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/loop.h"
#include "tests/unit/driver_blk.h"
#include "tests/unit/driver_hold.h"

/* What a sanitizer adds keeps the two from meeting; it looks for races. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ROUNDS 1000
#else
#define ROUNDS 5000
#endif

static struct driver_blk b;
static struct hold hold;
static int irq;

static void interrupt(void *host)
{
	eventfd_write(irq, 1);
}

struct driver_thread {
	unsigned done, lost;
	int over; /* eventfd: tells the device's loop */
};

static bool sleep_for_interrupt(void)
{
	struct pollfd p = { irq, POLLIN, 0 };
	eventfd_t v;

	/* What is pending is as good as what comes. */
	if (poll(&p, 1, 100000) != 1)
		return false;
	return !eventfd_read(irq, &v);
}

static void spin(unsigned n)
{
	volatile unsigned i;

	for (i = 0; i < n * 10; i++)
		;
}

static void *drive(void *arg)
{
	struct driver_thread *t = arg;
	struct driver_seg seg[3][2];
	unsigned i, k, n;
	uint16_t head;

	for (i = 0; i < 3; i++) {
		struct virtio_blk_outhdr h = { .type = VIRTIO_BLK_T_FLUSH };
		uint64_t at = driver_alloc(&b.d, 64, 64);

		memcpy(driver_blk_at(&b, at), &h, sizeof(h));
		seg[i][0] = (struct driver_seg){ at, sizeof(h), false };
		seg[i][1] = (struct driver_seg){ at + 32, 1, true };
	}
	for (k = 0; k < ROUNDS && !t->lost; k++) {
		n = k % 3 + 1;
		/* One after the other, while the device is about to sleep. */
		for (i = 0; i < n; i++) {
			driver_add(&b.d, DRIVER_DIRECT, seg[i], 2);
			driver_kick(&b.d);
			spin(k * 7 % 301);
		}
		while (n) {
			if (driver_collect(&b.d, &head, NULL)) {
				n--;
				t->done++;
				continue;
			}
			driver_want_interrupt(&b.d, true);
			if (driver_has_used(&b.d))
				continue;
			if (!sleep_for_interrupt()) {
				t->lost++;
				break;
			}
			driver_want_interrupt(&b.d, false);
		}
	}
	eventfd_write(t->over, 1);
	return NULL;
}

struct waker {
	struct loop_op op;
	bool woken;
};

static void woken(struct loop_op *op, int res)
{
	((struct waker *)op)->woken = true;
}

/* Of the queue: not at all, or so short that it goes to sleep all the time. */
static const uint32_t poll_us[] = { 0, 3 };

START_TEST(test_nothing_is_lost)
{
	const struct vblk_params params = {
		.nr_queues = 1,
		.queue_size = 64,
		.packed = _i & 2,
		.poll_us = poll_us[_i / 4],
	};
	struct virtq_host_ops ops = driver_mem_ops;
	struct driver_thread t = { .over = eventfd(0, EFD_CLOEXEC) };
	struct waker w = { .op.done = woken };
	pthread_t thread;

	irq = eventfd(0, EFD_CLOEXEC);
	hold_init(&hold, 2048, 512);
	driver_blk_init_params(&b, &hold.dev, &params,
			       _i & 1 ? 0 : 1ULL << VIRTIO_RING_F_EVENT_IDX);
	driver_blk_stop(&b);
	driver_reset(&b.d);
	ops.interrupt = interrupt;
	b.d.setup.ops = &ops;
	driver_blk_start(&b);
	io_uring_prep_poll_add(loop_sqe(b.loop, &w.op), t.over, POLLIN);
	ck_assert_int_eq(pthread_create(&thread, NULL, drive, &t), 0);
	while (!w.woken)
		ck_assert_int_eq(loop_turn(b.loop, true), 0);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(t.lost, 0);
	ck_assert_uint_eq(hold.seen[BLK_FLUSH], t.done);
	driver_blk_free(&b);
	close(irq);
	close(t.over);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtq_wakeups");
	TCase *tc = tcase_create("wakeups");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_nothing_is_lost, 0, 8);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
