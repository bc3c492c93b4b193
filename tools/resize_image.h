/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Another size for the image of a container that is not open.
 */
#ifndef TOOLS_RESIZE_IMAGE_H
#define TOOLS_RESIZE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/container.h"
#include "tools/progress.h"

struct why;

struct resize_image {
	struct container_paths paths;
	uint64_t size; /* bytes of the image, header included */
	bool preallocate, batch;
	struct progress_args progress;
};

/*
 * Grow or shrink the file.  Its data area reaches to its end, so the header
 * needs no change.  To shrink is asked about at the terminal, unless @batch.
 * Errors: -EDOM (no such size is possible), -EINVAL (no file, no container),
 * -EBUSY (it is open), -ECANCELED, -ENOTTY, -ENOSPC, other -errno.  When it
 * fails, the size is what it was.
 */
int resize_image(const struct resize_image *what, struct why *why);

#endif
