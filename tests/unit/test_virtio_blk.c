/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* virtio-blk: what requests do, and what is said to bad ones. */
#include <check.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <stdlib.h>
#include <string.h>

#include "backend/mem.h"
#include "lib/loop_poll.h"
#include "lib/why.h"
#include "tests/unit/driver_blk.h"
#include "tests/unit/driver_hold.h"

#define BIT(n)	(1ULL << (n))
#define OK	VIRTIO_BLK_S_OK
#define IOERR	VIRTIO_BLK_S_IOERR
#define UNSUPP	VIRTIO_BLK_S_UNSUPP
#define SIZE	64
#define SECTORS 2048

static struct driver_blk b;
static struct hold hold;
static struct driver_req r;

static void begin_ring(uint64_t without, bool packed)
{
	hold_init(&hold, SECTORS, 512);
	hold.fill = 0x5a;
	driver_blk_init_ring(&b, &hold.dev, SIZE, without, packed);
}

static void begin(uint64_t without)
{
	begin_ring(without, false);
}

static void end(void)
{
	driver_blk_free(&b);
}

static bool all_are(uint64_t iova, uint32_t len, uint8_t want)
{
	const uint8_t *p = driver_blk_at(&b, iova);

	while (len--)
		if (*p++ != want)
			return false;
	return true;
}

/* Bytes go out and come back, in every shape of ring. */
START_TEST(test_write_read)
{
	struct mem_blk_options options = { .block_size = 512,
					   .deferred = true };
	struct blk_dev *dev;
	uint8_t *p;
	int i;

	ck_assert_int_eq(mem_blk_new(SECTORS, &options, &dev), 0);
	driver_blk_init_ring(&b, dev, SIZE, 0, _i >= DRIVER_NR_SHAPES);
	b.shape = _i % DRIVER_NR_SHAPES;
	r = driver_blk_add(&b, VIRTIO_BLK_T_OUT, 7, 8192, false);
	p = driver_blk_at(&b, r.data);
	for (i = 0; i < 8192; i++)
		p[i] = (uint8_t)(i * 7 + i / 512);
	driver_kick(&b.d);
	ck_assert_uint_eq(driver_blk_wait(&b, &r.used), r.head);
	ck_assert_uint_eq(*driver_blk_at(&b, r.status), OK);
	ck_assert_uint_eq(r.used, 1);
	ck_assert(!memcmp(mem_blk_data(dev) + 7 * 512, p, 8192));
	ck_assert_uint_eq(
		driver_blk_run(&b, VIRTIO_BLK_T_IN, 7, 8192, true, &r), OK);
	ck_assert_uint_eq(r.used, 8193);
	ck_assert(!memcmp(mem_blk_data(dev) + 7 * 512,
			  driver_blk_at(&b, r.data), 8192));
	ck_assert_uint_eq(
		driver_blk_run(&b, VIRTIO_BLK_T_FLUSH, 0, 0, false, NULL), OK);
	ck_assert_uint_eq(b.stats.op[VBLK_WRITE].bytes, 8192);
	ck_assert_uint_eq(b.stats.op[VBLK_READ].bytes, 8192);
	ck_assert_uint_eq(b.stats.op[VBLK_FLUSH].requests, 1);
	ck_assert_uint_eq(b.stats.in_flight, 0);
	ck_assert_uint_eq(b.stats.polls, 3);
	end();
	blk_close(dev);
}
END_TEST

START_TEST(test_features)
{
	uint64_t all,
		must = BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM);
	struct why why = { "" };

	begin_ring(0, _i);
	all = vblk_features(b.vblk);
	ck_assert_uint_eq(all & must, must);
	ck_assert(!(all & BIT(VIRTIO_BLK_F_RO)));
	ck_assert(!(all & BIT(VIRTIO_BLK_F_CONFIG_WCE)));
	ck_assert(!(all & BIT(VIRTIO_F_RING_PACKED)) == !_i);
	ck_assert_int_eq(vblk_check_features(b.vblk, all, &why), 0);
	ck_assert_int_eq(vblk_check_features(b.vblk, must, &why), 0);
	ck_assert_int_eq(vblk_check_features(b.vblk, all & ~must, &why),
			 -EINVAL);
	ck_assert_int_eq(
		vblk_check_features(b.vblk,
				    all & ~BIT(VIRTIO_F_ACCESS_PLATFORM), &why),
		-EINVAL);
	ck_assert_str_ne(why.text, "");
	ck_assert_int_eq(vblk_check_features(b.vblk, all | BIT(63), &why),
			 -EINVAL);
	end();
}
END_TEST

START_TEST(test_config)
{
	struct vblk_params params = { .nr_queues = 3, .queue_size = 128 };
	struct virtio_blk_config c;
	struct why why = { "" };
	struct vblk *vblk;
	uint8_t raw[8] = { 0 };

	hold_init(&hold, 0x123456789, 4096);
	hold.dev.info.phys_block_size = 8192;
	hold.dev.info.io_opt = 65536;
	hold.dev.info.readonly = true;
	ck_assert_int_eq(vblk_new(&hold.dev, &params, &vblk, &why), 0);
	ck_assert_uint_eq(vblk_config(vblk, &c, sizeof(c)), sizeof(c));
	ck_assert_uint_eq(c.capacity, 0x123456789);
	ck_assert_uint_eq(c.blk_size, 4096);
	ck_assert_uint_eq(c.physical_block_exp, 1);
	ck_assert_uint_eq(c.min_io_size, 2);
	ck_assert_uint_eq(c.opt_io_size, 16);
	ck_assert_uint_eq(c.num_queues, 3);
	ck_assert_uint_eq(c.seg_max, 126);
	ck_assert_uint_ge(c.size_max, 4096);
	ck_assert(vblk_features(vblk) & BIT(VIRTIO_BLK_F_RO));
	ck_assert_uint_eq(vblk_config(vblk, raw, 4), sizeof(c));
	ck_assert(!memcmp(raw, "\x89\x67\x45\x23\0\0\0\0", 8));
	vblk_free(vblk);
	/* A transport may want smaller requests, but gets no larger ones. */
	params.seg_max = 20;
	params.size_max = 4096;
	ck_assert_int_eq(vblk_new(&hold.dev, &params, &vblk, &why), 0);
	vblk_config(vblk, &c, sizeof(c));
	ck_assert_uint_eq(c.seg_max, 20);
	ck_assert_uint_eq(c.size_max, 4096);
	vblk_free(vblk);
	params.seg_max = 1000;
	ck_assert_int_eq(vblk_new(&hold.dev, &params, &vblk, &why), 0);
	vblk_config(vblk, &c, sizeof(c));
	ck_assert_uint_eq(c.seg_max, 126);
	vblk_free(vblk);
	params.size_max = 4095;
	ck_assert_int_eq(vblk_new(&hold.dev, &params, &vblk, &why), -EINVAL);
}
END_TEST

START_TEST(test_bad_params)
{
	static const struct vblk_params bad[] = {
		{ 0, 128 }, { 65536, 128 }, { 1, 0 },
		{ 1, 2 },   { 1, 100 },	    { 1, 2048 },
	};
	struct why why = { "" };
	struct vblk *vblk;

	hold_init(&hold, 8, 512);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_int_eq(vblk_new(&hold.dev, &bad[i], &vblk, &why),
				 -EINVAL);
	ck_assert_str_ne(why.text, "");
}
END_TEST

/* What an honest driver could send, and what it is told. */
static const struct {
	uint32_t type;
	uint64_t sector;
	uint32_t len;
	bool in;
	uint8_t status;
} plain[] = {
	{ VIRTIO_BLK_T_IN, 0, 512, true, OK },
	{ VIRTIO_BLK_T_IN, SECTORS - 1, 512, true, OK },
	{ VIRTIO_BLK_T_IN, SECTORS, 512, true, IOERR },
	{ VIRTIO_BLK_T_IN, SECTORS - 1, 1024, true, IOERR },
	{ VIRTIO_BLK_T_IN, UINT64_MAX, 512, true, IOERR },
	{ VIRTIO_BLK_T_IN, UINT64_MAX - 1, 1024, true, IOERR },
	{ VIRTIO_BLK_T_IN, 1ULL << 55, 512, true, IOERR },
	{ VIRTIO_BLK_T_IN, 0, 0, true, IOERR },
	{ VIRTIO_BLK_T_IN, 0, 100, true, IOERR },
	{ VIRTIO_BLK_T_IN, 0, 513, true, IOERR },
	{ VIRTIO_BLK_T_IN, 0, 512, false, IOERR },
	{ VIRTIO_BLK_T_OUT, 0, 512, false, OK },
	{ VIRTIO_BLK_T_OUT, SECTORS, 512, false, IOERR },
	{ VIRTIO_BLK_T_OUT, 0, 0, false, IOERR },
	{ VIRTIO_BLK_T_OUT, 0, 511, false, IOERR },
	{ VIRTIO_BLK_T_OUT, 0, 512, true, IOERR },
	{ VIRTIO_BLK_T_FLUSH, 0, 0, false, OK },
	{ VIRTIO_BLK_T_FLUSH, 5, 0, false, OK },
	{ VIRTIO_BLK_T_FLUSH, 0, 512, true, OK },
	{ VIRTIO_BLK_T_GET_ID, 0, 20, true, OK },
	{ VIRTIO_BLK_T_DISCARD, 0, 16, false, UNSUPP },
	{ VIRTIO_BLK_T_WRITE_ZEROES, 0, 8, false, IOERR },
	{ VIRTIO_BLK_T_SCSI_CMD, 0, 512, true, UNSUPP },
	{ 3, 0, 0, true, UNSUPP },
	{ 10, 0, 24, true, UNSUPP },
	{ 14, 0, 16, false, UNSUPP },
	{ 0x80000000, 0, 0, false, UNSUPP },
	{ UINT32_MAX, UINT64_MAX, 4096, true, UNSUPP },
};

#define NR_PLAIN ((int)(sizeof(plain) / sizeof(*plain)))

START_TEST(test_plain)
{
	begin_ring(0, _i / NR_PLAIN);
	_i %= NR_PLAIN;
	r = driver_blk_add(&b, plain[_i].type, plain[_i].sector, plain[_i].len,
			   plain[_i].in);
	memset(driver_blk_at(&b, r.data), 0xcc, plain[_i].len);
	driver_kick(&b.d);
	ck_assert_uint_eq(driver_blk_wait(&b, &r.used), r.head);
	ck_assert_uint_eq(*driver_blk_at(&b, r.status), plain[_i].status);
	ck_assert_uint_eq(r.used, 1 + (plain[_i].in ? plain[_i].len : 0));
	/* Nothing old is left where the device may write. */
	if (plain[_i].in && plain[_i].type != VIRTIO_BLK_T_GET_ID)
		ck_assert(all_are(r.data, plain[_i].len,
				  plain[_i].type == VIRTIO_BLK_T_IN &&
						  plain[_i].status == OK
					  ? 0x5a
					  : 0));
	/* The device goes on. */
	ck_assert_uint_eq(driver_blk_run(&b, VIRTIO_BLK_T_IN, 0, 512, true, &r),
			  OK);
	ck_assert_uint_eq(b.stats.broken, 0);
	end();
}
END_TEST

START_TEST(test_block_size)
{
	hold_init(&hold, SECTORS, 4096);
	driver_blk_init(&b, &hold.dev, SIZE, 0);
	ck_assert_uint_eq(
		driver_blk_run(&b, VIRTIO_BLK_T_IN, 8, 4096, true, NULL), OK);
	ck_assert_uint_eq(driver_blk_run(&b, VIRTIO_BLK_T_IN, 1, 4096, true,
					 NULL),
			  IOERR);
	ck_assert_uint_eq(driver_blk_run(&b, VIRTIO_BLK_T_OUT, 0, 512, false,
					 NULL),
			  IOERR);
	end();
}
END_TEST

START_TEST(test_readonly)
{
	hold_init(&hold, SECTORS, 512);
	hold.dev.info.readonly = true;
	driver_blk_init(&b, &hold.dev, SIZE, 0);
	ck_assert_uint_eq(driver_blk_run(&b, VIRTIO_BLK_T_OUT, 0, 512, false,
					 NULL),
			  IOERR);
	ck_assert_uint_eq(hold.seen[BLK_WRITE], 0);
	ck_assert_uint_eq(
		driver_blk_run(&b, VIRTIO_BLK_T_IN, 0, 512, true, NULL), OK);
	ck_assert_uint_eq(b.stats.op[VBLK_WRITE].errors, 1);
	end();
}
END_TEST

START_TEST(test_get_id)
{
	static const char serial[] = "a serial of 20 bytes";
	static const uint32_t len[] = { 0, 1, 7, 20, 21, 64 };

	begin(0);
	for (size_t i = 0; i < sizeof(len) / sizeof(*len); i++) {
		uint32_t n = len[i] < 20 ? len[i] : 20;

		r = driver_blk_add(&b, VIRTIO_BLK_T_GET_ID, 0, len[i], true);
		memset(driver_blk_at(&b, r.data), 0xcc, len[i]);
		driver_kick(&b.d);
		driver_blk_wait(&b, &r.used);
		ck_assert_uint_eq(r.used, len[i] + 1);
		ck_assert_uint_eq(*driver_blk_at(&b, r.status), OK);
		ck_assert(!memcmp(driver_blk_at(&b, r.data), serial, n));
		ck_assert(all_are(r.data + n, len[i] - n, 0));
	}
	end();
}
END_TEST

/* A read that fails shows zeroes, whatever the layers below left there. */
START_TEST(test_failed_read)
{
	begin(0);
	hold.fail_at = 1;
	r = driver_blk_add(&b, VIRTIO_BLK_T_IN, 0, 4096, true);
	memset(driver_blk_at(&b, r.data), 0xcc, 4096);
	driver_kick(&b.d);
	ck_assert_uint_eq(driver_blk_wait(&b, &r.used), r.head);
	ck_assert_uint_eq(*driver_blk_at(&b, r.status), IOERR);
	ck_assert_uint_eq(r.used, 4097);
	ck_assert(all_are(r.data, 4096, 0));
	ck_assert_uint_eq(b.stats.op[VBLK_READ].errors, 1);
	ck_assert_uint_eq(b.stats.op[VBLK_READ].bytes, 0);
	end();
}
END_TEST

/* Without FLUSH the driver trusts every write that was answered. */
START_TEST(test_write_through)
{
	begin(_i ? BIT(VIRTIO_BLK_F_FLUSH) : 0);
	ck_assert_uint_eq(
		driver_blk_run(&b, VIRTIO_BLK_T_OUT, 0, 512, false, NULL), OK);
	ck_assert_uint_eq(hold.last.flags, _i ? BLK_FUA : 0);
	ck_assert_uint_eq(
		driver_blk_run(&b, VIRTIO_BLK_T_IN, 0, 512, true, NULL), OK);
	ck_assert_uint_eq(hold.last.flags, 0);
	end();
}
END_TEST

/* Header, data and status cut anywhere, in pieces of _i + 1 bytes. */
START_TEST(test_framing)
{
	uint32_t piece = (uint32_t)_i % 16 + 1, len = 512 + 1, at, n = 0;
	struct driver_seg seg[300];
	uint64_t header, in;
	uint8_t *p;

	hold_init(&hold, SECTORS, 512);
	hold.fill = 0x5a;
	driver_blk_init_ring(&b, &hold.dev, 512, 0, _i / 16);
	/* A gap after each piece, so that none is merged. */
	header = driver_alloc(&b.d, 16 * 16, 16);
	for (at = 0; at < 16; at += piece, n++)
		seg[n] = (struct driver_seg){ header + n * 16,
					      16 - at < piece ? 16 - at : piece,
					      false };
	for (at = 0; at < 16; at++) {
		p = driver_blk_at(&b, header + at / piece * 16 + at % piece);
		*p = at == 8 ? 3 : 0;
	}
	in = driver_alloc(&b.d, len * 4, 16);
	memset(driver_blk_at(&b, in), 0xcc, len * 4);
	piece = piece * 8;
	for (at = 0; at < len; at += piece, n++)
		seg[n] = (struct driver_seg){
			in + at * 2, len - at < piece ? len - at : piece, true
		};
	r.head = driver_add(&b.d, DRIVER_INDIRECT, seg, n);
	driver_kick(&b.d);
	ck_assert_uint_eq(driver_blk_wait(&b, &r.used), r.head);
	ck_assert_uint_eq(r.used, len);
	ck_assert_uint_eq(hold.last.sector, 3);
	ck_assert_uint_eq(hold.last.nr_sectors, 1);
	for (at = 0; at < len; at++) {
		p = driver_blk_at(&b, in + at / piece * piece * 2 + at % piece);
		ck_assert_uint_eq(*p, at == len - 1 ? OK : 0x5a);
	}
	end();
}
END_TEST

/* Many requests, few turns, few interrupts: a turn answers all it took. */
START_TEST(test_batch)
{
	unsigned i;

	begin_ring(0, _i);
	ck_assert_uint_eq(
		driver_blk_run(&b, VIRTIO_BLK_T_IN, 0, 512, true, NULL), OK);
	b.d.mem.interrupts = 0;
	driver_want_interrupt(&b.d, true);
	b.shape = DRIVER_INDIRECT;
	for (i = 0; i < 32; i++)
		driver_blk_add(&b, VIRTIO_BLK_T_IN, i, 512, true);
	driver_kick(&b.d);
	for (i = 0; i < 32; i++)
		driver_blk_wait(&b, NULL);
	ck_assert_uint_eq(b.d.mem.interrupts, 1);
	ck_assert_uint_eq(b.stats.polls, 1 + 32 / LOOP_BATCH);
	ck_assert_uint_eq(b.stats.interrupts, 2);
	end();
}
END_TEST

/* What is there before the queue starts needs no kick. */
START_TEST(test_scan_at_start)
{
	begin_ring(0, _i);
	driver_blk_stop(&b);
	driver_reset(&b.d);
	r = driver_blk_add(&b, VIRTIO_BLK_T_IN, 0, 512, true);
	driver_publish(&b.d);
	driver_blk_start(&b);
	ck_assert_uint_eq(driver_blk_wait(&b, NULL), r.head);
	ck_assert_uint_eq(b.stats.kicks, 0);
	end();
}
END_TEST

/* More than one turn's budget, of a driver that never kicks again. */
START_TEST(test_budget)
{
	unsigned i;

	hold_init(&hold, SECTORS, 512);
	driver_blk_init_ring(&b, &hold.dev, 512, 0, _i);
	b.shape = DRIVER_INDIRECT;
	for (i = 0; i < 500; i++)
		driver_blk_add(&b, VIRTIO_BLK_T_FLUSH, 0, 0, false);
	driver_kick(&b.d);
	for (i = 0; i < 500; i++)
		driver_blk_wait(&b, NULL);
	ck_assert_uint_eq(hold.seen[BLK_FLUSH], 500);
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtio_blk");
	TCase *tc = tcase_create("blk");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_write_read, 0, 2 * DRIVER_NR_SHAPES);
	tcase_add_loop_test(tc, test_features, 0, 2);
	tcase_add_test(tc, test_config);
	tcase_add_test(tc, test_bad_params);
	tcase_add_loop_test(tc, test_plain, 0, 2 * NR_PLAIN);
	tcase_add_test(tc, test_block_size);
	tcase_add_test(tc, test_readonly);
	tcase_add_test(tc, test_get_id);
	tcase_add_test(tc, test_failed_read);
	tcase_add_loop_test(tc, test_write_through, 0, 2);
	tcase_add_loop_test(tc, test_framing, 0, 32);
	tcase_add_loop_test(tc, test_batch, 0, 2);
	tcase_add_loop_test(tc, test_scan_at_start, 0, 2);
	tcase_add_loop_test(tc, test_budget, 0, 2);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
