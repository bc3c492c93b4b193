/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The cipher as the copy between driver memory and private memory.
 *
 * Driver memory is a list of segments of any length and alignment, which its
 * owner may change, or take away, at any time.  Hence: each of its bytes is
 * read once, it never holds ciphertext, and a page that is missing is an
 * error of the copy.  Sectors that straddle segments go through a private
 * sector.
 */
#ifndef CRYPT_COPY_H
#define CRYPT_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct xts;

/* A position in driver memory: @done bytes into *@seg. */
struct copy_pos {
	const struct iovec *seg;
	size_t done;
};

struct copy {
	struct xts *xts;
	uint32_t sector_size; /* bytes */
	uint64_t sector;      /* of 512 bytes: of the first byte */
	struct copy_pos pos;
	uint8_t *buf;	   /* private memory, @len bytes */
	size_t len;	   /* a multiple of @sector_size */
	uint8_t *straddle; /* private memory, a sector */
	int err;	   /* inside */
};

/* Move @pos by @len bytes, which are there. */
void copy_skip(struct copy_pos *pos, size_t len);

/*
 * Driver memory to private memory, and back.  What stands in @c is used up.
 * Errors: -EFAULT (driver memory is missing), -EIO (the cipher failed).
 */
int copy_encrypt(struct copy *c);
int copy_decrypt(struct copy *c);

#endif
