/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The cache mode, which a driver can change where the transport takes its
 * writes to the configuration space to the device.
 */
#include <check.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "tests/unit/driver_blk.h"
#include "tests/unit/driver_hold.h"

#define FLUSH	(1ULL << VIRTIO_BLK_F_FLUSH)
#define CONFIG	(1ULL << VIRTIO_BLK_F_CONFIG_WCE)
#define WCE	offsetof(struct virtio_blk_config, wce)
#define OK	VIRTIO_BLK_S_OK
#define SIZE	16
#define SECTORS 2048

static struct driver_blk b;
static struct hold hold;

static void begin(bool config_writes, uint64_t without, bool packed)
{
	const struct vblk_params params = {
		.nr_queues = 1,
		.queue_size = SIZE,
		.packed = packed,
		.config_writes = config_writes,
	};

	hold_init(&hold, SECTORS, 512);
	driver_blk_init_params(&b, &hold.dev, &params, without);
}

static int set(uint8_t writeback)
{
	return vblk_write_config(b.vblk, WCE, &writeback, 1);
}

static uint8_t get(void)
{
	struct virtio_blk_config c;

	vblk_config(b.vblk, &c, sizeof(c));
	return c.wce;
}

/* Whether a write is made durable before it is answered. */
static bool writes_through(void)
{
	ck_assert_uint_eq(
		driver_blk_run(&b, VIRTIO_BLK_T_OUT, 0, 512, false, NULL), OK);
	return hold.last.flags & BLK_FUA;
}

static bool zeroes_through(void)
{
	struct virtio_blk_discard_write_zeroes s = { .num_sectors = 8 };
	struct driver_req r = driver_blk_add(&b, VIRTIO_BLK_T_WRITE_ZEROES, 0,
					     sizeof(s), false);

	memcpy(driver_blk_at(&b, r.data), &s, sizeof(s));
	driver_kick(&b.d);
	ck_assert_uint_eq(driver_blk_wait(&b, NULL), r.head);
	ck_assert_uint_eq(*driver_blk_at(&b, r.status), OK);
	return hold.last.flags & BLK_FUA;
}

START_TEST(test_offered)
{
	begin(false, 0, false);
	ck_assert(!(vblk_features(b.vblk) & CONFIG));
	ck_assert_uint_eq(get(), 0);
	ck_assert_int_eq(set(0), -EINVAL);
	ck_assert_int_eq(set(1), -EINVAL);
	ck_assert(!writes_through());
	driver_blk_free(&b);
	begin(true, 0, false);
	ck_assert_uint_eq(vblk_features(b.vblk) & (CONFIG | FLUSH),
			  CONFIG | FLUSH);
	ck_assert_uint_eq(get(), 1);
	driver_blk_free(&b);
}
END_TEST

START_TEST(test_switch)
{
	begin(true, 0, _i);
	ck_assert(!writes_through());
	ck_assert(!zeroes_through());
	ck_assert_int_eq(set(0), 0);
	ck_assert_uint_eq(get(), 0);
	ck_assert(writes_through());
	ck_assert(zeroes_through());
	ck_assert_uint_eq(
		driver_blk_run(&b, VIRTIO_BLK_T_IN, 0, 512, true, NULL), OK);
	ck_assert_uint_eq(hold.last.flags, 0);
	ck_assert_uint_eq(
		driver_blk_run(&b, VIRTIO_BLK_T_FLUSH, 0, 0, false, NULL), OK);
	ck_assert_int_eq(set(1), 0);
	ck_assert_uint_eq(get(), 1);
	ck_assert(!writes_through());
	/* A reset brings back what was at first. */
	ck_assert_int_eq(set(0), 0);
	driver_blk_stop(&b);
	driver_reset(&b.d);
	vblk_reset_config(b.vblk, b.d.setup.features);
	ck_assert_uint_eq(get(), 1);
	driver_blk_start(&b);
	ck_assert(!writes_through());
	driver_blk_free(&b);
}
END_TEST

/* Requests that are taken count, not those that wait in the ring. */
START_TEST(test_in_flight)
{
	begin(true, 0, false);
	hold.hold = true;
	driver_blk_add(&b, VIRTIO_BLK_T_OUT, 0, 512, false);
	driver_kick(&b.d);
	driver_blk_turns(&b, 5);
	ck_assert_uint_eq(hold.nr_held, 1);
	driver_blk_add(&b, VIRTIO_BLK_T_OUT, 0, 512, false);
	driver_publish(&b.d);
	ck_assert_int_eq(set(0), 0);
	ck_assert_uint_eq(hold.held[0]->flags, 0);
	eventfd_write(b.d.setup.kick_fd, 1);
	driver_blk_turns(&b, 5);
	ck_assert_uint_eq(hold.nr_held, 2);
	ck_assert_uint_eq(hold.held[1]->flags, BLK_FUA);
	hold_end(&hold, 0, 0);
	hold_end(&hold, 0, 0);
	driver_blk_free(&b);
}
END_TEST

/* A driver that did not accept CONFIG_WCE has the mode that FLUSH says. */
START_TEST(test_not_accepted)
{
	begin(true, CONFIG, false);
	ck_assert_int_eq(set(0), 0);
	ck_assert(!writes_through());
	driver_blk_free(&b);
}
END_TEST

/* One that did not accept FLUSH begins, and stays, with write-through. */
START_TEST(test_no_flush)
{
	begin(true, FLUSH, false);
	ck_assert_uint_eq(get(), 0);
	ck_assert(writes_through());
	ck_assert_int_eq(set(1), -EINVAL);
	ck_assert_uint_eq(get(), 0);
	ck_assert_int_eq(set(0), 0);
	ck_assert(writes_through());
	driver_blk_free(&b);
}
END_TEST

/* All the rest of the configuration space is as it is. */
START_TEST(test_refused)
{
	struct virtio_blk_config before, after;
	uint8_t buf[sizeof(before) + 8] = { 0 };
	size_t offset, len;

	begin(true, 0, false);
	vblk_config(b.vblk, &before, sizeof(before));
	for (offset = 0; offset < sizeof(before) + 4; offset++)
		for (len = 0; len <= 4; len++)
			if (offset != WCE || len != 1)
				ck_assert_int_eq(vblk_write_config(b.vblk,
								   offset, buf,
								   len),
						 -EINVAL);
	ck_assert_int_eq(vblk_write_config(b.vblk, SIZE_MAX, buf, 1), -EINVAL);
	ck_assert_int_eq(set(2), -EINVAL);
	ck_assert_int_eq(set(255), -EINVAL);
	vblk_config(b.vblk, &after, sizeof(after));
	ck_assert(!memcmp(&before, &after, sizeof(before)));
	driver_blk_free(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtio_blk_wce");
	TCase *tc = tcase_create("wce");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_offered);
	tcase_add_loop_test(tc, test_switch, 0, 2);
	tcase_add_test(tc, test_in_flight);
	tcase_add_test(tc, test_not_accepted);
	tcase_add_test(tc, test_no_flush);
	tcase_add_test(tc, test_refused);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
