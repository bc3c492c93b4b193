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
#include "crypt/luks_place.h"

struct why;

/* Bytes; cryptsetup's default, and ours for images of 64 MiB and more. */
#define LUKS_DATA_OFFSET (16u << 20)

/* 0 and NULL stand for the default. */
struct luks_format {
	const char *cipher;   /* "aes-xts-plain64" (default), "aes-xts-plain" */
	uint32_t key_bytes;   /* 32 or 64 (default) */
	uint32_t sector_size; /* bytes; by default 4096 where it fits */
	const char *label;
	const char *uuid; /* a random one by default */
	struct luks_pbkdf kdf;
	struct luks_place place;
};

/*
 * Check all of @what against the @size (bytes) of what holds the data and, for the key
 * derivation, against machine and control group, without writing anything;
 * fill in the defaults.  Errors: -EDOM (a value that is not possible),
 * -ENOMEM (key derivation needs more than there is).
 */
int luks_format_check(struct luks_format *what, uint64_t size, struct why *why);

/*
 * Write header and one key slot to the image open at @fd for reading and
 * writing; @what has passed luks_format_check.  Whatever stood there before
 * its data offset is lost.  Uses flock(2) on the image.  Errors: -EINVAL,
 * -ENOMEM, -ENOSPC, -EIO, other -errno.
 */
int luks_format_write(int fd, const struct luks_format *what,
		      const void *passphrase, size_t len, struct why *why);

/* The same with the header at @fd and the data, untouched, at @data_fd. */
int luks_format_write_detached(int fd, int data_fd,
			       const struct luks_format *what,
			       const void *passphrase, size_t len,
			       struct why *why);

#endif
