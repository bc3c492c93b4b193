/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Passphrases from files and open descriptors.  Internal to
 * tools/passphrase.c, which says which one is meant.
 */
#ifndef TOOLS_PASSPHRASE_FILE_H
#define TOOLS_PASSPHRASE_FILE_H

#include <stdint.h>

struct secret;
struct why;

#define PASSPHRASE_MAX 512	  /* bytes, typed or on a line */
#define KEY_FILE_MAX   (8u << 20) /* bytes */

/*
 * The file @path, or standard input for "-": @size bytes from @offset, which
 * it must have, or all that follows @offset when @size is 0.
 * Errors: -EINVAL (nothing, too little, too much), -ENOMEM, other -errno.
 */
int passphrase_from_file(const char *path, uint64_t offset, uint64_t size,
			 struct secret *ret, struct why *why);

/*
 * A line of the descriptor @fd, without its newline; not a byte more is
 * taken, so that another may follow.  @name is for @why.
 * Errors: -EINVAL (too long), -ENODATA (not even an empty one), -ENOMEM,
 * other -errno.
 */
int passphrase_from_line(int fd, const char *name, struct secret *ret,
			 struct why *why);

/*
 * The systemd credential @name, whole (systemd.exec(5), LoadCredential=).
 * Errors: -EDOM (no such name can be, or there are no credentials), others as
 * passphrase_from_file.
 */
int passphrase_from_credential(const char *name, struct secret *ret,
			       struct why *why);

#endif
