/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Writing a new LUKS2 header.  Creating the file, locking it and asking
 * before something is overwritten are the caller's part.
 */
#ifndef CRYPT_LUKS_FORMAT_H
#define CRYPT_LUKS_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypt/luks_pbkdf.h"

struct why;

#define LUKS_DATA_OFFSET (16u << 20) /* bytes; cryptsetup's default */

/* 0 and NULL stand for the default. */
struct luks_format {
	const char *cipher;   /* "aes-xts-plain64" (default), "aes-xts-plain" */
	uint32_t key_bytes;   /* 32 or 64 (default) */
	uint32_t sector_size; /* bytes; by default 4096 where it fits */
	const char *label;
	const char *uuid; /* a random one by default */
	struct luks_pbkdf kdf;
};

/*
 * Check all of @what against the image's @size (bytes) and, for the key
 * derivation, against machine and control group, without writing anything;
 * fill in the defaults.  Errors: -EDOM (a value that is not possible),
 * -ENOMEM (key derivation needs more than there is).
 */
int luks_format_check(struct luks_format *what, uint64_t size, struct why *why);

/*
 * Write header and one key slot to the image open at @fd for reading and
 * writing; @what has passed luks_format_check.  Whatever the first 16 MiB
 * held is lost.  Uses flock(2) on the image.  Errors: -EINVAL, -ENOMEM,
 * -ENOSPC, -EIO, other -errno.
 */
int luks_format_write(int fd, const struct luks_format *what,
		      const void *passphrase, size_t len, struct why *why);

#endif
