/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What may hold a container: a regular file or a block device.
 */
#ifndef CRYPT_LUKS_IMAGE_H
#define CRYPT_LUKS_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

struct why;

/*
 * In bytes.  Errors: -EINVAL (neither file nor block device), -errno.
 */
int luks_image_size(int fd, uint64_t *ret, struct why *why);

/* Are both the same file or block device? */
bool luks_image_same(int a, int b);

/*
 * Keep libcryptsetup away from the header, in other processes: the lock that
 * it takes itself, and waits for without end.  So this process must not use
 * it on the same image until luks_image_funlock.  Where a file system has no
 * such locks there is nobody to keep away.
 * Errors: -EBUSY (after two seconds).
 */
int luks_image_flock(int fd, bool shared, struct why *why);
void luks_image_funlock(int fd);

/*
 * Before libcryptsetup writes a header to @fd: turn its locking off where it
 * cannot work.
 */
void luks_image_set_locking(int fd);

#endif
