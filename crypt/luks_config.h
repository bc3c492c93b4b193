/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Changing what a LUKS2 header says about the use of its container.  Locking
 * the image against other openers is the caller's part.
 */
#ifndef CRYPT_LUKS_CONFIG_H
#define CRYPT_LUKS_CONFIG_H

#include <stdbool.h>

struct why;

/*
 * Set or clear the persistent flag "allow-discards" of the image open at @fd
 * for reading and writing; other flags stay.  The image has passed
 * volume_probe as a LUKS2 container.  No passphrase is needed.  Uses flock(2)
 * on the image.  Errors: -EINVAL, -EIO, other -errno.
 */
int luks_config_discards(int fd, bool allow, struct why *why);

#endif
