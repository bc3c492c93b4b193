/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A LUKS header in words and in JSON.  No key is ever part of it: only what
 * stands in the clear in the header.
 */
#ifndef CRYPT_LUKS_DESCRIBE_H
#define CRYPT_LUKS_DESCRIBE_H

#include <stdint.h>

struct crypt_device;
struct luks_log;
struct why;

struct luks_description {
	struct crypt_device *cd; /* loaded */
	struct luks_log *log;	 /* attached to it */
	uint64_t image_size;	 /* bytes */
	const char *note;	 /* "" when nothing is odd */
	const char *refusal;	 /* why it cannot be served, or NULL */
};

/* *ret_text is freed by the caller.  Errors: -ENOMEM, -EINVAL. */
int luks_describe_text(const struct luks_description *what, char **ret_text,
		       struct why *why);
int luks_describe_json(const struct luks_description *what, char **ret_text,
		       struct why *why);

#endif
