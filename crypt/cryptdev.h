/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The cipher as a block device on top of a block device.
 *
 * Knows where the data area lies and how its sectors are encrypted; nothing
 * of headers and key slots, and nothing of what stands above or below.
 */
#ifndef CRYPT_CRYPTDEV_H
#define CRYPT_CRYPTDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypt/xts.h"

struct blk_dev;
struct blk_info;
struct why;

struct cryptdev_params {
	const uint8_t *key;   /* not needed after cryptdev_new */
	size_t key_bytes;     /* 32 or 64 */
	uint32_t sector_size; /* bytes: 512, 1024, 2048 or 4096 */
	enum xts_iv iv;	      /* counted from the start of the data area */
	uint64_t data_offset; /* bytes, where the data area begins */
	uint64_t data_size;   /* bytes; a multiple of sector_size, not 0 */
	bool allow_discards;  /* else DISCARD is not served */
	uint64_t iv_offset; /* what the first sector counts as, in 512 bytes */
};

/*
 * What the device on top of @lower would be, whether or not @lower is large
 * enough and the rest of @params (no key is needed) is right.
 */
void cryptdev_info(const struct blk_info *lower,
		   const struct cryptdev_params *params, struct blk_info *ret);

/*
 * The plaintext of the data area of @lower, whose owner the device becomes
 * when this succeeds.  A missing page of driver memory (lib/guard.h) fails its
 * request with -EFAULT.
 * Errors: -EINVAL (a parameter, or @lower is too small or cannot be addressed
 * in sectors of this size), and those of xts_new.
 */
int cryptdev_new(struct blk_dev *lower, const struct cryptdev_params *params,
		 struct blk_dev **ret, struct why *why);

#endif
