/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Options on what a new header, or a new key slot of one, shall be.
 */
#ifndef TOOLS_LUKS_OPTIONS_H
#define TOOLS_LUKS_OPTIONS_H

#include <stdint.h>

#include "crypt/luks_format.h"
#include "tools/options.h"

struct why;

/* As on the command line. */
struct luks_args {
	struct luks_format luks;
	uint32_t key_bits;
};

/* All options for a new header, for a struct luks_args. */
extern const struct option luks_options[];

/* Those on key derivation, for a struct luks_pbkdf: a part of the above. */
extern const struct option pbkdf_options[];

/* Complete @args->luks; -EINVAL with @why: an option is wrong. */
int luks_args_finish(struct luks_args *args, struct why *why);

#endif
