/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Allocating blocks: see allocate.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "lib/why.h"
#include "tools/allocate.h"
#include "tools/progress.h"

#define STEP (256ull << 20) /* bytes; some file systems write them */

static int allocate(int fd, uint64_t at, uint64_t end,
		    struct progress *progress)
{
	uint64_t len;

	while (at < end) {
		len = end - at < STEP ? end - at : STEP;
		if (!fallocate(fd, 0, (off_t)at, (off_t)len))
			at += len;
		else if (errno != EINTR)
			return -errno;
		progress_update(progress, at);
	}
	return 0;
}

int allocate_blocks(int fd, uint64_t at, uint64_t end,
		    const struct progress_args *args, struct why *why)
{
	struct progress progress;
	int err;

	progress_start(&progress, args, "preallocate", at, end);
	err = allocate(fd, at, end, &progress);
	progress_end(&progress);
	if (err == -EOPNOTSUPP)
		return why_set(why, err,
			       "this file system cannot allocate in advance "
			       "(leave out --preallocate)");
	if (err)
		return why_set(why, err, "no room for %" PRIu64 " bytes: %s",
			       end - at, strerror(-err));
	return 0;
}
