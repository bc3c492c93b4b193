/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A token that a plugin of libcryptsetup opens, such as those of systemd for
 * TPM2, FIDO2 and PKCS#11.  Runs in a cell of unlock_jail.h with devices.
 *
 * A plugin gets its token through a crypt_device.  This one is made here and
 * holds nothing but the token: the image and its header are out of reach.
 */
#ifndef CRYPT_TOKEN_PLUGIN_H
#define CRYPT_TOKEN_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include "crypt/luks_token.h"

#define TOKEN_PASSPHRASE_MAX 4096 /* bytes */

struct unlock_devices;
struct why;

struct token_plugin_job {
	int scratch_fd; /* a memfd of at least 16 MiB */
	const struct luks_token *token;
	const char *json;
	const void *pin; /* or NULL */
	size_t pin_len;
};

/* What the cell has to have for a plugin of this type. */
const struct unlock_devices *token_plugin_devices(const char *type);

/*
 * Errors: -ENOENT (no plugin for this type), -ENOANO (a PIN is needed, or
 * this one is wrong), -EAGAIN (the device is not there), -E2BIG, or what the
 * plugin returns.
 */
int token_plugin_open(const struct token_plugin_job *job,
		      uint8_t ret[static TOKEN_PASSPHRASE_MAX],
		      uint32_t *ret_len, struct why *why);

#endif
