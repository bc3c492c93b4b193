/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* virtio-blk: DISCARD and WRITE_ZEROES, honest and hostile. */
#include <check.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/why.h"
#include "tests/unit/driver_blk.h"
#include "tests/unit/driver_hold.h"

#define BIT(n)	 (1ULL << (n))
#define OK	 VIRTIO_BLK_S_OK
#define IOERR	 VIRTIO_BLK_S_IOERR
#define UNSUPP	 VIRTIO_BLK_S_UNSUPP
#define DISCARD	 VIRTIO_BLK_T_DISCARD
#define ZEROES	 VIRTIO_BLK_T_WRITE_ZEROES
#define SIZE	 64
#define SECTORS	 (4ULL << 21)
#define MAX_SEGS 32
#define NOTHING	 0x99 /* a status that was not written */

typedef struct virtio_blk_discard_write_zeroes segment;

static struct driver_blk b;
static struct hold hold;

static void begin(uint32_t block_size, uint64_t without)
{
	hold_init(&hold, SECTORS, block_size);
	hold.dev.info.discard = true;
	driver_blk_init(&b, &hold.dev, SIZE, without);
}

static void end(void)
{
	driver_blk_free(&b);
}

/* A request with @len bytes of @segments; returns the status. */
static uint8_t run(uint32_t type, const segment *segments, uint32_t len)
{
	struct driver_req r = driver_blk_add(&b, type, 0, len, false);

	*driver_blk_at(&b, r.status) = NOTHING;
	memcpy(driver_blk_at(&b, r.data), segments, len);
	driver_kick(&b.d);
	ck_assert_uint_eq(driver_blk_wait(&b, &r.used), r.head);
	ck_assert_uint_eq(r.used, 1);
	return *driver_blk_at(&b, r.status);
}

static uint8_t run_one(uint32_t type, uint64_t sector, uint32_t nr,
		       uint32_t flags)
{
	const segment s = { sector, nr, flags };

	return run(type, &s, sizeof(s));
}

/* What one segment is answered, with blocks of 512 or 4096 bytes. */
static const struct {
	uint32_t block_size;
	uint32_t type;
	uint64_t sector;
	uint32_t nr, flags;
	uint8_t status;
} single[] = {
	{ 512, DISCARD, 0, 1, 0, OK },
	{ 512, DISCARD, SECTORS - 1, 1, 0, OK },
	{ 512, DISCARD, 0, 1U << 21, 0, OK },
	{ 512, DISCARD, 5, 0, 0, OK },
	{ 512, DISCARD, SECTORS, 0, 0, OK },
	{ 512, DISCARD, 0, (1U << 21) + 1, 0, IOERR },
	{ 512, DISCARD, SECTORS, 1, 0, IOERR },
	{ 512, DISCARD, SECTORS - 1, 2, 0, IOERR },
	{ 512, DISCARD, SECTORS + 1, 0, 0, IOERR },
	{ 512, DISCARD, UINT64_MAX, 1, 0, IOERR },
	{ 512, DISCARD, UINT64_MAX - 7, 8, 0, IOERR },
	{ 512, DISCARD, 0, UINT32_MAX, 0, IOERR },
	{ 512, DISCARD, 0, 8, 1, UNSUPP }, /* unmap */
	{ 512, DISCARD, 0, 8, 2, UNSUPP },
	{ 512, DISCARD, 0, 8, 1U << 31, UNSUPP },
	{ 512, DISCARD, UINT64_MAX, 8, 2, UNSUPP },
	{ 512, ZEROES, 0, 1, 0, OK },
	{ 512, ZEROES, 0, 8, 1, OK }, /* unmap */
	{ 512, ZEROES, 0, 1U << 13, 0, OK },
	{ 512, ZEROES, 0, (1U << 13) + 1, 0, IOERR },
	{ 512, ZEROES, 0, 8, 2, UNSUPP },
	{ 512, ZEROES, 0, 8, 3, UNSUPP },
	{ 512, ZEROES, SECTORS - 1, 2, 0, IOERR },
	{ 4096, DISCARD, 8, 8, 0, OK },
	{ 4096, DISCARD, 1, 8, 0, IOERR },
	{ 4096, DISCARD, 8, 7, 0, IOERR },
	{ 4096, ZEROES, 8, 16, 0, OK },
	{ 4096, ZEROES, 4, 8, 0, IOERR },
	{ 4096, ZEROES, 8, 4, 0, IOERR },
};

START_TEST(test_single)
{
	bool discard = single[_i].type == DISCARD;
	enum blk_op op = discard ? BLK_DISCARD : BLK_WRITE_ZEROES;
	bool ok = single[_i].status == OK;
	const struct vblk_op_stats *stats;

	begin(single[_i].block_size, 0);
	ck_assert_uint_eq(run_one(single[_i].type, single[_i].sector,
				  single[_i].nr, single[_i].flags),
			  single[_i].status);
	ck_assert_uint_eq(hold.seen[op], ok && single[_i].nr ? 1 : 0);
	if (hold.seen[op]) {
		ck_assert_uint_eq(hold.last.sector, single[_i].sector);
		ck_assert_uint_eq(hold.last.nr_sectors, single[_i].nr);
		ck_assert_uint_eq(hold.last.flags, 0);
	}
	stats = &b.stats.op[discard ? VBLK_DISCARD : VBLK_WRITE_ZEROES];
	ck_assert_uint_eq(stats->requests, 1);
	ck_assert_uint_eq(stats->errors, !ok);
	ck_assert_uint_eq(stats->bytes, ok ? single[_i].nr * 512ULL : 0);
	end();
}
END_TEST

/* Lengths of the payload, all of valid segments. */
static const struct {
	uint32_t len;
	uint8_t status;
} lengths[] = {
	{ 0, IOERR },
	{ 1, IOERR },
	{ 15, IOERR },
	{ 16, OK },
	{ 17, IOERR },
	{ 31, IOERR },
	{ 32, OK },
	{ 16 * MAX_SEGS, OK },
	{ 16 * MAX_SEGS + 8, IOERR },
	{ 16 * MAX_SEGS + 16, IOERR },
	{ 65536, IOERR },
};

START_TEST(test_lengths)
{
	static segment segments[4096];
	unsigned i;

	for (i = 0; i < 4096; i++)
		segments[i] = (segment){ i * 16, 8, 0 };
	begin(512, 0);
	ck_assert_uint_eq(run(ZEROES, segments, lengths[_i].len),
			  lengths[_i].status);
	ck_assert_uint_eq(hold.seen[BLK_WRITE_ZEROES],
			  lengths[_i].status == OK ? lengths[_i].len / 16 : 0);
	ck_assert_uint_eq(run(DISCARD, segments, lengths[_i].len),
			  lengths[_i].status);
	ck_assert_uint_eq(hold.seen[BLK_DISCARD],
			  lengths[_i].status == OK ? lengths[_i].len / 16 : 0);
	end();
}
END_TEST

/* Nothing is begun when one segment of many is bad. */
START_TEST(test_all_or_none)
{
	segment segments[8];
	unsigned i;

	begin(512, 0);
	for (i = 0; i < 8; i++)
		segments[i] = (segment){ i, 1, 0 };
	segments[7].sector = SECTORS;
	ck_assert_uint_eq(run(DISCARD, segments, sizeof(segments)), IOERR);
	segments[7].sector = 0;
	segments[7].flags = 4;
	ck_assert_uint_eq(run(DISCARD, segments, sizeof(segments)), UNSUPP);
	ck_assert_uint_eq(hold.seen[BLK_DISCARD], 0);
	end();
}
END_TEST

/* One after the other; the request ends with the last one. */
START_TEST(test_one_at_a_time)
{
	const segment segments[] = { { 10, 1, 0 }, { 20, 2, 0 }, { 30, 3, 0 } };
	struct driver_req r;
	unsigned i;

	begin(512, 0);
	hold.hold = true;
	r = driver_blk_add(&b, ZEROES, 0, sizeof(segments), false);
	memcpy(driver_blk_at(&b, r.data), segments, sizeof(segments));
	driver_kick(&b.d);
	driver_blk_turns(&b, 5);
	/* What the driver does to the segments from here on counts no more. */
	memset(driver_blk_at(&b, r.data), 0xff, sizeof(segments));
	for (i = 0; i < 3; i++) {
		ck_assert_uint_eq(hold.nr_held, 1);
		ck_assert_uint_eq(hold.last.sector, segments[i].sector);
		ck_assert_uint_eq(hold.last.nr_sectors,
				  segments[i].num_sectors);
		hold_end(&hold, 0, 0);
	}
	ck_assert_uint_eq(hold.nr_held, 0);
	ck_assert_uint_eq(driver_blk_wait(&b, &r.used), r.head);
	ck_assert_uint_eq(*driver_blk_at(&b, r.status), OK);
	ck_assert_uint_eq(b.stats.op[VBLK_WRITE_ZEROES].bytes, 6 * 512);
	end();
}
END_TEST

/* The first failure ends it. */
START_TEST(test_failure)
{
	const segment segments[] = { { 10, 1, 0 }, { 20, 2, 0 }, { 30, 3, 0 } };

	begin(512, 0);
	hold.fail_at = 2;
	ck_assert_uint_eq(run(ZEROES, segments, sizeof(segments)), IOERR);
	ck_assert_uint_eq(hold.seen[BLK_WRITE_ZEROES], 2);
	ck_assert_uint_eq(b.stats.op[VBLK_WRITE_ZEROES].errors, 1);
	ck_assert_uint_eq(run(ZEROES, segments, sizeof(segments)), OK);
	end();
}
END_TEST

/* Without FLUSH the driver trusts what was answered. */
START_TEST(test_write_through)
{
	begin(512, BIT(VIRTIO_BLK_F_FLUSH));
	ck_assert_uint_eq(run_one(ZEROES, 0, 8, 1), OK);
	ck_assert_uint_eq(hold.last.flags, BLK_FUA);
	end();
}
END_TEST

/* What the driver did not accept, it cannot use. */
START_TEST(test_not_negotiated)
{
	begin(512, BIT(VIRTIO_BLK_F_DISCARD));
	ck_assert_uint_eq(run_one(DISCARD, 0, 8, 0), UNSUPP);
	ck_assert_uint_eq(run_one(ZEROES, 0, 8, 0), OK);
	end();
	begin(512, BIT(VIRTIO_BLK_F_WRITE_ZEROES));
	ck_assert_uint_eq(run_one(DISCARD, 0, 8, 0), OK);
	ck_assert_uint_eq(run_one(ZEROES, 0, 8, 0), UNSUPP);
	end();
}
END_TEST

static void config_of(bool discard, bool readonly, uint64_t *ret_features,
		      struct virtio_blk_config *ret)
{
	struct vblk_params params = { .nr_queues = 1, .queue_size = 128 };
	struct why why = { "" };
	struct vblk *vblk;

	hold_init(&hold, SECTORS, 512);
	hold.dev.info.discard = discard;
	hold.dev.info.readonly = readonly;
	hold.dev.info.phys_block_size = 8192;
	ck_assert_int_eq(vblk_new(&hold.dev, &params, &vblk, &why), 0);
	*ret_features = vblk_features(vblk);
	vblk_config(vblk, ret, sizeof(*ret));
	vblk_free(vblk);
}

START_TEST(test_config)
{
	struct virtio_blk_config c;
	uint64_t features;

	config_of(true, false, &features, &c);
	ck_assert(features & BIT(VIRTIO_BLK_F_DISCARD));
	ck_assert(features & BIT(VIRTIO_BLK_F_WRITE_ZEROES));
	ck_assert(!(features & BIT(VIRTIO_BLK_F_SECURE_ERASE)));
	ck_assert_uint_eq(c.max_discard_sectors, 1U << 21);
	ck_assert_uint_eq(c.max_discard_seg, MAX_SEGS);
	ck_assert_uint_eq(c.discard_sector_alignment, 16);
	ck_assert_uint_eq(c.max_write_zeroes_sectors, 1U << 13);
	ck_assert_uint_eq(c.max_write_zeroes_seg, MAX_SEGS);
	ck_assert_uint_eq(c.write_zeroes_may_unmap, 0);
	config_of(false, false, &features, &c);
	ck_assert(!(features & BIT(VIRTIO_BLK_F_DISCARD)));
	ck_assert(features & BIT(VIRTIO_BLK_F_WRITE_ZEROES));
	ck_assert_uint_eq(c.max_discard_sectors, 0);
	ck_assert_uint_eq(c.max_discard_seg, 0);
	config_of(true, true, &features, &c);
	ck_assert(!(features & BIT(VIRTIO_BLK_F_DISCARD)));
	ck_assert(!(features & BIT(VIRTIO_BLK_F_WRITE_ZEROES)));
	ck_assert_uint_eq(c.max_write_zeroes_sectors, 0);
}
END_TEST

/* Segments in many pieces, and with room to write besides. */
START_TEST(test_framing)
{
	const struct virtio_blk_outhdr hdr = { .type = DISCARD };
	const segment segments[] = { { 10, 1, 0 }, { 20, 2, 0 } };
	struct driver_seg seg[64];
	uint64_t at, status;
	unsigned n = 0, i;

	begin(512, 0);
	at = driver_alloc(&b.d, 4096, 64);
	memcpy(driver_blk_at(&b, at), &hdr, sizeof(hdr));
	seg[n++] = (struct driver_seg){ at, sizeof(hdr), false };
	for (i = 0; i < sizeof(segments); i++) {
		at += 32;
		*driver_blk_at(&b, at) = ((const uint8_t *)segments)[i];
		seg[n++] = (struct driver_seg){ at, 1, false };
	}
	status = at + 32;
	seg[n++] = (struct driver_seg){ status, 1, true };
	driver_add(&b.d, DRIVER_INDIRECT, seg, n);
	driver_kick(&b.d);
	driver_blk_wait(&b, NULL);
	ck_assert_uint_eq(*driver_blk_at(&b, status), OK);
	ck_assert_uint_eq(hold.last.sector, 20);
	ck_assert_uint_eq(hold.seen[BLK_DISCARD], 2);
	seg[n - 1].len = 16;
	driver_add(&b.d, DRIVER_INDIRECT, seg, n);
	driver_kick(&b.d);
	driver_blk_wait(&b, NULL);
	ck_assert_uint_eq(*driver_blk_at(&b, status + 15), IOERR);
	ck_assert_uint_eq(hold.seen[BLK_DISCARD], 2);
	end();
}
END_TEST

struct flipper {
	atomic_bool stop;
	segment *s;
};

static void *flip(void *arg)
{
	struct flipper *f = arg;
	volatile uint64_t *sector = (volatile uint64_t *)f->s;
	volatile uint32_t *flags = (volatile uint32_t *)f->s + 3;

	while (!atomic_load(&f->stop)) {
		*sector = UINT64_MAX;
		*flags = 0x80;
		*sector = 3;
		*flags = 0;
	}
	return NULL;
}

/* Whatever the driver changes meanwhile, only checked ranges go down. */
START_TEST(test_changing)
{
	struct driver_req r;
	struct flipper f = { 0 };
	pthread_t thread;
	unsigned i;

	begin(512, 0);
	r = driver_blk_add(&b, DISCARD, 0, 16, false);
	f.s = (segment *)driver_blk_at(&b, r.data);
	*f.s = (segment){ 3, 1, 0 };
	ck_assert_int_eq(pthread_create(&thread, NULL, flip, &f), 0);
	driver_kick(&b.d);
	driver_blk_wait(&b, NULL);
	for (i = 0; i < 2000; i++) {
		struct driver_seg seg[] = { { r.header, 16, false },
					    { r.data, 16, false },
					    { r.status, 1, true } };

		hold.last.sector = 3;
		driver_add(&b.d, DRIVER_DIRECT, seg, 3);
		driver_kick(&b.d);
		driver_blk_wait(&b, NULL);
		ck_assert_uint_eq(hold.last.sector, 3);
	}
	atomic_store(&f.stop, true);
	pthread_join(thread, NULL);
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtio_blk_ranges");
	TCase *tc = tcase_create("ranges");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_single, 0,
			    sizeof(single) / sizeof(*single));
	tcase_add_loop_test(tc, test_lengths, 0,
			    sizeof(lengths) / sizeof(*lengths));
	tcase_add_test(tc, test_all_or_none);
	tcase_add_test(tc, test_one_at_a_time);
	tcase_add_test(tc, test_failure);
	tcase_add_test(tc, test_write_through);
	tcase_add_test(tc, test_not_negotiated);
	tcase_add_test(tc, test_config);
	tcase_add_test(tc, test_framing);
	tcase_add_test(tc, test_changing);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
