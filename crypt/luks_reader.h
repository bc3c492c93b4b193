/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Reading a LUKS header with libcryptsetup, from a private copy.  Runs inside
 * the cell of unlock_jail.h and must not be called elsewhere: what it parses
 * is not trusted.  It finds out what a volume is, judges it, and tries the
 * key slots.
 */
#ifndef CRYPT_LUKS_READER_H
#define CRYPT_LUKS_READER_H

#include <stddef.h>
#include <stdint.h>

#include "crypt/kdf_limits.h"
#include "crypt/unlock.h"

struct luks_reader;
struct why;

/*
 * Copy the headers of the image into the memfd @copy_fd and load them.
 * @image_size in bytes.  The reader keeps both descriptors in use; they stay
 * the caller's.  Errors: -EINVAL (not LUKS, damaged), -EIO, -ENOMEM.
 */
int luks_reader_open(int image_fd, int copy_fd, uint64_t image_size,
		     struct luks_reader **ret, struct why *why);

/*
 * Can it be served?  Fills the geometry.  Errors: -EINVAL, -EIO.
 */
int luks_reader_judge(struct luks_reader *reader, struct volume_info *ret,
		      struct why *why);

/*
 * After luks_reader_judge: try the key slots, except those that need more
 * than @memory.  Errors: -EPERM, -ENOMEM, -EINVAL, -EIO.
 */
int luks_reader_unlock(struct luks_reader *reader,
		       const struct kdf_memory *memory, const void *passphrase,
		       size_t len, uint8_t key[static VOLUME_KEY_MAX],
		       int *ret_slot, struct why *why);

/* Describe it; *ret_text is freed by the caller.  Errors: -EINVAL, -ENOMEM. */
int luks_reader_dump(struct luks_reader *reader, enum volume_dump_format format,
		     char **ret_text, struct why *why);

void luks_reader_close(struct luks_reader *reader);

#endif
