/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * All of OpenSSL's memory in secret memory (lib/secmem.h), so that no key
 * schedule ever stands on the ordinary heap.
 *
 * It is a matter of the whole process, for as long as it lives: the arena is
 * never given back, since OpenSSL uses it until the very end.
 */
#ifndef CRYPT_ARENA_H
#define CRYPT_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct why;

/*
 * Before anything else uses OpenSSL in this process; once.  What does not fit
 * any more fails as out of memory, and never goes elsewhere.
 *
 * A child made by fork(2) has a copy of its own, or, where the limit of locked
 * memory does not allow that, none, and dies if it uses OpenSSL.
 *
 * Errors: -EBUSY (OpenSSL has allocated already, or an arena is there),
 * -ENOMEM (RLIMIT_MEMLOCK is too small).
 */
int arena_install(struct why *why);

bool arena_is_installed(void);

/* Whether @p points into the arena. */
bool arena_has(const void *p);

/* Bytes allocated now, and the bytes that have ever been in use. */
void arena_usage(size_t *ret_now, size_t *ret_ever);

/* For tests: whether @len bytes as at @p stand anywhere in the arena. */
bool arena_contains_bytes(const void *p, size_t len);

#endif
