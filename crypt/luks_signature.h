/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Names for what an image holds, from well-known signatures.  For messages
 * only: nothing is decided by it but the words.
 */
#ifndef CRYPT_LUKS_SIGNATURE_H
#define CRYPT_LUKS_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

/* This much of the start of an image holds every signature, in bytes. */
#define SIGNATURE_SPAN (68 << 10)

/* A static name ("an ext2/3/4 file system"), NULL when nothing is known. */
const char *signature_name(const uint8_t *start, size_t len);

#endif
