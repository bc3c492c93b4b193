/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The cipher device on a file, as it runs in a volume: what is written comes
 * back, also after the file was closed, and a cut file is errors, no hang.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/file.h"
#include "lib/guard.h"
#include "lib/loop.h"
#include "lib/why.h"
#include "tests/unit/crypt_help.h"

#define SIZE   (8U << 20)
#define OFFSET (1U << 20)
#define DEPTH  32

static const struct place {
	const char *dir;
	enum file_cache cache;
	uint32_t sector_size;
} places[] = {
	{ "/var/tmp", FILE_CACHE_AUTO, 4096 },
	{ "/var/tmp", FILE_CACHE_AUTO, 512 },
	{ "/var/tmp", FILE_CACHE_BUFFERED, 512 },
	{ "/dev/shm", FILE_CACHE_AUTO, 4096 },
};

#define NR_PLACES ((int)(sizeof(places) / sizeof(*places)))

static struct blk_rig rig;
static struct cryptdev_params params;
static uint8_t key[64], *plain, *got;
static char path[64];

static void setup(void)
{
	ck_assert_int_eq(guard_install(), 0);
	fill_bytes(key, sizeof(key), 5);
	plain = malloc(SIZE);
	got = malloc(SIZE);
	fill_bytes(plain, SIZE, 6);
}

static void open_volume(const struct place *p)
{
	const struct file_blk_options opt = { false };
	struct why why = { "" };
	struct blk_dev *file, *dev;
	int fd;

	params = (struct cryptdev_params){
		key, 64, p->sector_size, XTS_IV_PLAIN64, OFFSET, SIZE, false
	};
	ck_assert_int_eq(file_open(path, false, &fd, &why), 0);
	ck_assert_int_eq(
		file_set_cache(fd, path, p->cache, p->sector_size, &why), 0);
	ck_assert_int_eq(file_blk_new(fd, &opt, &file, &why), 0);
	ck_assert_msg(!cryptdev_new(file, &params, &dev, &why), "%s", why.text);
	rig_open(&rig, dev, DEPTH);
}

static void make_image(const struct place *p)
{
	int fd;

	snprintf(path, sizeof(path), "%s/vcrypt-test-XXXXXX", p->dir);
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, OFFSET + SIZE), 0);
	close(fd);
}

START_TEST(test_comes_back)
{
	const struct place *p = &places[_i];
	uint8_t *stored = malloc(SIZE);
	int fd;

	make_image(p);
	open_volume(p);
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, 0, plain, SIZE), 0);
	ck_assert_int_eq(rig_do(&rig, BLK_READ, 0, 0, got, SIZE), 0);
	ck_assert_mem_eq(got, plain, SIZE);
	ck_assert_int_eq(
		rig_do(&rig, BLK_WRITE_ZEROES, BLK_FUA, 16, NULL, 1 << 20), 0);
	memset(plain + 8192, 0, 1 << 20);
	ck_assert_int_eq(rig_do(&rig, BLK_FLUSH, 0, 0, NULL, 0), 0);
	rig_close(&rig);

	fd = open(path, O_RDONLY);
	ck_assert_int_eq(pread(fd, stored, SIZE, OFFSET), SIZE);
	close(fd);
	ref_crypt(&params, false, 0, got, stored, SIZE);
	ck_assert_mem_eq(got, plain, SIZE);

	memset(got, 0, SIZE);
	open_volume(p);
	ck_assert_int_eq(rig_do(&rig, BLK_READ, 0, 0, got, SIZE), 0);
	ck_assert_mem_eq(got, plain, SIZE);
	rig_close(&rig);
	unlink(path);
	free(stored);
}
END_TEST

struct counted {
	struct blk_req req;
	struct iovec iov[2];
	unsigned rounds, bad;
};

static unsigned running, all_rounds;

static void counted_done(struct blk_req *req, int res)
{
	struct counted *c = (struct counted *)req;

	ck_assert(res == 0 || res == -EIO);
	c->bad += !!res;
	if (++all_rounds == 100)
		ck_assert_int_eq(truncate(path, OFFSET + 4096), 0);
	if (++c->rounds < 12)
		blk_submit(rig.queue, req);
	else
		running--;
}

START_TEST(test_truncated_under_load)
{
	const size_t len = SIZE / DEPTH; /* two pieces */
	struct counted c[DEPTH] = { 0 };
	unsigned i, bad = 0;
	struct stat st;

	make_image(&places[_i]);
	open_volume(&places[_i]);
	running = DEPTH;
	for (i = 0; i < DEPTH; i++) {
		c[i].iov[0] = (struct iovec){ plain + i * len, 1000 };
		c[i].iov[1] =
			(struct iovec){ plain + i * len + 1000, len - 1000 };
		c[i].req = (struct blk_req){ .op = i % 2 ? BLK_READ : BLK_WRITE,
					     .tag = i,
					     .sector = i * len / 512,
					     .nr_sectors = len / 512,
					     .iov = c[i].iov,
					     .iovcnt = 2,
					     .end_io = counted_done };
		blk_submit(rig.queue, &c[i].req);
	}
	while (running)
		ck_assert_int_eq(loop_turn(rig.loop, true), 0);
	for (i = 0; i < DEPTH; i++)
		bad += c[i].bad;
	ck_assert_uint_gt(bad, 0);
	ck_assert_int_eq(rig_do(&rig, BLK_FLUSH, 0, 0, NULL, 0), -EIO);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_lt(st.st_size, OFFSET + SIZE);
	rig_close(&rig);
	unlink(path);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cryptdev on a file");
	TCase *tc = tcase_create("file");
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_set_fork_status(sr, CK_FORK);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, test_comes_back, 0, NR_PLACES);
	tcase_add_loop_test(tc, test_truncated_under_load, 0, NR_PLACES);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
