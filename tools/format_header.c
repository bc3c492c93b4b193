/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Making a detached header: see format_header.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt/encrypt.h"
#include "crypt/luks_format.h"
#include "crypt/luks_image.h"
#include "lib/why.h"
#include "tools/container.h"
#include "tools/format_header.h"
#include "tools/passphrase.h"

#define WIPE (1u << 20) /* bytes */

static int exists(const char *path, struct why *why)
{
	return why_set(why, -EEXIST,
		       "%s: exists, and a header is a new file (remove it)",
		       path);
}

int format_header_check(const char *path, struct why *why)
{
	struct stat st;

	return lstat(path, &st) ? 0 : exists(path, why);
}

int format_header_write(const char *path, int data_fd,
			const struct luks_format *what,
			const struct secret *secret, struct why *why)
{
	int fd, r;

	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return exists(path, why);
	if (fd < 0)
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	r = container_lock(fd, false, path, why);
	if (!r && ftruncate(fd, (off_t)luks_place_header(&what->place)))
		r = why_set(why, -errno, "%s: %s", path, strerror(errno));
	if (!r) {
		r = encrypt_write_header(fd, data_fd, what, secret->data,
					 secret->len, why);
		if (r)
			why_prefix(why, "%s", path);
	}
	if (r)
		unlink(path);
	close(fd);
	return r;
}

int format_header_wipe_data(int data_fd, struct why *why)
{
	static const uint8_t zeroes[64 << 10];
	uint64_t size, at = 0;
	size_t len;
	int r = luks_image_size(data_fd, &size, why);

	if (r)
		return r;
	for (; at < size && at < WIPE; at += len) {
		len = size - at < sizeof(zeroes) ? (size_t)(size - at)
						 : sizeof(zeroes);
		if (pwrite(data_fd, zeroes, len, (off_t)at) != (ssize_t)len)
			return why_set(why, -(errno ? errno : EIO),
				       "cannot be written: %s",
				       strerror(errno));
	}
	return 0;
}
