/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Keys of the kernel's keyrings, as far as they can be read back: those of
 * type "user".  The kernel searches the keyrings of the thread, the process
 * and the session, or where there is no session keyring that of the user's
 * sessions, and what is linked there (keyrings(7)), as libcryptsetup does.
 */
#ifndef LIB_KEYRING_H
#define LIB_KEYRING_H

struct secret;
struct why;

/*
 * What the key @description holds; the caller ends with secret_free.
 * Errors: -ENOKEY (there is none), -EACCES (it may not be read), -EPERM (of
 * type "logon", or keyrings are forbidden), -EKEYEXPIRED, -EKEYREVOKED,
 * -ENOSYS, -ENOMEM.
 */
int keyring_read(const char *description, struct secret *ret, struct why *why);

#endif
