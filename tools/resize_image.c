/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Another size for a closed container: see resize_image.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt/unlock.h"
#include "crypt/xts.h"
#include "lib/why.h"
#include "tools/allocate.h"
#include "tools/resize_image.h"

static int check_size(const struct resize_image *what,
		      const struct volume_info *info, struct why *why)
{
	uint64_t data = what->size - info->data_offset;

	if (what->size <= info->data_offset || data % info->sector_size)
		return why_set(why, -EDOM,
			       "%" PRIu64 " bytes are not the header's %" PRIu64
			       " and then sectors of %u",
			       what->size, info->data_offset,
			       info->sector_size);
	if (data > XTS_PLAIN_MAX && !strcmp(info->cipher, "aes-xts-plain"))
		return why_set(why, -EDOM, "aes-xts-plain is for up to 2 TiB");
	return 0;
}

static int confirm(const struct resize_image *what, uint64_t old,
		   struct why *why)
{
	/* It is the image that loses something, wherever the header is. */
	const struct container_paths image = { .image = what->paths.image };
	char question[512];

	snprintf(question, sizeof(question),
		 "The last %" PRIu64 " bytes of %.300s will be cut off for "
		 "good.\nThe file system in it has to be smaller already.",
		 old - what->size, what->paths.image);
	return container_confirm(&image, what->batch, question, why);
}

static int shrink(const struct resize_image *what, int fd, struct why *why)
{
	if (!ftruncate(fd, (off_t)what->size) && !fsync(fd))
		return 0;
	return why_set(why, -errno, "%s: cannot be cut: %s", what->paths.image,
		       strerror(errno));
}

static int grow(const struct resize_image *what, int fd, uint64_t old,
		struct why *why)
{
	int err = 0;

	if (what->preallocate)
		err = allocate_blocks(fd, old, what->size, &what->progress,
				      why);
	else if (ftruncate(fd, (off_t)what->size))
		err = why_set(why, -errno, "cannot have %" PRIu64 " bytes: %s",
			      what->size, strerror(errno));
	/* What was got so far is not what was asked for. */
	if (err && ftruncate(fd, (off_t)old))
		err = why_set(why, -errno,
			      "cannot be cut back to %" PRIu64 " bytes: %s",
			      old, strerror(errno));
	if (!err && fsync(fd))
		err = why_set(why, -errno, "cannot be made durable: %s",
			      strerror(errno));
	if (err)
		why_prefix(why, "%s", what->paths.image);
	return err;
}

/* What it is, and whether it can be what it shall be. */
static int inspect(const struct resize_image *what, const struct container *c,
		   uint64_t *ret_old, struct why *why)
{
	struct volume_request request = VOLUME_REQUEST(c->header_fd);
	struct volume_info info;
	struct stat st;
	int err;

	if (fstat(c->image_fd, &st))
		return why_set(why, -errno, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return why_set(why, -EINVAL,
			       "a block device has the size it has");
	request.data_fd = c->image_fd;
	err = volume_probe(&request, &info, why);
	if (!err)
		err = check_size(what, &info, why);
	if (!err)
		*ret_old = (uint64_t)st.st_size;
	return err;
}

int resize_image(const struct resize_image *what, struct why *why)
{
	struct container c;
	uint64_t old;
	int err;

	err = container_open(&what->paths, CONTAINER_CHANGE, &c, why);
	if (err)
		return err;
	err = inspect(what, &c, &old, why);
	if (err) {
		why_prefix(why, "%s", what->paths.image);
	} else if (what->size < old) {
		err = confirm(what, old, why);
		if (!err)
			err = shrink(what, c.image_fd, why);
	} else if (what->size > old) {
		err = grow(what, c.image_fd, old, why);
	}
	container_close(&c);
	return err;
}
