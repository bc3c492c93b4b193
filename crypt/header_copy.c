/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A header as a copy in memory: see header_copy.h.
 */
#include <errno.h>
#include <libcryptsetup.h>
#include <string.h>
#include <unistd.h>

#include "crypt/header_copy.h"
#include "crypt/luks1_repair.h"
#include "crypt/luks_image.h"
#include "crypt/luks_log.h"
#include "lib/transfer.h"
#include "lib/why.h"

/* To repair a header is to have room for its data, which a backup has not. */
static int make_room(const struct header_copy *copy, struct why *why)
{
	off_t start = (off_t)copy->info.data_offset;

	if (lseek(copy->fd, 0, SEEK_END) >= start ||
	    !ftruncate(copy->fd, start))
		return 0;
	return why_set(why, -errno, "no memory for the header: %s",
		       strerror(errno));
}

/* The gate has seen it: now the better of two headers becomes both. */
static int settle(const struct header_copy *copy, struct why *why)
{
	struct luks_log log = { "" };
	struct crypt_device *cd;
	int r;

	if (strcmp(copy->info.type, CRYPT_LUKS2))
		return 0;
	r = make_room(copy, why);
	if (!r)
		r = luks_log_start(copy->fd, &log, &cd, why);
	if (r)
		return r;
	r = crypt_repair(cd, CRYPT_LUKS2, NULL);
	crypt_free(cd);
	return r ? why_set(why, -EINVAL, "the header cannot be repaired: %s",
			   luks_log_error(&log, r))
		 : 0;
}

/* A conversion of a detached header takes all of the file for key slots. */
static int trim(const struct header_copy *copy, int header_fd, struct why *why)
{
	uint64_t size;
	int r = luks_image_size(header_fd, &size, why);

	if (!r && ftruncate(copy->fd, (off_t)size))
		r = why_set(why, -errno, "no memory for the header: %s",
			    strerror(errno));
	return r;
}

/* What the jailed child has made of the header, held against the image. */
static int compare(struct header_copy *copy, int header_fd,
		   struct luks1_repairs *ret, struct why *why)
{
	uint8_t before[LUKS1_HEADER_SIZE], after[LUKS1_HEADER_SIZE];
	struct luks1_repairs none = { 0 };
	int r;

	*ret = none;
	if (strcmp(copy->info.type, CRYPT_LUKS1))
		return 0;
	/* Its key slots stay what they are. */
	copy->span = copy->info.slots_offset;
	r = transfer_read(header_fd, before, sizeof(before), 0);
	if (!r)
		r = transfer_read(copy->fd, after, sizeof(after), 0);
	if (r)
		return why_set(why, r, "the header cannot be read: %s",
			       strerror(-r));
	r = luks1_repair_compare(before, after, ret);
	return r ? why_set(why, r,
			   "the header cannot be repaired without"
			   " harm: it may be hostile")
		 : 0;
}

static int take(const struct volume_request *request,
		struct luks1_repairs *repairs, struct header_copy *ret,
		struct why *why)
{
	struct header_copy copy;
	int r;

	r = luks_image_flock(request->header_fd, true, why);
	if (r)
		return r;
	if (repairs)
		r = volume_repair_copy(request, &copy.info, &copy.fd, why);
	else
		r = volume_probe_copy(request, &copy.info, &copy.fd, why);
	if (r)
		goto out_unlock;
	copy.span = copy.info.header_size;
	if (repairs)
		r = compare(&copy, request->header_fd, repairs, why);
	if (!r)
		r = settle(&copy, why);
	if (!r)
		r = trim(&copy, request->header_fd, why);
	if (r)
		close(copy.fd);
	else
		*ret = copy;
out_unlock:
	luks_image_funlock(request->header_fd);
	return r;
}

int header_copy_take(const struct volume_request *request,
		     struct header_copy *ret, struct why *why)
{
	return take(request, NULL, ret, why);
}

int header_copy_repair(const struct volume_request *request,
		       struct header_copy *ret,
		       struct luks1_repairs *ret_repairs, struct why *why)
{
	struct luks1_repairs repairs;
	int r = take(request, &repairs, ret, why);

	if (!r)
		*ret_repairs = repairs;
	return r;
}

void header_copy_drop(struct header_copy *copy)
{
	if (copy->fd >= 0)
		close(copy->fd);
	copy->fd = -1;
}

static int convert(int fd, const char *type, struct why *why)
{
	struct luks_log log = { "" };
	struct crypt_device *cd;
	int r;

	r = luks_log_start(fd, &log, &cd, why);
	if (r)
		return r;
	r = crypt_load(cd, NULL, NULL);
	if (!r)
		r = crypt_convert(cd, type, NULL);
	crypt_free(cd);
	return r ? why_set(why, -EINVAL, "cannot be converted to %s: %s", type,
			   luks_log_error(&log, r))
		 : 0;
}

int header_copy_convert(struct header_copy *copy, const char *type,
			struct why *why)
{
	const struct volume_info *was = &copy->info;
	struct volume_info is;
	int r;

	r = convert(copy->fd, type, why);
	if (!r)
		r = volume_probe(&VOLUME_HEADER(copy->fd), &is, why);
	if (r)
		return r;
	if (strcmp(is.type, type) || strcmp(is.uuid, was->uuid) ||
	    strcmp(is.cipher, was->cipher) ||
	    is.data_offset != was->data_offset ||
	    is.sector_size != was->sector_size ||
	    is.key_bytes != was->key_bytes)
		return why_set(why, -EINVAL,
			       "conversion to %s would change what the data"
			       " are, nothing was done",
			       type);
	/* Nor may anything be left of the key slots that were there. */
	if (is.header_size > copy->span)
		copy->span = is.header_size;
	copy->info = is;
	return 0;
}
