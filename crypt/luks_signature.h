/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Names for what an image holds, from well-known signatures.
 */
#ifndef CRYPT_LUKS_SIGNATURE_H
#define CRYPT_LUKS_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

/* This much of the start of an image holds every signature, in bytes. */
#define SIGNATURE_SPAN (68 << 10)

/*
 * A static name ("an ext2/3/4 file system"), NULL when nothing is known.  For
 * messages only: nothing is decided by it but the words.
 */
const char *signature_name(const uint8_t *start, size_t len);

/*
 * The same, of a format that has a disk inside (LUKS, qcow2, ...), so that the
 * file's bytes are not the disk's; else NULL.
 */
const char *signature_wrapping(const uint8_t *start, size_t len);

#endif
