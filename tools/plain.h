/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What the command line says of a volume that has no header: --type plain and
 * the options that go with it.
 */
#ifndef TOOLS_PLAIN_H
#define TOOLS_PLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/options.h"

struct passphrase_source;
struct volume;
struct why;

/* As on the command line; NULL or 0: not said. */
struct plain_request {
	const char *type, *cipher, *hash, *offset, *skip, *size;
	uint32_t key_bits, sector_size;
	bool force;
};

/* The options, for a struct plain_request. */
extern const struct option plain_options[];

/* Is it --type plain? */
bool plain_wanted(const struct plain_request *args);

/*
 * With --type plain: find out what volume->image_fd then is, into
 * volume->info.  Without it: none of its options may be there.
 * Errors: -EDOM (an option), else as plain_probe.
 */
int plain_check(const struct plain_request *args,
		const struct passphrase_source *source, struct why *why);
int plain_prepare(const struct plain_request *args, struct volume *volume,
		  struct why *why);

/*
 * After plain_prepare: the volume key, from what @source gives: a key file is
 * the key itself, all else is a passphrase, to be hashed.
 * Errors: -EINVAL (the key file is too short), else as passphrase_get and
 * plain_hash.
 */
int plain_key(const struct plain_request *args,
	      const struct passphrase_source *source, struct volume *volume,
	      struct why *why);

#endif
