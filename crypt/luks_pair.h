/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A detached header does not say which image is its own.  What can be seen of
 * a wrong pair, before data are written over something else.
 */
#ifndef CRYPT_LUKS_PAIR_H
#define CRYPT_LUKS_PAIR_H

struct volume_info;
struct why;

/*
 * May the image open at @data_fd be the one of the detached header @info is
 * of?  Errors: -EINVAL (it is another container), -EIO.
 */
int luks_pair_check(int data_fd, const struct volume_info *info,
		    struct why *why);

#endif
