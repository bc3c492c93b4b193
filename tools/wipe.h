/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Filling the data area of a container that was just made.
 */
#ifndef TOOLS_WIPE_H
#define TOOLS_WIPE_H

struct progress_args;
struct secret;
struct why;

/*
 * Unlock the container whose image is open at @fd with @secret, which shows at
 * once that this works, and write encrypted zeroes over all of its data.  Its
 * header is in the file @header, or in the image (NULL).  This process has not
 * used OpenSSL (see crypt/arena.h).
 * Errors: those of volume_unlock, arena_install and data_area_wipe.
 */
int wipe_container(const char *header, int fd, const struct secret *secret,
		   const struct progress_args *args, struct why *why);

#endif
