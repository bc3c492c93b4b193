/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a LUKS2 header says about the use of its container, on the private copy
 * of a header: a part of luks_keys.h.
 */
#ifndef CRYPT_LUKS_CONFIG_H
#define CRYPT_LUKS_CONFIG_H

#include <stdbool.h>

struct luks_reader;
struct why;

/*
 * After luks_reader_judge: set or clear the persistent flag "allow-discards";
 * other flags stay.  A header that says so already is not changed.
 * Errors: -EINVAL (LUKS1 has none), -EIO, other -errno.
 */
int luks_config_discards(struct luks_reader *reader, bool allow,
			 struct why *why);

#endif
