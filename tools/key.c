/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What the commands on key slots have in common: see key.h.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "crypt/luks_gate.h"
#include "lib/secmem.h"
#include "lib/why.h"
#include "tools/key.h"
#include "tools/options.h"

#define TRIES 3

int key_slot_number(const char *option, const char *text, int *ret,
		    struct why *why)
{
	uint32_t n;

	if (!text) {
		*ret = VOLUME_ANY_SLOT;
		return 0;
	}
	if (option_number(text, &n) || n >= LUKS_SLOTS_MAX)
		return why_set(why, -EINVAL,
			       "--%s: %s is not a key slot (0 to %d)", option,
			       text, LUKS_SLOTS_MAX - 1);
	*ret = (int)n;
	return 0;
}

static bool all_of_stdin(const struct passphrase_source *source)
{
	return source->key_file && !strcmp(source->key_file, "-");
}

int key_check_sources(const struct key_args *args, struct why *why)
{
	int err = passphrase_check(&args->source, "", why);

	if (!err)
		err = passphrase_check(&args->new_source, "new-", why);
	if (!err && all_of_stdin(&args->source) &&
	    (all_of_stdin(&args->new_source) ||
	     (!passphrase_is_given(&args->new_source) &&
	      !passphrase_is_typed(&args->new_source))))
		err = why_set(why, -EDOM,
			      "--key-file - takes all of standard input, and "
			      "nothing is left for the new passphrase");
	return err;
}

/* Does it open a key slot?  The key itself is of no use here. */
static int check(struct volume_request *request, const struct secret *secret,
		 struct why *why)
{
	struct volume_info info;
	void *key;
	int err;

	if (secmem_alloc(VOLUME_KEY_MAX, &key))
		return why_set(why, -ENOMEM,
			       "no locked memory for the key (raise ulimit "
			       "-l)");
	request->passphrase = secret->data;
	request->passphrase_len = secret->len;
	err = volume_unlock(request, key, &info, why);
	secmem_free(key, VOLUME_KEY_MAX);
	if (!err)
		request->key_slot = info.key_slot;
	return err;
}

int key_unlock(const struct key_args *args, struct volume_request *request,
	       struct secret *ret, struct why *why)
{
	const char *path = container_header_path(&args->paths);
	struct passphrase_source source = args->source;
	int tries = passphrase_is_typed(&source) ? TRIES : 1;
	char prompt[128];
	int err;

	snprintf(prompt, sizeof(prompt), "Passphrase for %.80s",
		 args->paths.image);
	source.prompt = prompt;
	do {
		err = passphrase_get(&source, false, ret, why);
		if (err)
			return err;
		err = check(request, ret, why);
		if (err)
			secret_free(ret);
		if (err == -EPERM && --tries)
			fprintf(stderr, "vcrypt: %s: %s\n", path, why->text);
	} while (err == -EPERM && tries);
	if (err)
		why_prefix(why, "%s", path);
	return err;
}

int key_get_both(const struct key_args *args, struct volume_request *request,
		 struct secret *old, struct secret *new, struct why *why)
{
	struct passphrase_source source = args->new_source;
	char prompt[128];
	int err;

	err = key_unlock(args, request, old, why);
	if (err)
		return err;
	snprintf(prompt, sizeof(prompt), "New passphrase for %.80s",
		 args->paths.image);
	source.prompt = prompt;
	err = passphrase_get(&source, true, new, why);
	if (!err && !new->len)
		err = why_set(why, -EDOM,
			      "an empty passphrase protects nothing");
	return err;
}
