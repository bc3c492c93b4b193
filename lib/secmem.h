/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Memory for secrets: never swapped, never in a core dump, wiped when freed.
 *
 * The pages come from memfd_secret(2) where the kernel has it, which hides
 * them from ptrace and /proc/PID/mem as well; else they are anonymous, locked
 * and MADV_DONTDUMP.  A lock that is refused (RLIMIT_MEMLOCK) is an error:
 * a secret never stands in memory that can be swapped.
 */
#ifndef LIB_SECMEM_H
#define LIB_SECMEM_H

#include <stddef.h>

/*
 * @len bytes (rounded up to pages), zeroed, shared with children of fork().
 * The caller frees them with secmem_free and the same @len.
 * Errors: -ENOMEM (no memory, or RLIMIT_MEMLOCK is too small).
 */
int secmem_alloc(size_t len, void **ret);

/*
 * Locks do not survive fork(): a child that goes on using @p calls this
 * first.  Errors: -ENOMEM.
 */
int secmem_relock(void *p, size_t len);

/* Wipe, unlock and unmap; NULL is allowed. */
void secmem_free(void *p, size_t len);

/*
 * Unmap in this process only, without wiping: for a child that needs no more
 * of what its parent keeps.  NULL is allowed.
 */
void secmem_leave(void *p, size_t len);

/*
 * Take away from this process what lets others read its memory or leaves a
 * dump behind: PR_SET_DUMPABLE 0 and RLIMIT_CORE 0.
 */
int secmem_protect_process(void);

#endif
