/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The file device in trouble: short transfers, full and truncated files.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/loop.h"
#include "tests/unit/file_rig.h"

static struct file_rig f;

static void setup(void)
{
	file_rig_init(&f);
}

START_TEST(test_truncated)
{
	file_rig_open(&f, &file_places[_i]);
	ck_assert_int_eq(
		rig_do(&f.blk, BLK_WRITE, 0, 0, f.plain, FILE_RIG_SIZE), 0);
	ck_assert_int_eq(ftruncate(f.peek, FILE_RIG_SIZE / 2), 0);
	ck_assert_int_eq(
		rig_do(&f.blk, BLK_READ, 0, 0, f.buf, FILE_RIG_SIZE / 2), 0);
	ck_assert_mem_eq(f.buf, f.plain, FILE_RIG_SIZE / 2);
	/* Across the new end, and behind it. */
	ck_assert_int_eq(rig_do(&f.blk, BLK_READ, 0, 0, f.buf, FILE_RIG_SIZE),
			 -EIO);
	ck_assert_int_eq(rig_do(&f.blk, BLK_READ, 0, FILE_RIG_SIZE / 512 - 8,
				f.buf, 4096),
			 -EIO);
	/* From now on nothing makes it grow again. */
	ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, 0, FILE_RIG_SIZE / 512 - 8,
				f.buf, 4096),
			 -EIO);
	ck_assert_int_eq(rig_do(&f.blk, BLK_FLUSH, 0, 0, NULL, 0), -EIO);
	ck_assert_int_eq(file_rig_size(&f), FILE_RIG_SIZE / 2);
	file_rig_close(&f);
}
END_TEST

START_TEST(test_flush_finds_truncation)
{
	file_rig_open(&f, &file_places[_i]);
	ck_assert_int_eq(ftruncate(f.peek, 0), 0);
	ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, 0, 0, f.plain, 4096), 0);
	ck_assert_int_eq(rig_do(&f.blk, BLK_FLUSH, 0, 0, NULL, 0), -EIO);
	file_rig_close(&f);
}
END_TEST

struct counted {
	struct blk_req req;
	struct iovec iov;
	unsigned rounds, good, bad;
};

static unsigned running, all_rounds;

static void counted_done(struct blk_req *req, int res)
{
	struct counted *c = (struct counted *)req;

	ck_assert(res == 0 || res == -EIO);
	c->good += !res;
	c->bad += !!res;
	if (++all_rounds == 1000)
		ck_assert_int_eq(ftruncate(f.peek, 0), 0);
	if (++c->rounds < 200)
		blk_submit(f.blk.queue, req);
	else
		running--;
}

START_TEST(test_truncated_under_load)
{
	struct counted c[FILE_RIG_DEPTH] = { 0 };
	unsigned i, good = 0, bad = 0;

	file_rig_open(&f, &file_places[_i]);
	running = FILE_RIG_DEPTH;
	for (i = 0; i < FILE_RIG_DEPTH; i++) {
		c[i].iov = (struct iovec){ f.buf + i * 4096, 4096 };
		c[i].req = (struct blk_req){ .op = i % 4 ? BLK_READ : BLK_WRITE,
					     .tag = i,
					     .sector = i * 8 *
						       (FILE_RIG_SIZE / 4096 /
							FILE_RIG_DEPTH),
					     .nr_sectors = 8,
					     .iov = &c[i].iov,
					     .iovcnt = 1,
					     .end_io = counted_done };
		blk_submit(f.blk.queue, &c[i].req);
	}
	while (running)
		ck_assert_int_eq(loop_turn(f.blk.loop, true), 0);
	for (i = 0; i < FILE_RIG_DEPTH; i++) {
		good += c[i].good;
		bad += c[i].bad;
	}
	ck_assert_uint_eq(good + bad, FILE_RIG_DEPTH * 200);
	ck_assert_uint_gt(bad, 0);
	file_rig_close(&f);
}
END_TEST

/* Memory that ends in the middle stops a transfer there. */
START_TEST(test_short_by_memory)
{
	struct iovec iov[2] = { { f.buf, 8192 },
				{ f.buf + 8192, FILE_RIG_SIZE - 8192 } };
	struct blk_req req = { .nr_sectors = FILE_RIG_SIZE / 512,
			       .iov = iov,
			       .iovcnt = 2 };
	const struct file_place unregistered = { "/dev/shm",
						 FILE_CACHE_BUFFERED, false };
	int i, op;

	for (i = 0; i < 2; i++) {
		file_rig_open(&f, &unregistered);
		ck_assert_int_eq(munmap(f.buf + FILE_RIG_SIZE / 2,
					FILE_RIG_SIZE / 2),
				 0);
		req.iovcnt = i ? 2 : 1;
		iov[0].iov_len = i ? 8192 : FILE_RIG_SIZE;
		for (op = BLK_READ; op <= BLK_WRITE; op++) {
			req.op = op;
			ck_assert_int_eq(rig_run(&f.blk, &req), -EFAULT);
		}
		ck_assert_ptr_ne(mmap(f.buf + FILE_RIG_SIZE / 2,
				      FILE_RIG_SIZE / 2, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				      -1, 0),
				 MAP_FAILED);
		file_rig_close(&f);
	}
}
END_TEST

/* A limit of the process stops a write in the middle. */
START_TEST(test_short_by_limit)
{
	const struct rlimit limit = { 300000, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	file_rig_open(&f, &file_places[2]);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, 0, 0, f.plain,
				FILE_RIG_SIZE),
			 -EFBIG);
	file_rig_assert(&f, 0, f.plain, 300000);
	ck_assert_int_eq(rig_do(&f.blk, BLK_READ, 0, 0, f.buf, FILE_RIG_SIZE),
			 0);
	ck_assert_mem_eq(f.buf, f.plain, 300000);
	file_rig_close(&f);
}
END_TEST

/* The same where it is done at once, in memory. */
START_TEST(test_short_at_once)
{
	const struct rlimit limit = { 6000, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	file_rig_open(&f, &file_places[3]);
	ck_assert_int_eq(mprotect(f.buf + 4096, 4096, PROT_NONE), 0);
	ck_assert_int_eq(rig_do(&f.blk, BLK_READ, 0, 0, f.buf, 8192), -EFAULT);
	ck_assert_int_eq(mprotect(f.buf + 4096, 4096, PROT_READ | PROT_WRITE),
			 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, 0, 0, f.plain, 8192),
			 -EFBIG);
	file_rig_assert(&f, 0, f.plain, 6000);
	ck_assert_int_eq(ftruncate(f.peek, 6144), 0);
	ck_assert_int_eq(rig_do(&f.blk, BLK_READ, 0, 0, f.buf, 8192), -EIO);
	ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, 0, 0, f.plain, 512), -EIO);
	ck_assert_int_eq(rig_do(&f.blk, BLK_READ, 0, 0, f.buf, 6144), 0);
	ck_assert_mem_eq(f.buf, f.plain, 6000);
	file_rig_close(&f);
}
END_TEST

/* --- transfers that are short, and then go on ---------------------------- */

#define STOP (74 * 4096) /* where the first transfer ends */

/* Lengths of the segments, the last of them is what is left. */
static const size_t cuts[][3] = {
	{ FILE_RIG_SIZE },
	{ 8192, FILE_RIG_SIZE - 8192 },
	{ STOP, FILE_RIG_SIZE - STOP },
	{ STOP + 4096, 4096, FILE_RIG_SIZE - STOP - 8192 },
};

#define NR_CUTS ((int)(sizeof(cuts) / sizeof(*cuts)))

static int ended_with;

static void short_done(struct blk_req *req, int res)
{
	ck_assert_int_eq(ended_with, 1);
	ended_with = res;
}

/*
 * The request whose first transfer stops short: the rest is on its way when
 * the first turn of the loop is over, and @go_on is called, but not in the
 * kernel yet.
 */
static void run_short(enum blk_op op, uint8_t *data, const size_t *cut,
		      void (*go_on)(void))
{
	struct iovec iov[3];
	struct blk_req req = { .op = op,
			       .nr_sectors = FILE_RIG_SIZE / 512,
			       .iov = iov,
			       .end_io = short_done };
	int i;

	for (i = 0; i < 3 && cut[i]; i++) {
		iov[i] = (struct iovec){ data, cut[i] };
		data += cut[i];
	}
	req.iovcnt = i;
	ended_with = 1;
	blk_submit(f.blk.queue, &req);
	ck_assert_int_eq(loop_turn(f.blk.loop, true), 0);
	ck_assert_int_eq(ended_with, 1);
	go_on();
	while (ended_with == 1)
		ck_assert_int_eq(loop_turn(f.blk.loop, true), 0);
	ck_assert_int_eq(ended_with, 0);
}

static void lift_limit(void)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };

	file_rig_assert(&f, 0, f.plain, STOP);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
}

START_TEST(test_short_write_goes_on)
{
	const struct rlimit limit = { STOP, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	file_rig_open(&f, &file_places[_i / NR_CUTS]);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	run_short(BLK_WRITE, f.plain, cuts[_i % NR_CUTS], lift_limit);
	file_rig_assert(&f, 0, f.plain, FILE_RIG_SIZE);
	file_rig_close(&f);
}
END_TEST

static void grow_back(void)
{
	ck_assert_mem_eq(f.buf, f.plain, STOP);
	ck_assert_int_eq(pwrite(f.peek, f.plain + STOP, FILE_RIG_SIZE - STOP,
				STOP),
			 FILE_RIG_SIZE - STOP);
}

START_TEST(test_short_read_goes_on)
{
	file_rig_open(&f, &file_places[_i / NR_CUTS]);
	ck_assert_int_eq(pwrite(f.peek, f.plain, FILE_RIG_SIZE, 0),
			 FILE_RIG_SIZE);
	ck_assert_int_eq(ftruncate(f.peek, STOP), 0);
	run_short(BLK_READ, f.buf, cuts[_i % NR_CUTS], grow_back);
	ck_assert_mem_eq(f.buf, f.plain, FILE_RIG_SIZE);
	/* It was never found to be cut. */
	ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, 0, 0, f.plain, 4096), 0);
	file_rig_close(&f);
}
END_TEST

static void write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		perror(name);
	close(fd);
}

/* A tmpfs of 256 KiB that only this process sees. */
static bool mount_small(void)
{
	unsigned uid = getuid(), gid = getgid();
	char map[32];

	if (uid && unshare(CLONE_NEWUSER))
		return false;
	if (uid) {
		snprintf(map, sizeof(map), "0 %u 1", uid);
		write_file("/proc/self/uid_map", map);
		write_file("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "0 %u 1", gid);
		write_file("/proc/self/gid_map", map);
	}
	return !unshare(CLONE_NEWNS) &&
	       !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("small", "/var/tmp", "tmpfs", 0, "size=256k");
}

START_TEST(test_full)
{
	const struct file_place small = {
		"/var/tmp", _i ? FILE_CACHE_AUTO : FILE_CACHE_BUFFERED, false
	};

	if (!mount_small()) {
		printf("skipped: a full file system: no right to mount\n");
		return;
	}
	file_rig_open(&f, &small);
	ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, 0, 0, f.plain,
				FILE_RIG_SIZE),
			 -ENOSPC);
	/* What has its space goes on being served. */
	ck_assert_int_eq(rig_do(&f.blk, BLK_WRITE, 0, 0, f.plain + 4096, 8192),
			 0);
	ck_assert_int_eq(rig_do(&f.blk, BLK_READ, 0, 0, f.buf, FILE_RIG_SIZE),
			 0);
	ck_assert_mem_eq(f.buf, f.plain + 4096, 8192);
	ck_assert_int_eq(rig_do(&f.blk, BLK_FLUSH, 0, 0, NULL, 0), 0);
	file_rig_close(&f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("file_trouble");
	TCase *tc = tcase_create("file_trouble");
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_set_fork_status(sr, CK_FORK);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, test_truncated, 0, NR_FILE_PLACES);
	tcase_add_loop_test(tc, test_flush_finds_truncation, 0, NR_FILE_PLACES);
	tcase_add_loop_test(tc, test_truncated_under_load, 0, NR_FILE_PLACES);
	tcase_add_test(tc, test_short_by_memory);
	tcase_add_test(tc, test_short_by_limit);
	tcase_add_test(tc, test_short_at_once);
	tcase_add_loop_test(tc, test_short_write_goes_on, 0,
			    NR_FILE_PLACES * NR_CUTS);
	tcase_add_loop_test(tc, test_short_read_goes_on, 0,
			    NR_FILE_PLACES * NR_CUTS);
	tcase_add_loop_test(tc, test_full, 0, 2);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
