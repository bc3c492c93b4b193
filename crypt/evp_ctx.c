/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Contexts of OpenSSL's ciphers: see evp_ctx.h.
 */
#include <errno.h>

#include "crypt/evp_ctx.h"

/*
 * A cipher without blocks, as XTS is, has none; and OpenSSL 3.0 would leave it
 * out again with every IV, which takes a while.
 */
static bool leave_padding_out(EVP_CIPHER_CTX *ctx)
{
	return EVP_CIPHER_CTX_get_block_size(ctx) == 1 ||
	       EVP_CIPHER_CTX_set_padding(ctx, 0);
}

int evp_ctx_new(const char *name, const uint8_t *key, bool encrypt,
		EVP_CIPHER_CTX **ret)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *ctx;

	if (!cipher)
		return -ENOTSUP;
	ctx = EVP_CIPHER_CTX_new();
	if (ctx && (!EVP_CipherInit_ex(ctx, cipher, NULL, key, NULL, encrypt) ||
		    !leave_padding_out(ctx))) {
		EVP_CIPHER_CTX_free(ctx);
		ctx = NULL;
	}
	/* The context holds a reference of its own. */
	EVP_CIPHER_free(cipher);
	if (!ctx)
		return -ENOMEM;
	*ret = ctx;
	return 0;
}

EVP_CIPHER_CTX *evp_ctx_dup(const EVP_CIPHER_CTX *from)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (ctx && !EVP_CIPHER_CTX_copy(ctx, from)) {
		EVP_CIPHER_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}
