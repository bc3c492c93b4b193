/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The file device on real files, through the page cache and around it, on a
 * disk and on tmpfs: what each operation does.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "backend/file_queue.h"
#include "lib/loop.h"
#include "lib/why.h"
#include "tests/unit/file_rig.h"

static struct file_rig f;

static void setup(void)
{
	file_rig_init(&f);
}

START_TEST(test_info)
{
	file_rig_open(&f, &file_places[_i]);
	ck_assert_uint_eq(f.blk.dev->info.nr_sectors, FILE_RIG_SIZE / 512);
	ck_assert(f.blk.dev->info.block_size == 512 ||
		  f.blk.dev->info.block_size == 4096);
	ck_assert(!f.blk.dev->info.readonly);
	if (file_places[_i].cache == FILE_CACHE_BUFFERED)
		ck_assert_str_eq(f.blk.dev->info.cache, "buffered");
	file_rig_close(&f);
}
END_TEST

START_TEST(test_write_read)
{
	struct iovec iov[] = { { f.plain, 4096 },
			       { f.plain + 4096, 0 },
			       { f.plain + 4096, 8192 },
			       { f.plain + 12288, FILE_RIG_SIZE / 2 - 12288 },
			       { f.plain, 0 } };
	struct blk_req req = { .op = BLK_WRITE,
			       .sector = 8,
			       .nr_sectors = FILE_RIG_SIZE / 2 / 512,
			       .iov = iov,
			       .iovcnt = 5 };
	int i;

	file_rig_open(&f, &file_places[_i]);
	ck_assert_int_eq(
		rig_do(&f.blk, BLK_WRITE, 0, 0, f.plain, FILE_RIG_SIZE), 0);
	file_rig_assert(&f, 0, f.plain, FILE_RIG_SIZE);
	req.flags = BLK_FUA;
	ck_assert_int_eq(rig_run(&f.blk, &req), 0);
	file_rig_assert(&f, 4096, f.plain, FILE_RIG_SIZE / 2);
	for (i = 0; i < 5; i++)
		iov[i].iov_base = (uint8_t *)iov[i].iov_base - FILE_RIG_SIZE;
	req.op = BLK_READ;
	req.flags = 0;
	ck_assert_int_eq(rig_run(&f.blk, &req), 0);
	ck_assert_mem_eq(f.buf, f.plain, FILE_RIG_SIZE / 2);
	ck_assert_int_eq(rig_do(&f.blk, BLK_READ, 0, FILE_RIG_SIZE / 512 - 8,
				f.buf, 4096),
			 0);
	ck_assert_mem_eq(f.buf, f.plain + FILE_RIG_SIZE - 4096, 4096);
	ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, BLK_FUA, 0, f.buf, 4096), 0);
	file_rig_assert(&f, 0, f.buf, 4096);
	ck_assert_int_eq(rig_do(&f.blk, BLK_FLUSH, 0, 0, NULL, 0), 0);
	ck_assert_int_eq(file_rig_size(&f), FILE_RIG_SIZE);
	file_rig_close(&f);
}
END_TEST

/* More segments than one readv(2) takes. */
START_TEST(test_many_segments)
{
	enum {
		NR = 2000
	};
	struct iovec *iov = calloc(NR, sizeof(*iov));
	struct blk_req req = {
		.op = BLK_WRITE, .nr_sectors = NR, .iov = iov, .iovcnt = NR
	};
	unsigned i;

	for (i = 0; i < NR; i++)
		iov[i] = (struct iovec){ f.plain + 512 * i, 512 };
	file_rig_open(&f, &file_places[0]);
	ck_assert_int_eq(rig_run(&f.blk, &req), 0);
	file_rig_assert(&f, 0, f.plain, NR * 512);
	for (i = 0; i < NR; i++)
		iov[i].iov_base = f.buf + 512 * i;
	req.op = BLK_READ;
	ck_assert_int_eq(rig_run(&f.blk, &req), 0);
	ck_assert_mem_eq(f.buf, f.plain, NR * 512);
	file_rig_close(&f);
	free(iov);
}
END_TEST

START_TEST(test_zeroes)
{
	const unsigned flags[] = { 0, BLK_FUA, BLK_UNMAP, BLK_UNMAP | BLK_FUA };
	unsigned i;

	file_rig_open(&f, &file_places[_i]);
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, 0, 0, f.plain,
					FILE_RIG_SIZE),
				 0);
		memset(f.buf, 0, FILE_RIG_SIZE);
		ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE_ZEROES, flags[i], 8,
					NULL, FILE_RIG_SIZE / 2),
				 0);
		file_rig_assert(&f, 0, f.plain, 4096);
		file_rig_assert(&f, 4096, f.buf, FILE_RIG_SIZE / 2);
		file_rig_assert(&f, 4096 + FILE_RIG_SIZE / 2,
				f.plain + 4096 + FILE_RIG_SIZE / 2,
				FILE_RIG_SIZE / 2 - 4096);
		ck_assert_int_eq(file_rig_size(&f), FILE_RIG_SIZE);
	}
	file_rig_close(&f);
}
END_TEST

START_TEST(test_discard)
{
	struct stat before, after;

	file_rig_open(&f, &file_places[_i]);
	if (f.blk.dev->info.discard) {
		ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, BLK_FUA, 0, f.plain,
					FILE_RIG_SIZE),
				 0);
		fstat(f.peek, &before);
		ck_assert_int_eq(rig_do(&f.blk, BLK_DISCARD, 0, 128, NULL,
					FILE_RIG_SIZE / 2),
				 0);
		fstat(f.peek, &after);
		ck_assert_int_lt(after.st_blocks, before.st_blocks);
		ck_assert_int_eq(after.st_size, FILE_RIG_SIZE);
		file_rig_assert(&f, 0, f.plain, 65536);
	}
	file_rig_close(&f);
}
END_TEST

/* A file that grew, and one that was cut and then followed. */
START_TEST(test_resize)
{
	file_rig_open(&f, &file_places[_i]);
	ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, 0, FILE_RIG_SIZE / 512,
				f.plain, 4096),
			 -EIO);
	ck_assert_int_eq(ftruncate(f.peek, 2 * FILE_RIG_SIZE), 0);
	ck_assert_int_eq(blk_resize(f.blk.dev, 2 * FILE_RIG_SIZE / 512), 0);
	ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, BLK_FUA, FILE_RIG_SIZE / 512,
				f.plain, 4096),
			 0);
	file_rig_assert(&f, FILE_RIG_SIZE, f.plain, 4096);
	/* It is found out: nothing is written any more ... */
	ck_assert_int_eq(ftruncate(f.peek, FILE_RIG_SIZE), 0);
	ck_assert_int_eq(rig_do(&f.blk, BLK_FLUSH, 0, 0, NULL, 0), -EIO);
	ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, 0, 0, f.plain, 4096), -EIO);
	/* ... until somebody says that it is meant. */
	ck_assert_int_eq(blk_resize(f.blk.dev, FILE_RIG_SIZE / 512), 0);
	ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, 0, 0, f.plain, 4096), 0);
	ck_assert_int_eq(rig_do(&f.blk, BLK_FLUSH, 0, 0, NULL, 0), 0);
	ck_assert_int_eq(file_rig_size(&f), FILE_RIG_SIZE);
	file_rig_close(&f);
}
END_TEST

/* What it would be is what it is. */
START_TEST(test_probe)
{
	const struct file_blk_options opt = { .readonly = _i };
	struct blk_info info;
	struct blk_dev *dev;
	struct why why = { "" };

	file_rig_make(&f, "/var/tmp", FILE_RIG_SIZE);
	ck_assert_int_eq(file_blk_probe(f.peek, &opt, &info, &why), 0);
	ck_assert_int_eq(file_blk_new(dup(f.peek), &opt, &dev, &why), 0);
	ck_assert_uint_eq(info.nr_sectors, dev->info.nr_sectors);
	ck_assert_uint_eq(info.block_size, dev->info.block_size);
	ck_assert_uint_eq(info.phys_block_size, dev->info.phys_block_size);
	ck_assert_uint_eq(info.io_opt, dev->info.io_opt);
	ck_assert(info.readonly == dev->info.readonly && info.readonly == _i);
	ck_assert(info.discard == dev->info.discard);
	blk_close(dev);
	ck_assert_int_eq(ftruncate(f.peek, 100), 0);
	info.nr_sectors = 77;
	ck_assert_int_eq(file_blk_probe(f.peek, &opt, &info, &why), -EINVAL);
	ck_assert_uint_eq(info.nr_sectors, 77);
	close(f.peek);
	unlink(f.path);
}
END_TEST

/* --- what it is made from ----------------------------------------------- */

START_TEST(test_readonly)
{
	const struct file_blk_options ro = { .readonly = true };
	struct blk_dev *dev;
	int i;

	file_rig_make(&f, "/var/tmp", FILE_RIG_SIZE);
	for (i = 0; i < 2; i++) {
		if (i)
			dev = file_rig_dev(&f, FILE_CACHE_AUTO, true);
		else
			ck_assert_int_eq(
				file_blk_new(dup(f.peek), &ro, &dev, NULL), 0);
		ck_assert(dev->info.readonly && !dev->info.discard);
		rig_open(&f.blk, dev, 4);
		ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, 0, 0, f.buf, 4096),
				 -EROFS);
		ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE_ZEROES, 0, 0, NULL,
					4096),
				 -EROFS);
		ck_assert_int_eq(rig_do(&f.blk, BLK_READ, 0, 0, f.buf, 4096),
				 0);
		ck_assert_int_eq(rig_do(&f.blk, BLK_FLUSH, 0, 0, NULL, 0), 0);
		rig_close(&f.blk);
	}
	close(f.peek);
	unlink(f.path);
}
END_TEST

START_TEST(test_refused)
{
	const struct file_blk_options opt = { false };
	struct blk_dev *dev = (struct blk_dev *)f.buf;
	struct why why = { "" };
	int fds[2], fd;

	ck_assert_int_eq(file_blk_new(-1, &opt, &dev, &why), -EBADF);
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(file_blk_new(fds[0], &opt, &dev, &why), -EINVAL);
	fd = open("/dev/zero", O_RDWR);
	ck_assert_int_eq(file_blk_new(fd, &opt, &dev, &why), -EINVAL);
	close(fd);
	file_rig_make(&f, "/var/tmp", 511);
	ck_assert_int_eq(file_blk_new(f.peek, &opt, &dev, &why), -EINVAL);
	ck_assert_msg(strstr(why.text, "smaller"), "%s", why.text);
	fd = open(f.path, O_WRONLY);
	ck_assert_int_eq(file_blk_new(fd, &opt, &dev, &why), -EINVAL);
	close(fd);
	/* It was left open. */
	ck_assert_int_eq(file_rig_size(&f), 511);
	ck_assert_ptr_eq(dev, f.buf);
	close(f.peek);
	unlink(f.path);
}
END_TEST

/* Half a sector at the end is not served. */
START_TEST(test_odd_size)
{
	file_rig_make(&f, "/var/tmp", 12288 + 700);
	rig_open(&f.blk, file_rig_dev(&f, FILE_CACHE_BUFFERED, false), 4);
	ck_assert_uint_eq(f.blk.dev->info.nr_sectors, 25);
	ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, 0, 24, f.plain, 512), 0);
	ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, 0, 25, f.plain, 512), -EIO);
	ck_assert_int_eq(file_rig_size(&f), 12288 + 700);
	file_rig_close(&f);
}
END_TEST

static unsigned nr_ended;

static void ended(struct blk_req *req, int res)
{
	ck_assert_int_eq(res, 0);
	nr_ended++;
}

static int flags_of(const struct file_rig *rig)
{
	return fcntl(((const struct file_dev *)rig->blk.dev)->fd, F_GETFL);
}

/*
 * What needs no waiting is done within the turn; elsewhere the descriptor stays
 * as it was, or it would be tried and wait.
 */
START_TEST(test_at_once)
{
	struct iovec iov[2] = { { f.plain, 4096 }, { f.plain + 99, 1024 } };
	struct blk_req req[2] = { { .op = BLK_WRITE,
				    .sector = 8,
				    .nr_sectors = 8,
				    .iov = &iov[0],
				    .iovcnt = 1,
				    .end_io = ended },
				  { .op = BLK_WRITE,
				    .flags = BLK_FUA,
				    .tag = 1,
				    .sector = 32,
				    .nr_sectors = 2,
				    .iov = &iov[1],
				    .iovcnt = 1,
				    .end_io = ended } };
	struct statfs fs;
	bool at_once;

	file_rig_open(&f, &file_places[_i]);
	ck_assert_int_eq(fstatfs(f.peek, &fs), 0);
	at_once = fs.f_type == TMPFS_MAGIC && flags_of(&f) & O_DIRECT;
	ck_assert_int_eq(!!(flags_of(&f) & O_NONBLOCK), at_once);
	nr_ended = 0;
	blk_submit(f.blk.queue, &req[0]);
	blk_submit(f.blk.queue, &req[1]);
	ck_assert_uint_eq(nr_ended, 0);
	ck_assert_int_eq(loop_turn(f.blk.loop, false), 0);
	ck_assert(!at_once || nr_ended == 2);
	while (nr_ended < 2)
		ck_assert_int_eq(loop_turn(f.blk.loop, true), 0);
	file_rig_assert(&f, 4096, f.plain, 4096);
	file_rig_assert(&f, 16384, f.plain + 99, 1024);
	file_rig_close(&f);
}
END_TEST

/* A request that is followed by a flush is part of what is flushed. */
START_TEST(test_then_flush)
{
	struct iovec iov = { f.plain, 4096 };
	struct blk_req req[2] = {
		{ .op = BLK_WRITE,
		  .nr_sectors = 8,
		  .iov = &iov,
		  .iovcnt = 1,
		  .end_io = ended },
		{ .op = BLK_FLUSH, .tag = 1, .end_io = ended }
	};

	file_rig_open(&f, &file_places[_i]);
	blk_submit(f.blk.queue, &req[0]);
	blk_submit(f.blk.queue, &req[1]);
	while (nr_ended < 2)
		ck_assert_int_eq(loop_turn(f.blk.loop, true), 0);
	file_rig_assert(&f, 0, f.plain, 4096);
	file_rig_close(&f);
}
END_TEST

/* Its node is on a file system in memory; what it does is done elsewhere. */
START_TEST(test_block_device)
{
	const struct file_blk_options options = { .readonly = true };
	struct why why = { "" };
	struct blk_info info;
	int fd = open(getenv("BLOCK_DEVICE"), O_RDONLY | O_DIRECT | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_msg(!file_blk_probe(fd, &options, &info, &why), "%s",
		      why.text);
	ck_assert(info.by_device);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("file");
	TCase *tc = tcase_create("file");
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_set_fork_status(sr, CK_FORK);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, test_info, 0, NR_FILE_PLACES);
	tcase_add_loop_test(tc, test_write_read, 0, NR_FILE_PLACES);
	tcase_add_test(tc, test_many_segments);
	tcase_add_loop_test(tc, test_zeroes, 0, NR_FILE_PLACES);
	tcase_add_loop_test(tc, test_discard, 0, NR_FILE_PLACES);
	tcase_add_loop_test(tc, test_resize, 0, NR_FILE_PLACES);
	tcase_add_loop_test(tc, test_probe, 0, 2);
	tcase_add_test(tc, test_readonly);
	tcase_add_test(tc, test_refused);
	tcase_add_test(tc, test_odd_size);
	tcase_add_loop_test(tc, test_at_once, 0, NR_FILE_PLACES);
	tcase_add_loop_test(tc, test_then_flush, 0, NR_FILE_PLACES);
	suite_add_tcase(s, tc);
	/* Where there is one: see tests/vm/test_block_device.sh. */
	if (getenv("BLOCK_DEVICE")) {
		tc = tcase_create("block device");
		tcase_add_test(tc, test_block_device);
		suite_add_tcase(s, tc);
	}
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
