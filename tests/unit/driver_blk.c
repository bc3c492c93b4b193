/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* A virtio-blk driver for tests: see driver_blk.h. */
#include <check.h>
#include <liburing.h>
#include <linux/virtio_blk.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/guard.h"
#include "lib/loop.h"
#include "lib/why.h"
#include "tests/unit/driver_blk.h"

void driver_blk_init(struct driver_blk *b, struct blk_dev *dev, unsigned size,
		     uint64_t without)
{
	driver_blk_init_ring(b, dev, size, without, false);
}

void driver_blk_init_ring(struct driver_blk *b, struct blk_dev *dev,
			  unsigned size, uint64_t without, bool packed)
{
	const struct vblk_params params = {
		.nr_queues = 1,
		.queue_size = size,
		.packed = packed,
		.serial = "a serial of 20 bytes",
	};

	driver_blk_init_params(b, dev, &params, without);
}

void driver_blk_init_params(struct driver_blk *b, struct blk_dev *dev,
			    const struct vblk_params *params, uint64_t without)
{
	struct why why = { "" };

	memset(b, 0, sizeof(*b));
	ck_assert_int_eq(guard_install(), 0);
	ck_assert_int_eq(vblk_new(dev, params, &b->vblk, &why), 0);
	ck_assert_int_eq(loop_new(16, &b->loop), 0);
	ck_assert_int_eq(
		vblk_queue_new(b->vblk, 0, b->loop, &b->stats, &b->queue), 0);
	ck_assert_int_eq(loop_seal(b->loop), 0);
	driver_init(&b->d, params->queue_size,
		    vblk_features(b->vblk) & ~without);
	vblk_reset_config(b->vblk, b->d.setup.features);
	driver_blk_start(b);
}

void driver_blk_free(struct driver_blk *b)
{
	if (vblk_queue_runs(b->queue))
		driver_blk_stop(b);
	vblk_queue_free(b->queue);
	vblk_free(b->vblk);
	loop_free(b->loop);
	driver_free(&b->d);
}

void driver_blk_start(struct driver_blk *b)
{
	struct why why = { "" };
	int err = vblk_queue_start(b->queue, &b->d.setup, &why);

	ck_assert_msg(!err, "start: %s", why.text);
}

static void on_stopped(void *arg)
{
	struct driver_blk *b = arg;

	ck_assert(!b->stopped);
	b->stopped = true;
}

void driver_blk_stop(struct driver_blk *b)
{
	int i;

	b->stopped = false;
	vblk_queue_stop(b->queue, on_stopped, b);
	for (i = 0; i < 1000 && !b->stopped; i++)
		ck_assert_int_eq(loop_turn(b->loop, true), 0);
	ck_assert(b->stopped);
}

uint8_t *driver_blk_at(struct driver_blk *b, uint64_t iova)
{
	return driver_at(&b->d, iova);
}

struct driver_req driver_blk_add(struct driver_blk *b, uint32_t type,
				 uint64_t sector, uint32_t len, bool in)
{
	struct driver_req r = { .len = len };
	struct virtio_blk_outhdr hdr = { .type = type, .sector = sector };
	struct driver_seg seg[3];
	unsigned n = 0;

	r.header = driver_alloc(&b->d, sizeof(hdr), 64);
	r.data = driver_alloc(&b->d, len, 4096);
	r.status = driver_alloc(&b->d, 64, 64);
	memcpy(driver_blk_at(b, r.header), &hdr, sizeof(hdr));
	*driver_blk_at(b, r.status) = 0xee;
	seg[n++] = (struct driver_seg){ r.header, sizeof(hdr), false };
	if (len)
		seg[n++] = (struct driver_seg){ r.data, len, in };
	seg[n++] = (struct driver_seg){ r.status, 1, true };
	r.head = driver_add(&b->d, b->shape, seg, n);
	return r;
}

void driver_blk_turns(struct driver_blk *b, unsigned n)
{
	while (n--)
		ck_assert_int_eq(loop_turn(b->loop, false), 0);
}

static void woken(struct loop_op *op, int res)
{
	ck_assert_int_eq(res, sizeof(uint64_t));
	op->done = NULL;
}

void driver_blk_sleep(struct driver_blk *b)
{
	const struct itimerspec soon = { .it_value.tv_nsec = 1000000 };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct loop_op op = { woken };
	uint64_t value;

	ck_assert_int_eq(timerfd_settime(fd, 0, &soon, NULL), 0);
	io_uring_prep_read(loop_sqe(b->loop, &op), fd, &value, sizeof(value),
			   0);
	while (op.done)
		ck_assert_int_eq(loop_turn(b->loop, true), 0);
	close(fd);
}

uint16_t driver_blk_wait(struct driver_blk *b, uint32_t *len)
{
	uint16_t head = 0;
	int i;

	for (i = 0; i < 1000; i++) {
		if (driver_collect(&b->d, &head, len))
			return head;
		driver_blk_turns(b, 1);
	}
	ck_abort_msg("no answer");
	return head;
}

uint8_t driver_blk_run(struct driver_blk *b, uint32_t type, uint64_t sector,
		       uint32_t len, bool in, struct driver_req *ret)
{
	struct driver_req r = driver_blk_add(b, type, sector, len, in);

	driver_want_interrupt(&b->d, true);
	driver_kick(&b->d);
	ck_assert_uint_eq(driver_blk_wait(b, &r.used), r.head);
	if (ret)
		*ret = r;
	return *driver_blk_at(b, r.status);
}
