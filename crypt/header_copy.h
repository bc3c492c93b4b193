/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A container's header, with its key slots, as a copy in memory: taken from an
 * image, put into a file, written back to an image.
 *
 * What is in the copy has passed the gate, and libcryptsetup has put it in
 * order: of two LUKS2 headers of which one is damaged or older, both are the
 * better one.  Nobody else can change it, so libcryptsetup may work on it.
 */
#ifndef CRYPT_HEADER_COPY_H
#define CRYPT_HEADER_COPY_H

#include "crypt/unlock.h"

struct luks1_repairs;

struct header_copy {
	int fd;	       /* a memfd */
	uint64_t span; /* bytes of it that count */
	struct volume_info info;
};

/*
 * Copy the header of @request.  header_copy_drop frees it.
 * Errors: those of volume_probe.
 */
int header_copy_take(const struct volume_request *request,
		     struct header_copy *ret, struct why *why);

/*
 * The same for a repair: a LUKS1 header need not be in order, the copy is.  Of
 * LUKS1 only the header is copied, without its key slots, and @ret_repairs says
 * what has changed.  Errors: -EINVAL also if it is beyond repair.
 */
int header_copy_repair(const struct volume_request *request,
		       struct header_copy *ret,
		       struct luks1_repairs *ret_repairs, struct why *why);

void header_copy_drop(struct header_copy *copy);

/*
 * Turn it into the other version of the format, "LUKS1" or "LUKS2", and judge
 * the result.  The copy is of no use when this fails.  Errors: -EINVAL (it
 * cannot be said in that version, with the reason), those of volume_probe.
 */
int header_copy_convert(struct header_copy *copy, const char *type,
			struct why *why);

/* Make the file @path of it, mode 0600.  Errors: -EEXIST, other -errno. */
int header_copy_save(const struct header_copy *copy, const char *path,
		     struct why *why);

enum header_part {
	HEADER_FIRST = 1, /* the only one of LUKS1 */
	HEADER_SECOND = 2,
	HEADER_SLOTS = 4,
};

/*
 * Make the image at @fd, open for reading and writing, begin with it; bytes
 * that are right already are not touched.  The first header comes last: as
 * long as it is the old one, this can be done again.  @ret_parts: what was
 * changed.  Errors: -EBUSY (cryptsetup works on the image), other -errno.
 */
int header_copy_write(const struct header_copy *copy, int fd,
		      unsigned int *ret_parts, struct why *why);

#endif
