/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The header of an encryption, where it is a file of its own: FILE.part until
 * all data are proved, then FILE.
 */
#ifndef TOOLS_ENCRYPT_DETACHED_H
#define TOOLS_ENCRYPT_DETACHED_H

#include <limits.h>
#include <stdbool.h>

struct encrypt_files;
struct luks_format;
struct secret;
struct why;

struct encrypt_detached {
	const char *path; /* NULL: the header is in the container */
	char part[PATH_MAX];
	int fd;	    /* readable; -1: there is none yet */
	bool named; /* it is called path already */
};

/*
 * Find what an earlier run has left.  @path NULL: there is to be none.
 * Errors: -EDOM, -EEXIST (something else has its name), other -errno.
 */
int encrypt_detached_open(struct encrypt_detached *d, const char *path,
			  struct why *why);

/* Nothing is removed. */
void encrypt_detached_close(struct encrypt_detached *d);

/*
 * With the other files open: does it go with the container that was found, or
 * may it be made?  Errors: -EDOM (two files have one name), -EEXIST, -ENOENT.
 */
int encrypt_detached_check(const struct encrypt_files *files, struct why *why);

/*
 * Make it for the data in the part of @files, in the place of one of a run that
 * came no further.  What fails leaves no file.  Errors: those of
 * format_header_write.
 */
int encrypt_detached_make(struct encrypt_files *files,
			  const struct luks_format *what,
			  const struct secret *secret, struct why *why);

/*
 * Give it its name, and the owner of the image, durably.  -EEXIST: there is a
 * file of that name by now.
 */
int encrypt_detached_finish(struct encrypt_files *files, struct why *why);

#endif
