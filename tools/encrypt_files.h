/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The files of an encryption: the plain image, the container that is being
 * made of it (OUTPUT.part), and the name that it gets when it is finished and
 * proved, so that no name ever stands for the half of something.
 */
#ifndef TOOLS_ENCRYPT_FILES_H
#define TOOLS_ENCRYPT_FILES_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "crypt/encrypt_journal.h"
#include "tools/encrypt_detached.h"

struct why;

struct encrypt_files {
	const char *image;     /* as it was given */
	char target[PATH_MAX]; /* the same, no symbolic link */
	char output[PATH_MAX];
	char part[PATH_MAX];
	bool replace; /* the image, with the container */
	struct stat st;
	int image_fd, part_fd; /* -1: none */
	struct encrypt_detached header;
	bool found; /* there is a part, of an earlier run */
	struct encrypt_journal journal;
};

/* Before anything else, for encrypt_files_close. */
void encrypt_files_init(struct encrypt_files *files);
void encrypt_files_close(struct encrypt_files *files);

/*
 * Open the image and see that it is one, and that nobody is using it; find what
 * an earlier run has left, and lock it.  A detached header is open already
 * (encrypt_detached_open).  @output NULL: IMAGE.luks.  Nothing is
 * changed.
 * Errors: -EINVAL, -EEXIST (what is to be made is there), -EBUSY, -ESTALE (the
 * image has changed since, and not @restart), -errno.
 */
int encrypt_files_open(struct encrypt_files *files, const char *image,
		       const char *output, bool replace, bool restart,
		       struct why *why);

/*
 * See that there is room for all of a container of so many bytes.  *ret_free
 * is what is available.  -ENOSPC.
 */
int encrypt_files_check_room(const struct encrypt_files *files,
			     uint64_t container, uint64_t *ret_needed,
			     uint64_t *ret_free, struct why *why);

/*
 * Make the part, or empty it: all of its blocks, and a journal that says that
 * there is no header yet.
 */
int encrypt_files_begin(struct encrypt_files *files, uint64_t container,
			struct why *why);

/*
 * Cut the journal off and give the finished container its name, owner and
 * rights, durably.  -EEXIST: there is a file of that name by now.
 */
int encrypt_files_finish(struct encrypt_files *files, struct why *why);

#endif
