/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A passphrase by a token of a LUKS2 header.
 *
 * Three steps, each with no more than it needs: the token is found in the cell
 * where headers are read (crypt/luks_token.h); it is opened, by this process
 * if the passphrase is in the kernel's keyring, else by its plugin, in a cell
 * that may use devices but sees nothing of the image (crypt/token_plugin.h);
 * and volume_unlock tries the passphrase, as any other.
 */
#ifndef CRYPT_TOKEN_H
#define CRYPT_TOKEN_H

#include "crypt/luks_token.h"

struct secret;
struct volume_request;
struct why;

struct token {
	struct luks_token info;
	char *text; /* see luks_token_find */
};

/*
 * Find a token; ends with token_free.  Errors: -ENOENT (none fits), -EINVAL
 * (the header cannot be served, or the token makes no sense), and those of
 * volume_probe.
 */
int token_find(const struct volume_request *request,
	       const struct luks_token_query *query, struct token *ret,
	       struct why *why);

/*
 * Its passphrase; @pin is NULL when there is none, and ends in no zero.  The
 * caller ends with secret_free.  Errors: -ENOANO (a PIN is needed, or this one
 * is wrong), -EAGAIN (its device is not there), -ENOENT (no plugin), those of
 * keyring_read, other -errno.
 */
int token_open(const struct token *token, const struct secret *pin,
	       struct secret *ret, struct why *why);

/* A zeroed one is allowed. */
void token_free(struct token *token);

#endif
