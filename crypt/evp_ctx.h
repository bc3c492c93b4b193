/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Contexts of OpenSSL's ciphers, for the implementations of AES-XTS.
 */
#ifndef CRYPT_EVP_CTX_H
#define CRYPT_EVP_CTX_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A context that encrypts or decrypts whole blocks, without padding, with its
 * key set.  The caller frees it with EVP_CIPHER_CTX_free, which wipes it.
 * Errors: -ENOTSUP (there is no cipher @name), -ENOMEM.
 */
int evp_ctx_new(const char *name, const uint8_t *key, bool encrypt,
		EVP_CIPHER_CTX **ret);

/* One like @from, which may be shared by callers that do only this; or NULL. */
EVP_CIPHER_CTX *evp_ctx_dup(const EVP_CIPHER_CTX *from);

#endif
