/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A passphrase, or anything else of unknown length that nobody may see, in
 * memory of lib/secmem.h.
 */
#ifndef LIB_SECRET_H
#define LIB_SECRET_H

#include <stddef.h>

struct why;

/* A zeroed one is empty and owns nothing. */
struct secret {
	void *data;
	size_t len;  /* bytes that count */
	size_t room; /* bytes allocated */
};

/* An empty one with @room bytes.  Errors: -ENOMEM; nothing is owned then. */
int secret_alloc(struct secret *secret, size_t room, struct why *why);

/* Twice the room, with what is in it.  Errors: -ENOMEM; it stays as it was. */
int secret_grow(struct secret *secret, struct why *why);

/* Wipe and free; a zeroed secret is allowed, and what is left is one. */
void secret_free(struct secret *secret);

#endif
