/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The key slots of a header in words and in JSON: what each is for and what it
 * costs.  Nothing of a key is part of it.
 */
#ifndef CRYPT_LUKS_KEYS_LIST_H
#define CRYPT_LUKS_KEYS_LIST_H

struct crypt_device;
struct why;

/* @cd is loaded; *ret_text is freed by the caller.  Errors: -ENOMEM. */
int luks_keys_text(struct crypt_device *cd, char **ret_text, struct why *why);
int luks_keys_json(struct crypt_device *cd, char **ret_text, struct why *why);

#endif
