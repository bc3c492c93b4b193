/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The container that a command is for: an image, and its header where that is
 * a file of its own.
 *
 * The image's lock says that a volume is open, and is held as long as it is.
 * The header's is held only while the header is read or changed: it may stand
 * on a stick that is taken away afterwards.
 */
#ifndef TOOLS_CONTAINER_H
#define TOOLS_CONTAINER_H

#include <stdbool.h>

#include "tools/options.h"

struct why;

struct container_paths {
	const char *image;
	const char *header; /* NULL: in the image */
};

/* --header; offsets start from a struct container_paths. */
extern const struct option container_options[];

struct container {
	int image_fd;
	int header_fd; /* the same when the header is in the image */
};

enum container_use {
	CONTAINER_LOOK,	  /* neither is locked, nor written */
	CONTAINER_CHANGE, /* no other has the image open or the header in use */
};

/*
 * Open, and lock, what a command needs that looks at a header or changes it.
 * Errors: -EBUSY (open, or in use), -EDOM (--header is the image), -errno.
 */
int container_open(const struct container_paths *paths, enum container_use use,
		   struct container *ret, struct why *why);

void container_close(struct container *container);

/* Which of the two a reason about the header is about. */
const char *container_header_path(const struct container_paths *paths);

/*
 * Open the detached header of the image at @image_fd for reading and keep
 * others from changing it until the descriptor is closed.  Errors as above.
 */
int container_open_header(const struct container_paths *paths, int image_fd,
			  int *ret_fd, struct why *why);

/*
 * Lock the image at @fd; a volume that was closed just now is waited for.
 * Errors: -EBUSY, -errno.
 */
int container_lock(int fd, bool shared, const char *path, struct why *why);

/*
 * Ask at the terminal for YES before what cannot be undone; @question says
 * what that is, in whole lines.  With @batch nobody is asked.
 * Errors: -ECANCELED, -ENOTTY (nobody to ask).
 */
int container_confirm(const struct container_paths *paths, bool batch,
		      const char *question, struct why *why);

#endif
