/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The data area of a container, for a command that reads or writes it itself:
 * devices on files that the caller has open.
 */
#ifndef CRYPT_DATA_AREA_H
#define CRYPT_DATA_AREA_H

#include <stdbool.h>
#include <stdint.h>

struct blk_dev;
struct volume_info;
struct why;

/*
 * The file or block device open at @fd, which the device shares with the
 * caller: O_DIRECT is set where it works in units of @unit bytes.  @name is
 * for reasons.  Errors: those of file_set_cache and file_blk_new.
 */
int data_file_open(int fd, const char *name, bool readonly, uint32_t unit,
		   struct blk_dev **ret, struct why *why);

/*
 * The first @size bytes of the plaintext of the container open at @fd for
 * reading and writing, by what volume_unlock has found.  The cipher's state is
 * on OpenSSL's heap (see crypt/arena.h).  Errors: also those of cryptdev_new.
 */
int data_area_open(int fd, const char *name, const struct volume_info *info,
		   const uint8_t *key, uint64_t size, struct blk_dev **ret,
		   struct why *why);

/*
 * Write zeroes, as ciphertext, over all of the data area, durably.  @progress
 * may be NULL; it is called often, and its -errno ends the job.
 */
int data_area_wipe(int fd, const char *name, const struct volume_info *info,
		   const uint8_t *key, int (*progress)(void *arg, uint64_t at),
		   void *arg, struct why *why);

#endif
