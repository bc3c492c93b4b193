/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Access to memory that somebody else may take away.
 *
 * Driver memory is a mapping of pages that the kernel or a front end owns: a
 * page that does not exist (a bounce page never allocated, a truncated memfd)
 * answers an access with SIGBUS.  Code that touches such memory runs under a
 * guard, which turns the signal into -EFAULT.
 */
#ifndef LIB_GUARD_H
#define LIB_GUARD_H

/* Install the SIGBUS handler, once a process.  0 or -errno. */
int guard_install(void);

/*
 * Call @fn(@arg).  0, or -EFAULT when it hit missing memory: it was then left
 * in the middle, so it must hold nothing that needs release and must call
 * nothing that takes a lock or allocates.  Guards nest; a SIGBUS outside of
 * any guard kills the process as ever.
 */
int guard_run(void (*fn)(void *arg), void *arg);

#endif
