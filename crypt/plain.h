/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Plain dm-crypt volumes: an image that is all ciphertext, without a header.
 * Everything comes from the user, and nothing can be checked: neither the
 * parameters nor the passphrase.
 */
#ifndef CRYPT_PLAIN_H
#define CRYPT_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypt/unlock.h"

struct why;

/* As cryptsetup's options of these names; nothing has a default. */
struct plain_params {
	const char *cipher;   /* "aes-xts-plain64" or "aes-xts-plain" */
	uint32_t key_bytes;   /* 32 or 64 */
	uint32_t sector_size; /* bytes: 512, 1024, 2048 or 4096 */
	uint64_t offset;      /* of the data, in 512-byte sectors */
	uint64_t skip;	      /* what its first one counts as for the IV */
	uint64_t size;	      /* in 512-byte sectors; 0: up to the end */
	const char *hash;     /* of the passphrase, or "plain": none */
};

/*
 * The geometry of such a volume on the image open at @image_fd, which is not
 * changed.  With @force it may be anything; else it must not look like a
 * container, file system or the like, since that would be overwritten.
 * Errors: -EDOM (a parameter is not possible), -EINVAL (the image is), -errno.
 */
int plain_probe(int image_fd, const struct plain_params *params, bool force,
		struct volume_info *ret, struct why *why);

/*
 * The key that a passphrase stands for, as libcryptsetup makes it, in a jailed
 * child.  @passphrase and @key stand in memory of secmem_alloc; all
 * VOLUME_KEY_MAX bytes of @key are written, of which params->key_bytes count.
 * Errors: -EDOM (the hash is not known), -ENOMEM, -EIO.
 */
int plain_hash(int image_fd, const struct plain_params *params,
	       const void *passphrase, size_t len,
	       uint8_t key[static VOLUME_KEY_MAX], struct why *why);

/* For the child: the same, with a memfd for libcryptsetup to look at. */
int plain_hash_jailed(int copy_fd, const struct plain_params *params,
		      const void *passphrase, size_t len,
		      uint8_t key[static VOLUME_KEY_MAX], struct why *why);

#endif
