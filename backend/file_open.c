/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Opening what a file device stands on, and whether it goes around the page
 * cache: see file.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/file.h"
#include "lib/why.h"

static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFCHR:
		return "a character device";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	default:
		return "of an unknown type";
	}
}

static int bad_kind(const char *path, mode_t mode, struct why *why)
{
	return why_set(why, -EINVAL,
		       "%s: is %s (a regular file or a block device is needed)",
		       path, kind_of(mode));
}

static int check_kind(int fd, const char *path, struct why *why)
{
	struct stat st;

	if (fstat(fd, &st))
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return bad_kind(path, st.st_mode, why);
	return 0;
}

/* open(2) fails for some kinds before they can be asked what they are. */
static int open_failed(const char *path, int err, struct why *why)
{
	struct stat st;

	if ((err == EISDIR || err == ENXIO) && !stat(path, &st) &&
	    !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return bad_kind(path, st.st_mode, why);
	return why_set(why, -err, "%s: %s%s", path, strerror(err),
		       err == EBUSY ? " (it is mounted or held by another "
				      "program)"
				    : "");
}

int file_open(const char *path, bool readonly, int *ret_fd, struct why *why)
{
	/* Without O_NONBLOCK the open of a FIFO waits for its other end. */
	int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd, err;

	fd = open(path, flags | (readonly ? O_RDONLY : O_RDWR));
	if (fd < 0)
		return open_failed(path, errno, why);
	err = check_kind(fd, path, why);
	if (err)
		goto close_fd;
	/* ... and with it io_uring would answer -EAGAIN instead of waiting. */
	if (fcntl(fd, F_SETFL, 0)) {
		err = why_set(why, -errno, "%s: %s", path, strerror(errno));
		goto close_fd;
	}
	*ret_fd = fd;
	return 0;

close_fd:
	close(fd);
	return err;
}

/* The second unit: the first lies well for any alignment. */
static bool trial_read(int fd, uint32_t unit)
{
	void *buf;
	ssize_t n;

	if (posix_memalign(&buf, 4096, unit))
		return false;
	do
		n = pread(fd, buf, unit, unit);
	while (n < 0 && errno == EINTR);
	free(buf);
	/* Other errors are the medium's, and answered per request. */
	return n >= 0 || errno != EINVAL;
}

int file_set_cache(int fd, const char *path, enum file_cache cache,
		   uint32_t unit, struct why *why)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	if (cache != FILE_CACHE_BUFFERED &&
	    !fcntl(fd, F_SETFL, flags | O_DIRECT) && trial_read(fd, unit))
		return 0;
	if (fcntl(fd, F_SETFL, flags & ~O_DIRECT))
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	if (cache == FILE_CACHE_DIRECT)
		return why_set(why, -EOPNOTSUPP,
			       "%s: direct I/O in units of %u bytes is not "
			       "supported here (use --cache buffered)",
			       path, unit);
	return 0;
}
