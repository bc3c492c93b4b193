/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A passphrase by a token of a LUKS2 header: see token.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypt/token.h"
#include "crypt/unlock_child.h"
#include "lib/keyring.h"
#include "lib/secmem.h"
#include "lib/secret.h"
#include "lib/why.h"

#define FIND_SECONDS 60
#define OPEN_SECONDS 120 /* somebody has to touch a device */

static int bad_answer(struct why *why)
{
	return why_set(why, -EIO,
		       "the header reader gave a senseless answer about "
		       "tokens: the header may be hostile");
}

static bool is_sane(const struct luks_token *info)
{
	return info->id >= 0 && info->id < LUKS_TOKENS_MAX && info->slots &&
	       luks_token_type_sane(info->type);
}

static int run(struct header_job *job, struct header_answer **ret, char **text,
	       struct why *why)
{
	void *p;
	int r;

	if (secmem_alloc(sizeof(**ret), &p))
		return why_set(why, -ENOMEM,
			       "no locked memory for a token (ulimit -l)");
	r = header_job_run(job, p, text, why);
	if (r)
		secmem_free(p, sizeof(**ret));
	else
		*ret = p;
	return r;
}

int token_find(const struct volume_request *request,
	       const struct luks_token_query *query, struct token *ret,
	       struct why *why)
{
	struct header_job job = {
		.op = HEADER_TOKEN_FIND,
		.request = *request,
		.query = *query,
		.timeout = FIND_SECONDS,
	};
	struct header_answer *answer;
	char *text = NULL;
	int r;

	r = header_job_measure(&job, why);
	if (!r)
		r = run(&job, &answer, &text, why);
	if (r)
		return r;
	if (text && is_sane(&answer->token)) {
		ret->info = answer->token;
		ret->text = text;
	} else {
		free(text);
		r = bad_answer(why);
	}
	secmem_free(answer, sizeof(*answer));
	return r;
}

static int open_with_plugin(const struct token *token, const struct secret *pin,
			    struct secret *ret, struct why *why)
{
	struct header_job job = {
		.op = HEADER_TOKEN_OPEN,
		.token = &token->info,
		.token_json = token->text,
		.request = { .header_fd = -1, .data_fd = -1 },
		.timeout = OPEN_SECONDS,
	};
	struct header_answer *answer;
	struct secret secret;
	int r;

	if (pin) {
		job.request.passphrase = pin->data;
		job.request.passphrase_len = pin->len;
	}
	r = run(&job, &answer, NULL, why);
	if (r)
		return r;
	if (answer->passphrase_len > sizeof(answer->passphrase))
		r = bad_answer(why);
	if (!r)
		r = secret_alloc(&secret, sizeof(answer->passphrase), why);
	if (!r) {
		secret.len = answer->passphrase_len;
		memcpy(secret.data, answer->passphrase, secret.len);
		*ret = secret;
	}
	secmem_free(answer, sizeof(*answer));
	return r;
}

int token_open(const struct token *token, const struct secret *pin,
	       struct secret *ret, struct why *why)
{
	int r;

	if (strcmp(token->info.type, LUKS_TOKEN_KEYRING))
		r = open_with_plugin(token, pin, ret, why);
	else
		r = keyring_read(token->text, ret, why);
	if (r)
		why_prefix(why, "token %d", token->info.id);
	return r;
}

void token_free(struct token *token)
{
	free(token->text);
	*token = (struct token){ .text = NULL };
}
