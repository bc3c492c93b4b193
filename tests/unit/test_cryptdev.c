/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The cipher device, one behaviour at a time: what it is, what each operation
 * stores, errors from below, driver memory that is missing or changes.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/dead.h"
#include "backend/mem.h"
#include "lib/loop.h"
#include "lib/why.h"
#include "tests/unit/crypt_help.h"

#define SIZE (4U << 20)

static const struct cryptdev_params p4096 = { .sector_size = 4096,
					      .iv = XTS_IV_PLAIN64 };
static const struct cryptdev_params p512 = { .sector_size = 512,
					     .iv = XTS_IV_PLAIN64 };

static struct crypt_rig rig;
static uint8_t buf[SIZE], plain[SIZE];

/* --- what it is -------------------------------------------------------- */

static const struct new_row {
	uint32_t lower_block, sector_size, key_bytes;
	uint64_t offset, size;
	int err;
	const char *reason;
} new_rows[] = {
	{ 512, 512, 64, 0, 1 << 20, 0, "" },
	{ 512, 4096, 32, 4096, 4096, 0, "" },
	{ 4096, 4096, 64, 8192, (1 << 20) - 8192, 0, "" },
	{ 4096, 512, 64, 0, 4096, -EINVAL, "buffered" },
	{ 4096, 4096, 64, 512, 4096, -EINVAL, "offset 512" },
	{ 512, 4096, 64, 0, 6144, -EINVAL, "sectors of 4096" },
	{ 512, 512, 64, 0, 0, -EINVAL, "data area" },
	{ 512, 512, 64, 512, 1 << 20, -EINVAL, "has only 1048576" },
	{ 512, 512, 64, 1 << 21, 512, -EINVAL, "has only 1048576" },
	{ 512, 512, 64, 512, UINT64_MAX - 511, -EINVAL, "has only" },
	{ 512, 768, 64, 0, 768, -EINVAL, "sector size 768" },
	{ 512, 512, 24, 0, 512, -EINVAL, "192" },
};

START_TEST(test_new)
{
	const struct new_row *r = &new_rows[_i];
	struct mem_blk_options opt = { .block_size = r->lower_block };
	struct cryptdev_params p = { plain,	     r->key_bytes,
				     r->sector_size, XTS_IV_PLAIN64,
				     r->offset,	     r->size,
				     false };
	struct blk_dev *mem, *dev;
	struct why why = { "" };

	fill_bytes(plain, 64, 3);
	ck_assert_int_eq(mem_blk_new(2048, &opt, &mem), 0);
	ck_assert_int_eq(cryptdev_new(mem, &p, &dev, &why), r->err);
	ck_assert_msg(strstr(why.text, r->reason), "%s", why.text);
	if (r->err) {
		blk_close(mem);
		return;
	}
	ck_assert_uint_eq(dev->info.nr_sectors, r->size / 512);
	ck_assert_uint_eq(dev->info.block_size, r->sector_size);
	ck_assert_uint_eq(dev->info.phys_block_size, 4096);
	ck_assert(!dev->info.discard && !dev->info.readonly);
	blk_close(dev);
}
END_TEST

START_TEST(test_readonly_below)
{
	struct mem_blk_options opt = { .readonly = true };
	struct cryptdev_params p = p512;
	struct blk_dev *mem, *dev;
	struct blk_rig r;

	fill_bytes(plain, 64, 3);
	p.key = plain;
	p.key_bytes = 64;
	p.data_size = 4096;
	p.allow_discards = true;
	ck_assert_int_eq(mem_blk_new(8, &opt, &mem), 0);
	ck_assert_int_eq(cryptdev_new(mem, &p, &dev, NULL), 0);
	ck_assert(dev->info.readonly && !dev->info.discard);
	rig_open(&r, dev, 4);
	ck_assert_int_eq(rig_do(&r, BLK_WRITE, 0, 0, buf, 512), -EROFS);
	ck_assert_int_eq(rig_do(&r, BLK_READ, 0, 0, buf, 512), 0);
	rig_close(&r);
}
END_TEST

/* What a driver is told to prefer has to be aligned in the image as well. */
START_TEST(test_topology)
{
	static const struct {
		uint32_t phys, io_opt;
		uint64_t offset;
		uint32_t want_phys, want_io_opt;
	} rows[] = {
		{ 512, 0, 0, 4096, 0 },
		{ 4096, 1 << 20, 16 << 20, 4096, 1 << 20 },
		{ 16384, 65536, 65536, 16384, 65536 },
		{ 4096, 1 << 20, 1 << 19, 4096, 0 },
		{ 4096, 1000, 16 << 20, 4096, 0 },
	};
	struct cryptdev_params p = { .sector_size = 512, .data_size = 4096 };
	struct blk_info lower = { .nr_sectors = 8, .block_size = 512 }, info;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		lower.phys_block_size = rows[i].phys;
		lower.io_opt = rows[i].io_opt;
		p.data_offset = rows[i].offset;
		cryptdev_info(&lower, &p, &info);
		ck_assert_uint_eq(info.phys_block_size, rows[i].want_phys);
		ck_assert_uint_eq(info.io_opt, rows[i].want_io_opt);
	}
}
END_TEST

/* The data area grows and shrinks, with what is below, while queues exist. */
START_TEST(test_resize)
{
	struct cryptdev_params p = p512;
	struct blk_info info = { .nr_sectors = 24, .block_size = 512 };
	struct blk_dev *lower, *dev;
	struct blk_rig r;

	fill_bytes(plain, 64, 3);
	p.key = plain;
	p.key_bytes = 64;
	p.data_offset = 4096;
	p.data_size = 8192;
	ck_assert_int_eq(dead_blk_new(&info, &lower), 0);
	ck_assert_int_eq(cryptdev_new(lower, &p, &dev, NULL), 0);
	rig_open(&r, dev, 4);
	ck_assert_int_eq(blk_resize(dev, 32), 0);
	ck_assert_uint_eq(blk_nr_sectors(dev), 32);
	ck_assert_uint_eq(blk_nr_sectors(lower), 40);
	/* It reaches the device below, which is dead. */
	ck_assert_int_eq(rig_do(&r, BLK_READ, 0, 31, buf, 512), -EIO);
	ck_assert_int_eq(blk_resize(dev, 8), 0);
	ck_assert_uint_eq(blk_nr_sectors(dev), 8);
	ck_assert_uint_eq(blk_nr_sectors(lower), 16);
	ck_assert_int_eq(blk_resize(dev, 0), -EINVAL);
	ck_assert_int_eq(blk_resize(dev, UINT64_MAX - 1), -EINVAL);
	ck_assert_uint_eq(blk_nr_sectors(dev), 8);
	rig_close(&r);
}
END_TEST

/* What stays below makes what is above stay. */
START_TEST(test_resize_fails)
{
	struct mem_blk_options opt = { 0 };
	struct cryptdev_params p = p512;
	struct blk_dev *mem, *dev;

	fill_bytes(plain, 64, 3);
	p.key = plain;
	p.key_bytes = 64;
	p.data_size = 4096;
	ck_assert_int_eq(mem_blk_new(8, &opt, &mem), 0);
	ck_assert_int_eq(cryptdev_new(mem, &p, &dev, NULL), 0);
	ck_assert_int_eq(blk_resize(dev, 16), -EOPNOTSUPP);
	ck_assert_uint_eq(blk_nr_sectors(dev), 8);
	blk_close(dev);
}
END_TEST

/* --- operations -------------------------------------------------------- */

START_TEST(test_write_read)
{
	crypt_rig_open(&rig, &p4096, SIZE, 8, true);
	fill_bytes(plain, SIZE, 5);
	ck_assert_int_eq(rig_do(&rig.blk, BLK_WRITE, 0, 0, plain, SIZE), 0);
	assert_stored(&rig, 0, plain, SIZE);
	ck_assert_int_eq(rig_do(&rig.blk, BLK_READ, 0, 0, buf, SIZE), 0);
	ck_assert_mem_eq(buf, plain, SIZE);
	crypt_rig_close(&rig);
}
END_TEST

START_TEST(test_nothing_outside_the_area)
{
	uint8_t *front, *before = malloc(RIG_OFFSET);

	crypt_rig_open(&rig, &p512, SIZE, 8, false);
	front = mem_blk_data(rig.mem);
	fill_bytes(front, RIG_OFFSET, 1);
	memcpy(before, front, RIG_OFFSET);
	ck_assert_int_eq(rig_do(&rig.blk, BLK_WRITE, 0, 0, plain, SIZE), 0);
	ck_assert_int_eq(rig_do(&rig.blk, BLK_WRITE, 0, SIZE / 512, plain, 512),
			 -EIO);
	ck_assert_mem_eq(front, before, RIG_OFFSET);
	crypt_rig_close(&rig);
	free(before);
}
END_TEST

START_TEST(test_write_zeroes)
{
	const size_t len = SIZE - 8192;

	crypt_rig_open(&rig, &p4096, SIZE, 8, _i);
	memset(plain, 0, len);
	ck_assert_int_eq(
		rig_do(&rig.blk, BLK_WRITE_ZEROES, BLK_UNMAP, 8, NULL, len), 0);
	assert_stored(&rig, 8, plain, len);
	/* A punched hole would not decrypt to zeroes. */
	ck_assert_uint_eq(rig.fault->count[BLK_WRITE_ZEROES], 0);
	ck_assert_int_eq(rig_do(&rig.blk, BLK_READ, 0, 8, buf, len), 0);
	ck_assert_mem_eq(buf, plain, len);
	ck_assert_uint_eq(rig.data[0], 0);
	ck_assert_uint_eq(rig.data[SIZE - 1], 0);
	crypt_rig_close(&rig);
}
END_TEST

START_TEST(test_flush_and_fua)
{
	crypt_rig_open(&rig, &p4096, SIZE, 8, true);
	ck_assert_int_eq(rig_do(&rig.blk, BLK_FLUSH, 0, 0, NULL, 0), 0);
	ck_assert_uint_eq(rig.fault->count[BLK_FLUSH], 1);
	ck_assert_int_eq(rig_do(&rig.blk, BLK_WRITE, 0, 0, plain, 1 << 20), 0);
	ck_assert_uint_eq(rig.fault->fua, 0);
	ck_assert_int_eq(
		rig_do(&rig.blk, BLK_WRITE, BLK_FUA, 0, plain, 1 << 20), 0);
	ck_assert_uint_gt(rig.fault->fua, 1);
	ck_assert_uint_eq(rig.fault->fua * 2, rig.fault->count[BLK_WRITE]);
	rig.fault->fua = 0;
	ck_assert_int_eq(
		rig_do(&rig.blk, BLK_WRITE_ZEROES, BLK_FUA, 0, NULL, 4096), 0);
	ck_assert_uint_eq(rig.fault->fua, 1);
	crypt_rig_close(&rig);
}
END_TEST

START_TEST(test_discard)
{
	struct cryptdev_params p = p4096;
	int want = _i ? 0 : -EOPNOTSUPP;

	p.allow_discards = _i;
	crypt_rig_open(&rig, &p, SIZE, 8, true);
	ck_assert(rig.blk.dev->info.discard == p.allow_discards);
	memset(rig.data, 1, SIZE);
	ck_assert_int_eq(rig_do(&rig.blk, BLK_DISCARD, 0, 8, NULL, 8192), want);
	ck_assert_uint_eq(rig.fault->count[BLK_DISCARD], _i);
	ck_assert_uint_eq(rig.data[4095], 1);
	ck_assert_uint_eq(rig.data[4096], _i ? 0 : 1);
	ck_assert_uint_eq(rig.data[4096 + 8191], _i ? 0 : 1);
	ck_assert_uint_eq(rig.data[4096 + 8192], 1);
	crypt_rig_close(&rig);
}
END_TEST

START_TEST(test_misaligned)
{
	crypt_rig_open(&rig, &p4096, SIZE, 8, false);
	ck_assert_int_eq(rig_do(&rig.blk, BLK_READ, 0, 1, buf, 4096), -EINVAL);
	ck_assert_int_eq(rig_do(&rig.blk, BLK_WRITE, 0, 0, buf, 512), -EINVAL);
	ck_assert_uint_eq(rig.fault->count[BLK_READ], 0);
	ck_assert_uint_eq(rig.fault->count[BLK_WRITE], 0);
	crypt_rig_close(&rig);
}
END_TEST

/* The IV of sector numbers beyond 32 bits, on a device that is a hole. */
START_TEST(test_iv_beyond_32_bits)
{
	const uint64_t sector = (1ull << 32) - 8;
	struct mem_blk_options opt = { 0 };
	struct cryptdev_params p = { plain, 64, 4096, (enum xts_iv)_i, 0, 0 };
	struct fault_blk *hole;
	struct blk_dev *mem, *dev;
	struct blk_rig r;

	fill_bytes(plain, SIZE, 3);
	p.data_size = (sector + 16) * 512;
	ck_assert_int_eq(mem_blk_new(16, &opt, &mem), 0);
	ck_assert_int_eq(fault_blk_new(mem, &hole), 0);
	hole->hole = sector;
	hole->base.info.nr_sectors += sector;
	ck_assert_int_eq(cryptdev_new(&hole->base, &p, &dev, NULL), 0);
	rig_open(&r, dev, 4);
	ck_assert_int_eq(rig_do(&r, BLK_WRITE, 0, sector, plain, 8192), 0);
	ref_crypt(&p, true, sector, buf, plain, 8192);
	ck_assert_mem_eq(mem_blk_data(mem), buf, 8192);
	rig_close(&r);
}
END_TEST

/* --- errors from below -------------------------------------------------- */

static const struct fail_row {
	enum blk_op op, lower_op;
	unsigned nth;
	size_t len;
	bool reorder;
	int err;
} fail_rows[] = {
	{ BLK_READ, BLK_READ, 1, 4096, false, -EIO },
	{ BLK_READ, BLK_READ, 1, SIZE, false, -ENOSPC },
	{ BLK_READ, BLK_READ, 3, SIZE, true, -EIO },
	{ BLK_READ, BLK_READ, 32, SIZE, true, -EIO },
	{ BLK_WRITE, BLK_WRITE, 1, 4096, false, -ENOSPC },
	{ BLK_WRITE, BLK_WRITE, 2, SIZE, false, -EIO },
	{ BLK_WRITE, BLK_WRITE, 9, SIZE, true, -EIO },
	{ BLK_WRITE, BLK_WRITE, 32, SIZE, true, -EIO },
	{ BLK_WRITE_ZEROES, BLK_WRITE, 1, 4096, true, -EIO },
	{ BLK_WRITE_ZEROES, BLK_WRITE, 5, SIZE, true, -ENOSPC },
	{ BLK_FLUSH, BLK_FLUSH, 1, 0, true, -EIO },
	{ BLK_DISCARD, BLK_DISCARD, 1, SIZE, true, -EIO },
};

START_TEST(test_fails_below)
{
	const struct fail_row *r = &fail_rows[_i];
	bool data = r->op == BLK_READ || r->op == BLK_WRITE;
	struct cryptdev_params p = p4096;
	int only_one, i;

	p.allow_discards = true;
	for (only_one = 0; only_one < 2; only_one++) {
		crypt_rig_open(&rig, &p, SIZE, 8, true);
		rig.fault->op = r->lower_op;
		rig.fault->nth = r->nth;
		rig.fault->only_one = only_one;
		rig.fault->err = r->err;
		rig.fault->reorder = r->reorder;
		ck_assert_int_eq(rig_do(&rig.blk, r->op, 0, 0,
					data ? buf : NULL, r->len),
				 r->err);
		ck_assert_uint_eq(rig.fault->in_flight, 0);
		/* It goes on as if nothing had been. */
		rig.fault->nth = 0;
		fill_bytes(plain, SIZE, 4);
		for (i = 0; i < 3; i++)
			ck_assert_int_eq(rig_do(&rig.blk, BLK_WRITE, 0, 0,
						plain, SIZE),
					 0);
		assert_stored(&rig, 0, plain, SIZE);
		crypt_rig_close(&rig);
	}
}
END_TEST

/* After the first error no more pieces go down. */
START_TEST(test_gives_up_early)
{
	crypt_rig_open(&rig, &p4096, SIZE, 1, false);
	rig.fault->op = BLK_WRITE;
	rig.fault->nth = 3;
	ck_assert_int_eq(rig_do(&rig.blk, BLK_WRITE, 0, 0, plain, SIZE), -EIO);
	ck_assert_uint_eq(rig.fault->count[BLK_WRITE], 3);
	crypt_rig_close(&rig);
}
END_TEST

/* --- driver memory ------------------------------------------------------ */

/* @len bytes of which only the first @there exist. */
static uint8_t *missing_pages(size_t len, size_t there)
{
	int fd = memfd_create("driver", MFD_CLOEXEC);
	uint8_t *p;

	ck_assert_int_eq(ftruncate(fd, (off_t)len), 0);
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(p, MAP_FAILED);
	ck_assert_int_eq(ftruncate(fd, (off_t)there), 0);
	close(fd);
	return p;
}

static const struct missing_row {
	size_t len, there;
	size_t shift; /* of the segments against the sectors */
} missing_rows[] = {
	{ 8192, 0, 0 },
	{ 8192, 4096, 0 },
	{ 8192, 4096, 100 },
	{ SIZE, 0, 0 },
	{ SIZE, SIZE - 4096, 0 },
	{ SIZE, SIZE / 2, 1 },
	{ SIZE, SIZE - 4096, 2048 },
};

START_TEST(test_missing_memory)
{
	const struct missing_row *r = &missing_rows[_i];
	uint8_t *p = missing_pages(SIZE, r->there), head[4096];
	struct iovec iov[2] = { { head, r->shift }, { p, r->len - r->shift } };
	struct blk_req req = { .nr_sectors = r->len / 512,
			       .iov = iov,
			       .iovcnt = 2 };
	int op;

	crypt_rig_open(&rig, &p512, SIZE, 4, true);
	rig.fault->reorder = true;
	for (op = BLK_READ; op <= BLK_WRITE; op++) {
		req.op = op;
		ck_assert_int_eq(rig_run(&rig.blk, &req), -EFAULT);
		ck_assert_uint_eq(rig.fault->in_flight, 0);
	}
	fill_bytes(plain, SIZE, 4);
	ck_assert_int_eq(rig_do(&rig.blk, BLK_WRITE, 0, 0, plain, SIZE), 0);
	ck_assert_int_eq(rig_do(&rig.blk, BLK_READ, 0, 0, buf, SIZE), 0);
	ck_assert_mem_eq(buf, plain, SIZE);
	crypt_rig_close(&rig);
	munmap(p, SIZE);
}
END_TEST

static void note_end(struct blk_req *req, int res)
{
	ck_assert_int_eq(res, 0);
	req->nr_sectors = 0;
}

/* The driver changes its buffer after the request was taken. */
START_TEST(test_changed_in_flight)
{
	uint8_t *driver = malloc(65536);
	struct iovec iov = { driver, 65536 };
	struct blk_req req = { .op = BLK_WRITE,
			       .nr_sectors = 128,
			       .iov = &iov,
			       .iovcnt = 1,
			       .end_io = note_end };

	crypt_rig_open(&rig, &p4096, SIZE, 4, true);
	fill_bytes(driver, 65536, 11);
	memcpy(plain, driver, 65536);
	rig.fault->hold = true;
	blk_submit(rig.blk.queue, &req);
	memset(driver, 0, 65536);
	ck_assert_int_eq(loop_turn(rig.blk.loop, false), 0);
	rig.fault->hold = false;
	while (req.nr_sectors)
		ck_assert_int_eq(loop_turn(rig.blk.loop, false), 0);
	assert_stored(&rig, 0, plain, 65536);
	crypt_rig_close(&rig);
	free(driver);
}
END_TEST

/* A read that waits for the disk shows the driver nothing of it. */
START_TEST(test_read_shows_no_ciphertext)
{
	struct iovec iov = { buf, 65536 };
	struct blk_req req = { .op = BLK_READ,
			       .nr_sectors = 128,
			       .iov = &iov,
			       .iovcnt = 1,
			       .end_io = note_end };

	crypt_rig_open(&rig, &p4096, SIZE, 4, true);
	fill_bytes(plain, 65536, 11);
	ck_assert_int_eq(rig_do(&rig.blk, BLK_WRITE, 0, 0, plain, 65536), 0);
	memset(buf, 0x77, 65536);
	rig.fault->hold = true;
	blk_submit(rig.blk.queue, &req);
	ck_assert_int_eq(loop_turn(rig.blk.loop, false), 0);
	ck_assert_uint_eq(buf[0], 0x77);
	ck_assert(!memcmp(buf, buf + 1, 65535));
	rig.fault->hold = false;
	while (req.nr_sectors)
		ck_assert_int_eq(loop_turn(rig.blk.loop, false), 0);
	ck_assert_mem_eq(buf, plain, 65536);
	crypt_rig_close(&rig);
}
END_TEST

#define ROWS(t) ((int)(sizeof(t) / sizeof(*(t))))

int main(void)
{
	Suite *s = suite_create("cryptdev");
	TCase *tc = tcase_create("cryptdev");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_new, 0, ROWS(new_rows));
	tcase_add_test(tc, test_readonly_below);
	tcase_add_test(tc, test_topology);
	tcase_add_test(tc, test_resize);
	tcase_add_test(tc, test_resize_fails);
	tcase_add_test(tc, test_write_read);
	tcase_add_test(tc, test_nothing_outside_the_area);
	tcase_add_loop_test(tc, test_write_zeroes, 0, 2);
	tcase_add_test(tc, test_flush_and_fua);
	tcase_add_loop_test(tc, test_discard, 0, 2);
	tcase_add_test(tc, test_misaligned);
	tcase_add_loop_test(tc, test_iv_beyond_32_bits, 0, 2);
	tcase_add_loop_test(tc, test_fails_below, 0, ROWS(fail_rows));
	tcase_add_test(tc, test_gives_up_early);
	tcase_add_loop_test(tc, test_missing_memory, 0, ROWS(missing_rows));
	tcase_add_test(tc, test_changed_in_flight);
	tcase_add_test(tc, test_read_shows_no_ciphertext);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
