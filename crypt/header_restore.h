/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Is a backup the header of this container?
 */
#ifndef CRYPT_HEADER_RESTORE_H
#define CRYPT_HEADER_RESTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct volume_info;
struct why;

/*
 * May the header @backup stand in front of (or, @detached, apart from) the
 * data in an image of @image_size bytes?  Errors: -EINVAL.
 */
int header_restore_check(const struct volume_info *backup, bool detached,
			 uint64_t image_size, struct why *why);

/*
 * What is not the same in the header that is there (@now) and in the backup,
 * as a text for the user, or "" when it is the same container's.  Key slots
 * may differ.
 */
void header_restore_differences(const struct volume_info *now,
				const struct volume_info *backup, char *ret,
				size_t size);

#endif
