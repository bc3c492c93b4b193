/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Taking away from this process what it may do to files.
 */
#ifndef CRYPT_LANDLOCK_H
#define CRYPT_LANDLOCK_H

/*
 * No file of any file system can be opened for writing, made, renamed or
 * removed any more, for good; what is open stays, and so does memory (memfd)
 * that is opened again through /proc.  This is Landlock: where the kernel does
 * not have it (before 5.13, or not among its security modules) nothing
 * happens.  Needs PR_SET_NO_NEW_PRIVS.  Errors: -errno.
 */
int landlock_deny_writing(void);

#endif
