/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* A file device on a file: see file_rig.h. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/loop.h"
#include "lib/why.h"
#include "tests/unit/file_rig.h"

const struct file_place file_places[NR_FILE_PLACES] = {
	{ "/var/tmp", FILE_CACHE_BUFFERED, false },
	{ "/var/tmp", FILE_CACHE_AUTO, true },
	{ "/dev/shm", FILE_CACHE_BUFFERED, true },
	{ "/dev/shm", FILE_CACHE_AUTO, false },
};

void file_rig_init(struct file_rig *f)
{
	f->buf = mmap(NULL, 2 * FILE_RIG_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(f->buf, MAP_FAILED);
	f->plain = f->buf + FILE_RIG_SIZE;
	fill_bytes(f->plain, FILE_RIG_SIZE, 42);
}

void file_rig_make(struct file_rig *f, const char *dir, off_t size)
{
	snprintf(f->path, sizeof(f->path), "%s/vcrypt-test-XXXXXX", dir);
	f->peek = mkstemp(f->path);
	ck_assert_int_ge(f->peek, 0);
	ck_assert_int_eq(ftruncate(f->peek, size), 0);
}

struct blk_dev *file_rig_dev(struct file_rig *f, enum file_cache cache,
			     bool readonly)
{
	const struct file_blk_options opt = { false };
	struct why why = { "" };
	struct blk_dev *dev;
	int fd;

	ck_assert_msg(!file_open(f->path, readonly, &fd, &why), "%s", why.text);
	ck_assert_int_eq(file_set_cache(fd, f->path, cache, 4096, &why), 0);
	ck_assert_msg(!file_blk_new(fd, &opt, &dev, &why), "%s", why.text);
	return dev;
}

void file_rig_open(struct file_rig *f, const struct file_place *p)
{
	file_rig_make(f, p->dir, FILE_RIG_SIZE);
	f->blk.dev = file_rig_dev(f, p->cache, false);
	ck_assert_int_eq(loop_new(8, &f->blk.loop), 0);
	ck_assert_int_eq(blk_open_queue(f->blk.dev, f->blk.loop, FILE_RIG_DEPTH,
					&f->blk.queue),
			 0);
	if (p->registered)
		ck_assert_int_eq(loop_add_memory(f->blk.loop, f->buf,
						 2 * FILE_RIG_SIZE),
				 0);
	ck_assert_int_eq(loop_seal(f->blk.loop), 0);
}

void file_rig_close(struct file_rig *f)
{
	rig_close(&f->blk);
	close(f->peek);
	unlink(f->path);
}

void file_rig_assert(struct file_rig *f, off_t at, const void *want, size_t len)
{
	uint8_t *got = malloc(len);

	ck_assert_int_eq(pread(f->peek, got, len, at), (ssize_t)len);
	ck_assert_msg(!memcmp(got, want, len), "at %lld", (long long)at);
	free(got);
}

off_t file_rig_size(struct file_rig *f)
{
	struct stat st;

	ck_assert_int_eq(fstat(f->peek, &st), 0);
	return st.st_size;
}
