/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The part of the gate (luks_gate.h) that is about digests: whether the key
 * that a key slot gives is the right one.  libcryptsetup 2.6.1 takes any key
 * for right when the digest's hash is unknown, or its salt or value has an odd
 * length; so a header that somebody spoiled would open with every passphrase,
 * and what is written then would be lost.
 */
#ifndef CRYPT_LUKS_DIGEST_H
#define CRYPT_LUKS_DIGEST_H

#include <stdbool.h>

struct json_object;
struct why;

/* May a digest or a key slot name this hash?  NULL is none. */
bool luks_hash_known(const char *name);

/*
 * Find the one digest of data segment 0 among @digests, and judge it.  It
 * stays theirs.  Errors: -EINVAL with the reason in @why.
 */
int luks_digest_find(struct json_object *digests, struct json_object **ret,
		     struct why *why);

#endif
