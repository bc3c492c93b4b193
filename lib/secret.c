/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A secret of unknown length: see secret.h.
 */
#include <errno.h>
#include <string.h>

#include "lib/secmem.h"
#include "lib/secret.h"
#include "lib/why.h"

int secret_alloc(struct secret *secret, size_t room, struct why *why)
{
	*secret = (struct secret){ .room = room };
	if (!secmem_alloc(room, &secret->data))
		return 0;
	secret->room = 0;
	return why_set(why, -ENOMEM,
		       "no locked memory for a passphrase of %zu"
		       " bytes (ulimit -l)",
		       room);
}

int secret_grow(struct secret *secret, struct why *why)
{
	struct secret bigger;
	int r = secret_alloc(&bigger, secret->room * 2, why);

	if (r)
		return r;
	memcpy(bigger.data, secret->data, secret->len);
	bigger.len = secret->len;
	secret_free(secret);
	*secret = bigger;
	return 0;
}

void secret_free(struct secret *secret)
{
	secmem_free(secret->data, secret->room);
	*secret = (struct secret){ NULL };
}
