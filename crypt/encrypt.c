/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Encrypting a plain image: see encrypt.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/blk.h"
#include "backend/holes.h"
#include "backend/pump.h"
#include "crypt/data_area.h"
#include "crypt/encrypt.h"
#include "lib/why.h"

#define BLOCK_MAX 4096u /* bytes; of a file device */

/* One phase of a job. */
struct phase {
	struct encrypt_job *job;
	struct file_holes holes;
	uint64_t size; /* bytes of data */
	uint8_t tail[BLOCK_MAX] __attribute__((aligned(BLOCK_MAX)));
};

void encrypt_source(const struct stat *st, struct encrypt_source *ret)
{
	ret->size = (uint64_t)st->st_size;
	ret->inode = (uint64_t)st->st_ino;
	ret->mtime =
		(int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

int encrypt_job_check(const struct encrypt_job *job, struct why *why)
{
	const struct encrypt_journal *j = &job->journal;
	const struct volume_info *info = &job->info;
	uint64_t data;

	if (info->data_offset < j->container) {
		data = j->container - info->data_offset;
		if (data % info->sector_size == 0 && data >= j->source.size &&
		    data - j->source.size < info->sector_size &&
		    j->at <= data && (j->at == data || j->at % PUMP_CHUNK == 0))
			return 0;
	}
	return why_set(why, -EINVAL,
		       "its header is not the one that it was begun with");
}

static int check_source(const struct encrypt_job *job, struct why *why)
{
	struct encrypt_source now;
	struct stat st;

	if (fstat(job->image_fd, &st))
		return why_set(why, -errno, "%s: %s", job->image_name,
			       strerror(errno));
	encrypt_source(&st, &now);
	if (now.size == job->journal.source.size &&
	    now.inode == job->journal.source.inode &&
	    now.mtime == job->journal.source.mtime)
		return 0;
	return why_set(why, -ESTALE, "%s: has changed since %s was begun",
		       job->image_name, job->container_name);
}

/* --- the journal ------------------------------------------------------- */

static int note(struct encrypt_job *job, enum encrypt_phase phase, uint64_t at,
		struct why *why)
{
	int err;

	job->journal.phase = phase;
	job->journal.at = at;
	err = encrypt_journal_write(job->container_fd, &job->journal);
	return err ? why_set(why, err, "%s: cannot be written: %s",
			     job->container_name, strerror(-err))
		   : 0;
}

static int on_checkpoint(void *arg, uint64_t at, struct why *why)
{
	struct phase *p = arg;
	int err = check_source(p->job, why);

	return err ? err : note(p->job, p->job->journal.phase, at, why);
}

static int on_progress(void *arg, uint64_t at)
{
	const struct phase *p = arg;
	const struct encrypt_job *job = p->job;

	return job->progress ? job->progress(job->arg, job->journal.phase, at,
					     p->size)
			     : 0;
}

static bool on_is_zero(void *arg, uint64_t at, uint64_t len)
{
	struct phase *p = arg;

	return file_is_hole(&p->holes, at, len);
}

/* --- devices ----------------------------------------------------------- */

/* What stands behind the last whole block of the image. */
static int read_tail(struct phase *p, const struct blk_dev *image,
		     size_t *ret_len, struct why *why)
{
	const struct encrypt_job *job = p->job;
	uint64_t at = blk_nr_sectors(image) * BLK_SECTOR_SIZE;
	size_t len = (size_t)(job->journal.source.size - at);
	ssize_t n;

	if (at > job->journal.source.size || len >= sizeof(p->tail))
		return why_set(why, -ESTALE, "%s: has changed its size",
			       job->image_name);
	n = len ? pread(job->image_fd, p->tail, sizeof(p->tail), (off_t)at) : 0;
	if (n < 0)
		return why_set(why, -errno, "%s: %s", job->image_name,
			       strerror(errno));
	if ((size_t)n < len)
		return why_set(why, -ESTALE, "%s: has changed its size",
			       job->image_name);
	*ret_len = len;
	return 0;
}

/* --- phases ------------------------------------------------------------ */

static int pump(struct phase *p, struct blk_dev *image, struct blk_dev *box,
		struct why *why)
{
	struct encrypt_job *job = p->job;
	bool copy = job->journal.phase == ENCRYPT_COPY;
	struct pump pump = {
		.job = copy ? PUMP_COPY : PUMP_COMPARE,
		.from = image,
		.to = box,
		.from_name = job->image_name,
		.to_name = job->container_name,
		.tail = p->tail,
		.is_zero = on_is_zero,
		.checkpoint = on_checkpoint,
		.progress = on_progress,
		.arg = p,
	};
	uint64_t at = job->journal.at;
	int err = read_tail(p, image, &pump.tail_len, why);

	if (err || at == p->size)
		return err;
	err = pump_run(&pump, &at, why);
	if (err == -EBADMSG) {
		/* The next run writes it again. */
		if (!check_source(job, NULL))
			note(job, ENCRYPT_COPY, at, NULL);
		else
			err = check_source(job, why);
	}
	return err;
}

static int run_phase(struct encrypt_job *job, struct why *why)
{
	struct phase p = {
		.job = job,
		.holes.fd = job->image_fd,
		.size = job->journal.container - job->info.data_offset,
	};
	struct blk_dev *image, *box;
	int err;

	err = check_source(job, why);
	if (!err)
		err = data_area_open(job->container_fd, job->container_name,
				     &job->info, job->key, p.size, &box, why);
	if (err)
		return err;
	err = data_file_open(job->image_fd, job->image_name, true, BLOCK_MAX,
			     &image, why);
	if (!err) {
		err = pump(&p, image, box, why);
		blk_close(image);
	}
	blk_close(box);
	return err ? err : check_source(job, why);
}

/*
 * From the disk and not from memory shall it be read back: direct I/O does
 * that; else what is durable is dropped from the page cache.
 */
static int settle(const struct encrypt_job *job, struct why *why)
{
	if (fsync(job->container_fd))
		return why_set(why, -errno, "%s: cannot be made durable: %s",
			       job->container_name, strerror(errno));
	posix_fadvise(job->container_fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

int encrypt_run(struct encrypt_job *job, struct why *why)
{
	int err = 0;

	if (job->journal.phase == ENCRYPT_COPY) {
		err = run_phase(job, why);
		if (!err)
			err = note(job, ENCRYPT_VERIFY, 0, why);
	}
	if (!err)
		err = settle(job, why);
	return err ? err : run_phase(job, why);
}
