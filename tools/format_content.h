/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What an image holds before it is formatted: asking whether that may go, and
 * making it unrecognisable.
 */
#ifndef TOOLS_FORMAT_CONTENT_H
#define TOOLS_FORMAT_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

struct why;

/*
 * When the start of the image open at @fd is not empty, say what it holds and
 * ask for YES, unless @batch.  Errors: -ENOTTY (nobody to ask), -ECANCELED,
 * those of reading.
 */
int format_confirm(int fd, const char *path, bool batch, struct why *why);

/*
 * Overwrite signatures of the past at the end of the @size bytes, which others
 * would still find, as far as data begin at @data_offset.  0 or -errno.
 */
int format_wipe_tail(int fd, uint64_t data_offset, uint64_t size,
		     struct why *why);

#endif
