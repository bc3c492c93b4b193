/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A detached header of an encryption: see encrypt_detached.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt/luks_format.h"
#include "lib/folder.h"
#include "lib/why.h"
#include "tools/encrypt_detached.h"
#include "tools/encrypt_files.h"
#include "tools/format_header.h"
#include "tools/rename.h"

static int open_one(const char *path, int *ret, struct why *why)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
				    O_NOCTTY);

	if (fd < 0)
		return errno == ENOENT ? -ENOENT
				       : why_set(why, -errno, "%s: %s", path,
						 strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return why_set(why, -EEXIST, "%s: exists and is no header",
			       path);
	}
	*ret = fd;
	return 0;
}

int encrypt_detached_open(struct encrypt_detached *d, const char *path,
			  struct why *why)
{
	int err;

	*d = (struct encrypt_detached){ .path = path, .fd = -1 };
	if (!path)
		return 0;
	if (!path[0])
		return why_set(why, -EDOM, "--header: a file needs a name");
	if (snprintf(d->part, sizeof(d->part), "%s.part", path) >=
	    (int)sizeof(d->part))
		return why_set(why, -ENAMETOOLONG, "%s: %s", path,
			       strerror(ENAMETOOLONG));
	err = open_one(d->part, &d->fd, why);
	if (err != -ENOENT)
		return err;
	err = open_one(path, &d->fd, why);
	d->named = !err;
	return err == -ENOENT ? 0 : err;
}

void encrypt_detached_close(struct encrypt_detached *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

/* Do both stand for one name in one folder?  Neither needs to be there. */
static bool same_name(const char *a, const char *b)
{
	char folder_a[PATH_MAX], folder_b[PATH_MAX];
	char name_a[PATH_MAX], name_b[PATH_MAX];
	struct stat st_a, st_b;

	snprintf(folder_a, sizeof(folder_a), "%s", a);
	snprintf(folder_b, sizeof(folder_b), "%s", b);
	snprintf(name_a, sizeof(name_a), "%s", a);
	snprintf(name_b, sizeof(name_b), "%s", b);
	return !strcmp(basename(name_a), basename(name_b)) &&
	       !stat(dirname(folder_a), &st_a) &&
	       !stat(dirname(folder_b), &st_b) && st_a.st_dev == st_b.st_dev &&
	       st_a.st_ino == st_b.st_ino;
}

/* Nobody shall type for nothing. */
static int check_folder(const char *path, struct why *why)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	if (access(dirname(copy), W_OK | X_OK))
		return why_set(why, -errno, "%s: its folder: %s", path,
			       strerror(errno));
	return 0;
}

/* Only a container that is being made says that FILE.part is ours. */
static int check_new(const struct encrypt_detached *d,
		     const struct encrypt_files *files, struct why *why)
{
	int err;

	if (d->fd >= 0 && !d->named && files->part_fd < 0)
		return why_set(why, -EEXIST,
			       "%s: exists, without the unfinished container "
			       "%s (remove it)",
			       d->part, files->part);
	err = check_folder(d->path, why);
	return err ? err : format_header_check(d->path, why);
}

int encrypt_detached_check(const struct encrypt_files *files, struct why *why)
{
	const struct encrypt_detached *d = &files->header;

	if (!d->path)
		return 0;
	if (same_name(d->path, files->output) ||
	    same_name(d->path, files->part) ||
	    same_name(d->path, files->target))
		return why_set(why, -EDOM,
			       "--header: %s is the name of another file of "
			       "this encryption",
			       d->path);
	if (!files->found)
		return check_new(d, files, why);
	if (d->fd < 0)
		return why_set(why, -ENOENT,
			       "%s: the header of the run that was ended is "
			       "not there (--restart begins again)",
			       d->part);
	return 0;
}

int encrypt_detached_make(struct encrypt_files *files,
			  const struct luks_format *what,
			  const struct secret *secret, struct why *why)
{
	struct encrypt_detached *d = &files->header;
	int err;

	if (d->fd >= 0 && unlink(d->part))
		return why_set(why, -errno, "%s: %s", d->part, strerror(errno));
	encrypt_detached_close(d);
	err = format_header_write(d->part, files->part_fd, what, secret, why);
	if (err)
		return err;
	err = folder_sync(d->part, why);
	if (!err)
		err = open_one(d->part, &d->fd, why);
	if (err == -ENOENT)
		why_set(why, err, "%s: %s", d->part, strerror(-err));
	if (err)
		unlink(d->part);
	return err;
}

int encrypt_detached_finish(struct encrypt_files *files, struct why *why)
{
	struct encrypt_detached *d = &files->header;
	int err;

	if (!d->path || d->named)
		return 0;
	/* Whoever may not give a file away keeps it. */
	if ((fchown(d->fd, files->st.st_uid, files->st.st_gid) &&
	     errno != EPERM) ||
	    fsync(d->fd))
		return why_set(why, -errno, "%s: cannot be finished: %s",
			       d->part, strerror(errno));
	err = rename_durably(d->part, d->path, why);
	if (!err)
		d->named = true;
	return err;
}
