/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Unlocking by a token of the header instead of a passphrase of the user's.
 * Tokens are used only if that is asked for: what they do is up to whoever
 * made the header.
 */
#ifndef TOOLS_TOKEN_H
#define TOOLS_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "crypt/unlock.h"
#include "tools/options.h"

struct passphrase_source;
struct why;

/* What was asked for; all zero: no token. */
struct token_source {
	const char *id;	  /* its number, as text */
	const char *type; /* "luks2-keyring", "systemd-tpm2", ... */
	bool only;	  /* no passphrase if none opens it */
};

/* The options that fill it, a group for a command's table. */
extern const struct option token_options[];

bool token_wanted(const struct token_source *source);

/*
 * Do the options go together, also with those of the passphrase?
 * Errors: -EDOM.
 */
int token_check(const struct token_source *source,
		const struct passphrase_source *passphrase, struct why *why);

/*
 * volume_unlock by the tokens that were asked for, one after the other until
 * one opens it; @image is its name for people.  A PIN is asked for at the
 * terminal.  The request's passphrase is not used.
 * Errors: -ENOENT (no such token), those of the last token, as token_open and
 * volume_unlock have them.
 */
int token_unlock(const struct token_source *source, const char *image,
		 const struct volume_request *request,
		 uint8_t key[static VOLUME_KEY_MAX],
		 struct volume_info *ret_info, struct why *why);

#endif
