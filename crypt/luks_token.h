/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The tokens of a LUKS2 header: what tells where a passphrase comes from.
 * Runs in the cell of unlock_jail.h, on a header that the gate let through,
 * and looks no further than at what every token has.
 */
#ifndef CRYPT_LUKS_TOKEN_H
#define CRYPT_LUKS_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#define LUKS_TOKENS_MAX	    32
#define LUKS_TOKEN_TYPE_MAX 64 /* bytes, with the end */
#define LUKS_TOKEN_ANY	    (-1)
#define LUKS_TOKEN_KEYRING  "luks2-keyring"

struct crypt_device;
struct luks_gate;
struct why;

/* Which token is looked for. */
struct luks_token_query {
	int id;		  /* or LUKS_TOKEN_ANY */
	const char *type; /* or NULL */
	int from;	  /* none with a lower number */
};

struct luks_token {
	int id;
	uint32_t slots; /* bit N: its passphrase opens key slot N; not 0 */
	char type[LUKS_TOKEN_TYPE_MAX];
};

/*
 * Can it be a type?  A plugin's file is named after it, so it must not lead
 * elsewhere.
 */
bool luks_token_type_sane(const char type[static LUKS_TOKEN_TYPE_MAX]);

/*
 * Does the token @id, which is @json, fit?  What is returned is that of
 * luks_token_find.
 */
int luks_token_judge(int id, const char *json, const struct luks_gate *gate,
		     const struct luks_token_query *query,
		     struct luks_token *ret, char **ret_text, struct why *why);

/*
 * The first token that fits and opens a key slot that may be tried.  *ret_text
 * is what opening it takes, and is freed by the caller: of a keyring token the
 * description of the key, of others the token's JSON, as if it were assigned
 * to no key slot.  Errors: -ENOENT (none fits), -EINVAL (it makes no sense),
 * -ENOMEM.
 */
int luks_token_find(struct crypt_device *cd, const struct luks_gate *gate,
		    const struct luks_token_query *query,
		    struct luks_token *ret, char **ret_text, struct why *why);

#endif
