/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Unlocking by a token of the header: see token.h.
 */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypt/token.h"
#include "lib/secret.h"
#include "lib/why.h"
#include "tools/passphrase.h"
#include "tools/token.h"

#define PIN_TRIES 3

#define FIELD(name) offsetof(struct token_source, name)

const struct option token_options[] = {
	{ "token-id", OPTION_STRING, FIELD(id), "N",
	  "unlock with this token of the header, else with a passphrase" },
	{ "token-type", OPTION_STRING, FIELD(type), "TYPE",
	  "unlock with a token of this type, else with a passphrase",
	  "luks2-keyring systemd-tpm2 systemd-fido2 systemd-pkcs11" },
	{ "token-only", OPTION_FLAG, FIELD(only), NULL,
	  "unlock with a token, ask for no passphrase" },
	{ NULL },
};

bool token_wanted(const struct token_source *source)
{
	return source->id || source->type || source->only;
}

/* LUKS_TOKEN_ANY when none was named. */
static int parse_id(const char *s, int *ret, struct why *why)
{
	uint32_t id = 0;

	if (s && (option_number(s, &id) || id >= LUKS_TOKENS_MAX))
		return why_set(why, -EDOM,
			       "--token-id: %s is not the number of a token, 0 "
			       "to %d",
			       s, LUKS_TOKENS_MAX - 1);
	*ret = s ? (int)id : LUKS_TOKEN_ANY;
	return 0;
}

int token_check(const struct token_source *source,
		const struct passphrase_source *passphrase, struct why *why)
{
	int id;

	if (parse_id(source->id, &id, why))
		return -EDOM;
	if (source->only && passphrase_is_given(passphrase))
		return why_set(why, -EDOM,
			       "--token-only: then there is no passphrase from "
			       "elsewhere");
	return 0;
}

static int get_pin(const struct token *token, const char *image,
		   struct secret *ret, struct why *why)
{
	char prompt[PATH_MAX + 64];
	struct passphrase_source source = { .prompt = prompt };

	if (!passphrase_is_typed(&source))
		return why_set(why, -ENOANO,
			       "token %d needs a PIN, and there is no terminal "
			       "to ask at",
			       token->info.id);
	snprintf(prompt, sizeof(prompt), "PIN of token %d of %s",
		 token->info.id, image);
	return passphrase_get(&source, false, ret, why);
}

/* First without a PIN, then with one as often as it is wrong. */
static int open_token(const struct token *token, const char *image,
		      struct secret *ret, struct why *why)
{
	struct secret pin;
	int i, r;

	if (!strcmp(token->info.type, "systemd-fido2"))
		fprintf(stderr,
			"vcrypt: %s: touch the security token when it"
			" blinks\n",
			image);
	r = token_open(token, NULL, ret, why);
	for (i = 0; r == -ENOANO && i < PIN_TRIES; i++) {
		if (i)
			fprintf(stderr, "vcrypt: %s: %s\n", image, why->text);
		r = get_pin(token, image, &pin, why);
		if (r)
			return r;
		r = token_open(token, &pin, ret, why);
		secret_free(&pin);
	}
	return r;
}

static int unlock_with(const struct token *token, const char *image,
		       const struct volume_request *request,
		       uint8_t key[static VOLUME_KEY_MAX],
		       struct volume_info *ret_info, struct why *why)
{
	struct volume_request with_token = *request;
	struct secret secret;
	int r;

	r = open_token(token, image, &secret, why);
	if (r)
		return r;
	with_token.passphrase = secret.data;
	with_token.passphrase_len = secret.len;
	with_token.slots = token->info.slots;
	r = volume_unlock(&with_token, key, ret_info, why);
	secret_free(&secret);
	if (r)
		why_prefix(why, "token %d", token->info.id);
	return r;
}

int token_unlock(const struct token_source *source, const char *image,
		 const struct volume_request *request,
		 uint8_t key[static VOLUME_KEY_MAX],
		 struct volume_info *ret_info, struct why *why)
{
	struct luks_token_query query = { .type = source->type };
	struct token token = { .text = NULL };
	struct why none;
	int r, last = 0;

	r = parse_id(source->id, &query.id, why);
	while (!r) {
		r = token_find(request, &query, &token, last ? &none : why);
		if (r)
			break;
		last = unlock_with(&token, image, request, key, ret_info, why);
		query.from = token.info.id + 1;
		token_free(&token);
		if (!last)
			return 0;
	}
	/* That there is no further one is not why the last one failed. */
	return last ? last : r;
}
