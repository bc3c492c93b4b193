/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The files of an encryption: see encrypt_files.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "backend/file.h"
#include "backend/idle.h"
#include "backend/lock.h"
#include "crypt/encrypt.h"
#include "crypt/luks_signature.h"
#include "lib/folder.h"
#include "lib/why.h"
#include "tools/encrypt_files.h"
#include "tools/rename.h"

/* Below it, a file system may keep what is in a file elsewhere. */
#define UNWRITTEN_MIN (1 << 20) /* bytes */

void encrypt_files_init(struct encrypt_files *files)
{
	*files = (struct encrypt_files){
		.image_fd = -1,
		.part_fd = -1,
		.header.fd = -1,
	};
}

void encrypt_files_close(struct encrypt_files *files)
{
	if (files->image_fd >= 0)
		close(files->image_fd);
	if (files->part_fd >= 0)
		close(files->part_fd);
	encrypt_detached_close(&files->header);
}

/* --- names ------------------------------------------------------------- */

static int make_name(char ret[static PATH_MAX], const char *path,
		     const char *suffix, struct why *why)
{
	int n = snprintf(ret, PATH_MAX, "%s%s", path, suffix);

	return n < PATH_MAX ? 0
			    : why_set(why, -ENAMETOOLONG, "%s: %s", path,
				      strerror(ENAMETOOLONG));
}

/* Whoever replaces the image needs no other name. */
static int check_output(const struct encrypt_files *files, struct why *why)
{
	struct stat st;

	if (files->replace || lstat(files->output, &st))
		return 0;
	return why_set(why, -EEXIST,
		       "%s: exists (remove it, or give another name with "
		       "--output)",
		       files->output);
}

/* What stands behind a symbolic link is replaced, and has its files beside. */
static int make_names(struct encrypt_files *files, const char *output,
		      struct why *why)
{
	struct stat st;
	int err;

	if (lstat(files->image, &st))
		return why_set(why, -errno, "%s: %s", files->image,
			       strerror(errno));
	if (!S_ISLNK(st.st_mode))
		err = make_name(files->target, files->image, "", why);
	else if (!realpath(files->image, files->target))
		err = why_set(why, -errno, "%s: %s", files->image,
			      strerror(errno));
	else
		err = 0;
	if (!err)
		err = output ? make_name(files->output, output, "", why)
			     : make_name(files->output, files->target, ".luks",
					 why);
	if (!err)
		err = make_name(files->part, files->output, ".part", why);
	return err ? err : check_output(files, why);
}

/* --- the image --------------------------------------------------------- */

static int check_contents(int fd, const char **ret_name)
{
	static uint8_t start[SIGNATURE_SPAN];
	ssize_t n = pread(fd, start, sizeof(start), 0);

	if (n < 0)
		return -errno;
	*ret_name = signature_wrapping(start, (size_t)n);
	return 0;
}

static int check_image(const struct encrypt_files *files, struct why *why)
{
	const char *name = NULL;
	int err;

	if (S_ISBLK(files->st.st_mode))
		return why_set(why, -EINVAL,
			       "is a block device, which no file can replace "
			       "(cryptsetup reencrypt --encrypt)");
	if (files->st.st_size < 512)
		return why_set(why, -EINVAL, "%jd bytes are no disk image",
			       (intmax_t)files->st.st_size);
	err = check_contents(files->image_fd, &name);
	if (err)
		return why_set(why, err, "cannot be read: %s", strerror(-err));
	if (name)
		return why_set(why, -EINVAL, "is %s, no plain disk image%s",
			       name,
			       strstr(name, "LUKS")
				       ? ""
				       : " (qemu-img convert -O raw)");
	return file_claim_idle(files->image_fd, why);
}

static int open_image(struct encrypt_files *files, struct why *why)
{
	int err = file_open(files->image, true, &files->image_fd, why);

	if (err)
		return err;
	if (fstat(files->image_fd, &files->st))
		err = why_set(why, -errno, "%s", strerror(errno));
	else
		err = check_image(files, why);
	if (err)
		why_prefix(why, "%s", files->image);
	return err;
}

/* --- what an earlier run has left -------------------------------------- */

/*
 * Cut off in encrypt_files_finish just before the machine stopped: what was
 * proved then is proved once more.
 */
static bool was_cut(const struct encrypt_files *files, uint64_t size,
		    struct encrypt_journal *ret)
{
	struct volume_request request = VOLUME_REQUEST(
		files->header.fd >= 0 ? files->header.fd : files->part_fd);
	uint64_t image = (uint64_t)files->st.st_size;
	struct volume_info info;

	request.data_fd = files->part_fd;
	if (volume_probe(&request, &info, NULL) ||
	    info.data_offset + info.data_size != size ||
	    info.data_size < image ||
	    info.data_size - image >= info.sector_size)
		return false;
	*ret = (struct encrypt_journal){
		.phase = ENCRYPT_VERIFY,
		.container = size,
	};
	encrypt_source(&files->st, &ret->source);
	return true;
}

static bool same_source(const struct encrypt_files *files)
{
	const struct encrypt_source *then = &files->journal.source;
	struct encrypt_source now;

	encrypt_source(&files->st, &now);
	return now.size == then->size && now.inode == then->inode &&
	       now.mtime == then->mtime;
}

static int check_part(struct encrypt_files *files, bool restart,
		      struct why *why)
{
	struct stat st;
	int err;

	if (fstat(files->part_fd, &st))
		return why_set(why, -errno, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return why_set(why, -EEXIST, "is no regular file");
	/* Killed before it wrote anything. */
	if (!st.st_size || (!st.st_blocks && st.st_size > UNWRITTEN_MIN))
		return 0;
	err = encrypt_journal_read(files->part_fd, (uint64_t)st.st_size,
				   &files->journal);
	if (err == -ENOENT &&
	    was_cut(files, (uint64_t)st.st_size, &files->journal))
		err = 0;
	if (err == -ENOENT)
		return why_set(why, -EEXIST,
			       "exists and is not what an earlier run left "
			       "(remove it, or give another name with "
			       "--output)");
	if (err)
		return why_set(why, err, "cannot be read: %s", strerror(-err));
	if (restart || files->journal.phase == ENCRYPT_HEADER)
		return 0;
	if (!same_source(files))
		return why_set(why, -ESTALE,
			       "%s has changed since this was begun "
			       "(--restart begins again)",
			       files->image);
	files->found = true;
	return 0;
}

static int open_part(struct encrypt_files *files, bool restart, struct why *why)
{
	int err;

	files->part_fd = open(files->part, O_RDWR | O_CLOEXEC | O_NOFOLLOW |
						   O_NONBLOCK | O_NOCTTY);
	if (files->part_fd < 0)
		return errno == ENOENT
			       ? 0
			       : why_set(why, -errno, "%s", strerror(errno));
	err = image_lock_soon(files->part_fd, false);
	if (err == -EBUSY)
		return why_set(why, err, "in use by another vcrypt");
	if (err)
		return why_set(why, err, "cannot be locked: %s",
			       strerror(-err));
	return check_part(files, restart, why);
}

int encrypt_files_open(struct encrypt_files *files, const char *image,
		       const char *output, bool replace, bool restart,
		       struct why *why)
{
	int err;

	files->image = image;
	files->replace = replace;
	err = make_names(files, output, why);
	if (!err)
		err = open_image(files, why);
	if (err)
		return err;
	err = open_part(files, restart, why);
	if (err)
		why_prefix(why, "%s", files->part);
	return err;
}

int encrypt_files_check_room(const struct encrypt_files *files,
			     uint64_t container, uint64_t *ret_needed,
			     uint64_t *ret_free, struct why *why)
{
	uint64_t have = 0, needed = encrypt_journal_offset(container) +
				    ENCRYPT_JOURNAL_SIZE;
	int fd, err = folder_open(files->part, &fd, why);
	struct statvfs vfs;
	struct stat st;

	if (err)
		return err;
	if (faccessat(fd, ".", W_OK, AT_EACCESS) || fstatvfs(fd, &vfs)) {
		err = why_set(why, -errno, "%s: %s", files->part,
			      strerror(errno));
		close(fd);
		return err;
	}
	close(fd);
	if (files->part_fd >= 0 && !fstat(files->part_fd, &st))
		have = (uint64_t)st.st_blocks * 512;
	*ret_needed = needed > have ? needed - have : 0;
	*ret_free = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	if (*ret_needed <= *ret_free)
		return 0;
	return why_set(why, -ENOSPC,
		       "%s: no room: %" PRIu64 " bytes are needed and %" PRIu64
		       " are free (--output for another place)",
		       files->part, *ret_needed, *ret_free);
}

/* --- making and finishing ---------------------------------------------- */

static int create_part(struct encrypt_files *files, struct why *why)
{
	int err;

	if (files->part_fd >= 0)
		return 0;
	files->part_fd =
		open(files->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (files->part_fd < 0)
		return why_set(why, -errno, "%s", strerror(errno));
	err = image_lock(files->part_fd, false);
	return err ? why_set(why, err, "cannot be locked: %s", strerror(-err))
		   : 0;
}

/*
 * The journal first, so that this file is known for what it is; then room for
 * all, so that a full disk shows now. Some file systems cannot promise that.
 */
static int fill_part(struct encrypt_files *files, uint64_t container,
		     struct why *why)
{
	uint64_t size =
		encrypt_journal_offset(container) + ENCRYPT_JOURNAL_SIZE;
	int fd = files->part_fd, err;

	files->journal = (struct encrypt_journal){
		.phase = ENCRYPT_HEADER,
		.container = container,
	};
	encrypt_source(&files->st, &files->journal.source);
	if (ftruncate(fd, 0) || ftruncate(fd, (off_t)size))
		return why_set(why, -errno, "%s", strerror(errno));
	err = encrypt_journal_write(fd, &files->journal);
	if (err)
		return why_set(why, err, "%s", strerror(-err));
	if (fallocate(fd, 0, 0, (off_t)size) && errno != EOPNOTSUPP)
		return why_set(why, -errno, "no room for %" PRIu64 " bytes: %s",
			       size, strerror(errno));
	if (fsync(fd))
		return why_set(why, -errno, "%s", strerror(errno));
	return folder_sync(files->part, why);
}

int encrypt_files_begin(struct encrypt_files *files, uint64_t container,
			struct why *why)
{
	/* Another run may have been here while the passphrase was typed. */
	int err = check_output(files, why);

	if (err)
		return err;
	err = create_part(files, why);
	if (!err)
		err = fill_part(files, container, why);
	if (err)
		why_prefix(why, "%s", files->part);
	return err;
}

/* As the image; whoever may not give a file away keeps it, for himself. */
static int set_owner(const struct encrypt_files *files, struct why *why)
{
	const struct stat *st = &files->st;

	if (fchown(files->part_fd, st->st_uid, st->st_gid))
		return 0;
	if (fchmod(files->part_fd, st->st_mode & 0777))
		return why_set(why, -errno, "its rights cannot be set: %s",
			       strerror(errno));
	return 0;
}

static int check_target(const struct encrypt_files *files, struct why *why)
{
	struct stat st;

	if (!lstat(files->target, &st) && st.st_ino == files->st.st_ino &&
	    st.st_dev == files->st.st_dev)
		return 0;
	return why_set(why, -ESTALE,
		       "%s: %s is another file now, and was not replaced",
		       files->part, files->target);
}

static int give_name(const struct encrypt_files *files, struct why *why)
{
	int err;

	if (!files->replace)
		return rename_durably(files->part, files->output, why);
	err = check_target(files, why);
	if (!err && rename(files->part, files->target))
		err = why_set(why, -errno, "%s: cannot be renamed to %s: %s",
			      files->part, files->target, strerror(errno));
	return err ? err : folder_sync(files->target, why);
}

int encrypt_files_finish(struct encrypt_files *files, struct why *why)
{
	int err = set_owner(files, why);

	if (!err &&
	    (ftruncate(files->part_fd, (off_t)files->journal.container) ||
	     fsync(files->part_fd)))
		err = why_set(why, -errno, "cannot be finished: %s",
			      strerror(errno));
	if (err) {
		why_prefix(why, "%s", files->part);
		return err;
	}
	return give_name(files, why);
}
