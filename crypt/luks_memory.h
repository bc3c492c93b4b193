/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Memory in which libcryptsetup may work on keys.  It keeps passphrases, keys
 * and what lies between on the heap, locked as far as the limit goes and a
 * page at a time, and OpenSSL does what it likes.  Here the whole process is
 * made fit, or refused.
 *
 * What cannot be locked without privileges is the memory of Argon2 and the
 * stacks of its threads: it is larger than any limit.
 */
#ifndef CRYPT_LUKS_MEMORY_H
#define CRYPT_LUKS_MEMORY_H

struct why;

/*
 * Whether a process like this one would be let work on keys, for who wants to
 * know before somebody types a passphrase.  Errors: -ENOMEM.
 */
int luks_memory_check(struct why *why);

/*
 * Before root is given up, and best before anything uses OpenSSL, which then
 * gets its arena (crypt/arena.h).  Where all memory can be locked, all is, now
 * and later.  Errors: -ENOMEM (RLIMIT_MEMLOCK is too small).
 */
int luks_memory_prepare(struct why *why);

/*
 * Right before a key is worked on: lock the heap, with room for what is to
 * come, and the stack.  Errors: -ENOMEM (RLIMIT_MEMLOCK is too small).
 */
int luks_memory_lock(struct why *why);

#endif
