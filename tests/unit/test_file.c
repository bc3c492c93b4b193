/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The file device on real files, through the page cache and around it, on a
 * disk and on tmpfs: operations, short transfers, full and truncated files.
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
#include <sys/stat.h>
#include <unistd.h>

#include "backend/file.h"
#include "lib/loop.h"
#include "lib/why.h"
#include "tests/unit/blk_help.h"

#define SIZE  (1U << 20)
#define DEPTH 32

static const struct place {
	const char *dir;
	enum file_cache cache;
	bool registered; /* memory */
} places[] = {
	{ "/var/tmp", FILE_CACHE_BUFFERED, false },
	{ "/var/tmp", FILE_CACHE_AUTO, true },
	{ "/dev/shm", FILE_CACHE_BUFFERED, true },
	{ "/dev/shm", FILE_CACHE_AUTO, false },
};

#define NR_PLACES ((int)(sizeof(places) / sizeof(*places)))

static struct blk_rig rig;
static uint8_t *buf, *plain; /* SIZE bytes, aligned to pages */
static char path[64];
static int peek; /* the file, through the page cache */

static void setup(void)
{
	buf = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(buf, MAP_FAILED);
	plain = buf + SIZE;
	fill_bytes(plain, SIZE, 42);
}

static void make_file(const char *dir, off_t size)
{
	snprintf(path, sizeof(path), "%s/vcrypt-test-XXXXXX", dir);
	peek = mkstemp(path);
	ck_assert_int_ge(peek, 0);
	ck_assert_int_eq(ftruncate(peek, size), 0);
}

static struct blk_dev *open_dev(enum file_cache cache, bool readonly)
{
	const struct file_blk_options opt = { false };
	struct why why = { "" };
	struct blk_dev *dev;
	int fd;

	ck_assert_msg(!file_open(path, readonly, &fd, &why), "%s", why.text);
	ck_assert_int_eq(file_set_cache(fd, path, cache, 4096, &why), 0);
	ck_assert_msg(!file_blk_new(fd, &opt, &dev, &why), "%s", why.text);
	return dev;
}

static void open_rig(const struct place *p)
{
	make_file(p->dir, SIZE);
	rig.dev = open_dev(p->cache, false);
	ck_assert_int_eq(loop_new(8, &rig.loop), 0);
	ck_assert_int_eq(blk_open_queue(rig.dev, rig.loop, DEPTH, &rig.queue),
			 0);
	if (p->registered)
		ck_assert_int_eq(loop_add_memory(rig.loop, buf, 2 * SIZE), 0);
	ck_assert_int_eq(loop_seal(rig.loop), 0);
}

static void close_rig(void)
{
	rig_close(&rig);
	close(peek);
	unlink(path);
}

static void assert_file(off_t at, const void *want, size_t len)
{
	uint8_t *got = malloc(len);

	ck_assert_int_eq(pread(peek, got, len, at), (ssize_t)len);
	ck_assert_msg(!memcmp(got, want, len), "at %lld", (long long)at);
	free(got);
}

static off_t file_size(void)
{
	struct stat st;

	ck_assert_int_eq(fstat(peek, &st), 0);
	return st.st_size;
}

/* --- operations --------------------------------------------------------- */

START_TEST(test_info)
{
	open_rig(&places[_i]);
	ck_assert_uint_eq(rig.dev->info.nr_sectors, SIZE / 512);
	ck_assert(rig.dev->info.block_size == 512 ||
		  rig.dev->info.block_size == 4096);
	ck_assert(!rig.dev->info.readonly);
	if (places[_i].cache == FILE_CACHE_BUFFERED)
		ck_assert_str_eq(rig.dev->info.cache, "buffered");
	close_rig();
}
END_TEST

START_TEST(test_write_read)
{
	struct iovec iov[] = { { plain, 4096 },
			       { plain + 4096, 0 },
			       { plain + 4096, 8192 },
			       { plain + 12288, SIZE / 2 - 12288 },
			       { plain, 0 } };
	struct blk_req req = { .op = BLK_WRITE,
			       .sector = 8,
			       .nr_sectors = SIZE / 2 / 512,
			       .iov = iov,
			       .iovcnt = 5 };
	int i;

	open_rig(&places[_i]);
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, 0, plain, SIZE), 0);
	assert_file(0, plain, SIZE);
	req.flags = BLK_FUA;
	ck_assert_int_eq(rig_run(&rig, &req), 0);
	assert_file(4096, plain, SIZE / 2);
	for (i = 0; i < 5; i++)
		iov[i].iov_base = (uint8_t *)iov[i].iov_base - SIZE;
	req.op = BLK_READ;
	req.flags = 0;
	ck_assert_int_eq(rig_run(&rig, &req), 0);
	ck_assert_mem_eq(buf, plain, SIZE / 2);
	ck_assert_int_eq(rig_do(&rig, BLK_READ, 0, SIZE / 512 - 8, buf, 4096),
			 0);
	ck_assert_mem_eq(buf, plain + SIZE - 4096, 4096);
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE, BLK_FUA, 0, buf, 4096), 0);
	assert_file(0, buf, 4096);
	ck_assert_int_eq(rig_do(&rig, BLK_FLUSH, 0, 0, NULL, 0), 0);
	ck_assert_int_eq(file_size(), SIZE);
	close_rig();
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
		iov[i] = (struct iovec){ plain + 512 * i, 512 };
	open_rig(&places[0]);
	ck_assert_int_eq(rig_run(&rig, &req), 0);
	assert_file(0, plain, NR * 512);
	for (i = 0; i < NR; i++)
		iov[i].iov_base = buf + 512 * i;
	req.op = BLK_READ;
	ck_assert_int_eq(rig_run(&rig, &req), 0);
	ck_assert_mem_eq(buf, plain, NR * 512);
	close_rig();
	free(iov);
}
END_TEST

START_TEST(test_zeroes)
{
	const unsigned flags[] = { 0, BLK_FUA, BLK_UNMAP, BLK_UNMAP | BLK_FUA };
	unsigned i;

	open_rig(&places[_i]);
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, 0, plain, SIZE), 0);
		memset(buf, 0, SIZE);
		ck_assert_int_eq(rig_do(&rig, BLK_WRITE_ZEROES, flags[i], 8,
					NULL, SIZE / 2),
				 0);
		assert_file(0, plain, 4096);
		assert_file(4096, buf, SIZE / 2);
		assert_file(4096 + SIZE / 2, plain + 4096 + SIZE / 2,
			    SIZE / 2 - 4096);
		ck_assert_int_eq(file_size(), SIZE);
	}
	close_rig();
}
END_TEST

START_TEST(test_discard)
{
	struct stat before, after;

	open_rig(&places[_i]);
	if (rig.dev->info.discard) {
		ck_assert_int_eq(
			rig_do(&rig, BLK_WRITE, BLK_FUA, 0, plain, SIZE), 0);
		fstat(peek, &before);
		ck_assert_int_eq(
			rig_do(&rig, BLK_DISCARD, 0, 128, NULL, SIZE / 2), 0);
		fstat(peek, &after);
		ck_assert_int_lt(after.st_blocks, before.st_blocks);
		ck_assert_int_eq(after.st_size, SIZE);
		assert_file(0, plain, 65536);
	}
	close_rig();
}
END_TEST

/* A file that grew, and one that was cut and then followed. */
START_TEST(test_resize)
{
	open_rig(&places[_i]);
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, SIZE / 512, plain, 4096),
			 -EIO);
	ck_assert_int_eq(ftruncate(peek, 2 * SIZE), 0);
	ck_assert_int_eq(blk_resize(rig.dev, 2 * SIZE / 512), 0);
	ck_assert_int_eq(
		rig_do(&rig, BLK_WRITE, BLK_FUA, SIZE / 512, plain, 4096), 0);
	assert_file(SIZE, plain, 4096);
	/* It is found out: nothing is written any more ... */
	ck_assert_int_eq(ftruncate(peek, SIZE), 0);
	ck_assert_int_eq(rig_do(&rig, BLK_FLUSH, 0, 0, NULL, 0), -EIO);
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, 0, plain, 4096), -EIO);
	/* ... until somebody says that it is meant. */
	ck_assert_int_eq(blk_resize(rig.dev, SIZE / 512), 0);
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, 0, plain, 4096), 0);
	ck_assert_int_eq(rig_do(&rig, BLK_FLUSH, 0, 0, NULL, 0), 0);
	ck_assert_int_eq(file_size(), SIZE);
	close_rig();
}
END_TEST

/* What it would be is what it is. */
START_TEST(test_probe)
{
	const struct file_blk_options opt = { .readonly = _i };
	struct blk_info info;
	struct blk_dev *dev;
	struct why why = { "" };

	make_file("/var/tmp", SIZE);
	ck_assert_int_eq(file_blk_probe(peek, &opt, &info, &why), 0);
	ck_assert_int_eq(file_blk_new(dup(peek), &opt, &dev, &why), 0);
	ck_assert_uint_eq(info.nr_sectors, dev->info.nr_sectors);
	ck_assert_uint_eq(info.block_size, dev->info.block_size);
	ck_assert_uint_eq(info.phys_block_size, dev->info.phys_block_size);
	ck_assert_uint_eq(info.io_opt, dev->info.io_opt);
	ck_assert(info.readonly == dev->info.readonly && info.readonly == _i);
	ck_assert(info.discard == dev->info.discard);
	blk_close(dev);
	ck_assert_int_eq(ftruncate(peek, 100), 0);
	info.nr_sectors = 77;
	ck_assert_int_eq(file_blk_probe(peek, &opt, &info, &why), -EINVAL);
	ck_assert_uint_eq(info.nr_sectors, 77);
	close(peek);
	unlink(path);
}
END_TEST

/* --- what it is made from ----------------------------------------------- */

START_TEST(test_readonly)
{
	const struct file_blk_options ro = { .readonly = true };
	struct blk_dev *dev;
	int i;

	make_file("/var/tmp", SIZE);
	for (i = 0; i < 2; i++) {
		if (i)
			dev = open_dev(FILE_CACHE_AUTO, true);
		else
			ck_assert_int_eq(
				file_blk_new(dup(peek), &ro, &dev, NULL), 0);
		ck_assert(dev->info.readonly && !dev->info.discard);
		rig_open(&rig, dev, 4);
		ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, 0, buf, 4096),
				 -EROFS);
		ck_assert_int_eq(rig_do(&rig, BLK_WRITE_ZEROES, 0, 0, NULL,
					4096),
				 -EROFS);
		ck_assert_int_eq(rig_do(&rig, BLK_READ, 0, 0, buf, 4096), 0);
		ck_assert_int_eq(rig_do(&rig, BLK_FLUSH, 0, 0, NULL, 0), 0);
		rig_close(&rig);
	}
	close(peek);
	unlink(path);
}
END_TEST

START_TEST(test_refused)
{
	const struct file_blk_options opt = { false };
	struct blk_dev *dev = (struct blk_dev *)buf;
	struct why why = { "" };
	int fds[2], fd;

	ck_assert_int_eq(file_blk_new(-1, &opt, &dev, &why), -EBADF);
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(file_blk_new(fds[0], &opt, &dev, &why), -EINVAL);
	fd = open("/dev/zero", O_RDWR);
	ck_assert_int_eq(file_blk_new(fd, &opt, &dev, &why), -EINVAL);
	close(fd);
	make_file("/var/tmp", 511);
	ck_assert_int_eq(file_blk_new(peek, &opt, &dev, &why), -EINVAL);
	ck_assert_msg(strstr(why.text, "smaller"), "%s", why.text);
	fd = open(path, O_WRONLY);
	ck_assert_int_eq(file_blk_new(fd, &opt, &dev, &why), -EINVAL);
	close(fd);
	/* It was left open. */
	ck_assert_int_eq(file_size(), 511);
	ck_assert_ptr_eq(dev, buf);
	close(peek);
	unlink(path);
}
END_TEST

/* Half a sector at the end is not served. */
START_TEST(test_odd_size)
{
	make_file("/var/tmp", 12288 + 700);
	rig_open(&rig, open_dev(FILE_CACHE_BUFFERED, false), 4);
	ck_assert_uint_eq(rig.dev->info.nr_sectors, 25);
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, 24, plain, 512), 0);
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, 25, plain, 512), -EIO);
	ck_assert_int_eq(file_size(), 12288 + 700);
	close_rig();
}
END_TEST

/* --- trouble ------------------------------------------------------------ */

START_TEST(test_truncated)
{
	open_rig(&places[_i]);
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, 0, plain, SIZE), 0);
	ck_assert_int_eq(ftruncate(peek, SIZE / 2), 0);
	ck_assert_int_eq(rig_do(&rig, BLK_READ, 0, 0, buf, SIZE / 2), 0);
	ck_assert_mem_eq(buf, plain, SIZE / 2);
	/* Across the new end, and behind it. */
	ck_assert_int_eq(rig_do(&rig, BLK_READ, 0, 0, buf, SIZE), -EIO);
	ck_assert_int_eq(rig_do(&rig, BLK_READ, 0, SIZE / 512 - 8, buf, 4096),
			 -EIO);
	/* From now on nothing makes it grow again. */
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, SIZE / 512 - 8, buf, 4096),
			 -EIO);
	ck_assert_int_eq(rig_do(&rig, BLK_FLUSH, 0, 0, NULL, 0), -EIO);
	ck_assert_int_eq(file_size(), SIZE / 2);
	close_rig();
}
END_TEST

START_TEST(test_flush_finds_truncation)
{
	open_rig(&places[_i]);
	ck_assert_int_eq(ftruncate(peek, 0), 0);
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, 0, plain, 4096), 0);
	ck_assert_int_eq(rig_do(&rig, BLK_FLUSH, 0, 0, NULL, 0), -EIO);
	close_rig();
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
		ck_assert_int_eq(ftruncate(peek, 0), 0);
	if (++c->rounds < 200)
		blk_submit(rig.queue, req);
	else
		running--;
}

START_TEST(test_truncated_under_load)
{
	struct counted c[DEPTH] = { 0 };
	unsigned i, good = 0, bad = 0;

	open_rig(&places[_i]);
	running = DEPTH;
	for (i = 0; i < DEPTH; i++) {
		c[i].iov = (struct iovec){ buf + i * 4096, 4096 };
		c[i].req = (struct blk_req){ .op = i % 4 ? BLK_READ : BLK_WRITE,
					     .tag = i,
					     .sector = i * 8 *
						       (SIZE / 4096 / DEPTH),
					     .nr_sectors = 8,
					     .iov = &c[i].iov,
					     .iovcnt = 1,
					     .end_io = counted_done };
		blk_submit(rig.queue, &c[i].req);
	}
	while (running)
		ck_assert_int_eq(loop_turn(rig.loop, true), 0);
	for (i = 0; i < DEPTH; i++) {
		good += c[i].good;
		bad += c[i].bad;
	}
	ck_assert_uint_eq(good + bad, DEPTH * 200);
	ck_assert_uint_gt(bad, 0);
	close_rig();
}
END_TEST

/* Memory that ends in the middle stops a transfer there. */
START_TEST(test_short_by_memory)
{
	struct iovec iov[2] = { { buf, 8192 }, { buf + 8192, SIZE - 8192 } };
	struct blk_req req = { .nr_sectors = SIZE / 512,
			       .iov = iov,
			       .iovcnt = 2 };
	const struct place unregistered = { "/dev/shm", FILE_CACHE_BUFFERED,
					    false };
	int i, op;

	for (i = 0; i < 2; i++) {
		open_rig(&unregistered);
		ck_assert_int_eq(munmap(buf + SIZE / 2, SIZE / 2), 0);
		req.iovcnt = i ? 2 : 1;
		iov[0].iov_len = i ? 8192 : SIZE;
		for (op = BLK_READ; op <= BLK_WRITE; op++) {
			req.op = op;
			ck_assert_int_eq(rig_run(&rig, &req), -EFAULT);
		}
		ck_assert_ptr_ne(
			mmap(buf + SIZE / 2, SIZE / 2, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
			MAP_FAILED);
		close_rig();
	}
}
END_TEST

/* A limit of the process stops a write in the middle. */
START_TEST(test_short_by_limit)
{
	const struct rlimit limit = { 300000, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	open_rig(&places[2]);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, 0, plain, SIZE), -EFBIG);
	assert_file(0, plain, 300000);
	ck_assert_int_eq(rig_do(&rig, BLK_READ, 0, 0, buf, SIZE), 0);
	ck_assert_mem_eq(buf, plain, 300000);
	close_rig();
}
END_TEST

/* --- transfers that are short, and then go on ---------------------------- */

#define STOP (74 * 4096) /* where the first transfer ends */

/* Lengths of the segments, the last of them is what is left. */
static const size_t cuts[][3] = {
	{ SIZE },
	{ 8192, SIZE - 8192 },
	{ STOP, SIZE - STOP },
	{ STOP + 4096, 4096, SIZE - STOP - 8192 },
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
			       .nr_sectors = SIZE / 512,
			       .iov = iov,
			       .end_io = short_done };
	int i;

	for (i = 0; i < 3 && cut[i]; i++) {
		iov[i] = (struct iovec){ data, cut[i] };
		data += cut[i];
	}
	req.iovcnt = i;
	ended_with = 1;
	blk_submit(rig.queue, &req);
	ck_assert_int_eq(loop_turn(rig.loop, true), 0);
	ck_assert_int_eq(ended_with, 1);
	go_on();
	while (ended_with == 1)
		ck_assert_int_eq(loop_turn(rig.loop, true), 0);
	ck_assert_int_eq(ended_with, 0);
}

static void lift_limit(void)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };

	assert_file(0, plain, STOP);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
}

START_TEST(test_short_write_goes_on)
{
	const struct rlimit limit = { STOP, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	open_rig(&places[_i / NR_CUTS]);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	run_short(BLK_WRITE, plain, cuts[_i % NR_CUTS], lift_limit);
	assert_file(0, plain, SIZE);
	close_rig();
}
END_TEST

static void grow_back(void)
{
	ck_assert_mem_eq(buf, plain, STOP);
	ck_assert_int_eq(pwrite(peek, plain + STOP, SIZE - STOP, STOP),
			 SIZE - STOP);
}

START_TEST(test_short_read_goes_on)
{
	open_rig(&places[_i / NR_CUTS]);
	ck_assert_int_eq(pwrite(peek, plain, SIZE, 0), SIZE);
	ck_assert_int_eq(ftruncate(peek, STOP), 0);
	run_short(BLK_READ, buf, cuts[_i % NR_CUTS], grow_back);
	ck_assert_mem_eq(buf, plain, SIZE);
	/* It was never found to be cut. */
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, 0, plain, 4096), 0);
	close_rig();
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
	const struct place small = { "/var/tmp",
				     _i ? FILE_CACHE_AUTO : FILE_CACHE_BUFFERED,
				     false };

	if (!mount_small()) {
		printf("skipped: a full file system: no right to mount\n");
		return;
	}
	open_rig(&small);
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, 0, plain, SIZE), -ENOSPC);
	/* What has its space goes on being served. */
	ck_assert_int_eq(rig_do(&rig, BLK_WRITE, 0, 0, plain + 4096, 8192), 0);
	ck_assert_int_eq(rig_do(&rig, BLK_READ, 0, 0, buf, SIZE), 0);
	ck_assert_mem_eq(buf, plain + 4096, 8192);
	ck_assert_int_eq(rig_do(&rig, BLK_FLUSH, 0, 0, NULL, 0), 0);
	close_rig();
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
	tcase_add_loop_test(tc, test_info, 0, NR_PLACES);
	tcase_add_loop_test(tc, test_write_read, 0, NR_PLACES);
	tcase_add_test(tc, test_many_segments);
	tcase_add_loop_test(tc, test_zeroes, 0, NR_PLACES);
	tcase_add_loop_test(tc, test_discard, 0, NR_PLACES);
	tcase_add_loop_test(tc, test_resize, 0, NR_PLACES);
	tcase_add_loop_test(tc, test_probe, 0, 2);
	tcase_add_test(tc, test_readonly);
	tcase_add_test(tc, test_refused);
	tcase_add_test(tc, test_odd_size);
	tcase_add_loop_test(tc, test_truncated, 0, NR_PLACES);
	tcase_add_loop_test(tc, test_flush_finds_truncation, 0, NR_PLACES);
	tcase_add_loop_test(tc, test_truncated_under_load, 0, NR_PLACES);
	tcase_add_test(tc, test_short_by_memory);
	tcase_add_test(tc, test_short_by_limit);
	tcase_add_loop_test(tc, test_short_write_goes_on, 0,
			    NR_PLACES * NR_CUTS);
	tcase_add_loop_test(tc, test_short_read_goes_on, 0,
			    NR_PLACES * NR_CUTS);
	tcase_add_loop_test(tc, test_full, 0, 2);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
