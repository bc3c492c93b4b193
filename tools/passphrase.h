/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Where a passphrase comes from: the terminal, standard input or a key file.
 * The rules are cryptsetup's, so that the same key file opens the same
 * volume: a key file counts whole, newlines included, and so does standard
 * input as "--key-file -"; standard input that is no terminal is read up to
 * its first newline.
 */
#ifndef TOOLS_PASSPHRASE_H
#define TOOLS_PASSPHRASE_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/options.h"

struct why;

#define PASSPHRASE_MAX 512	  /* bytes, typed or on a line */
#define KEY_FILE_MAX   (8u << 20) /* bytes */

struct passphrase_source {
	const char *key_file; /* a path, "-", or NULL */
	const char *prompt;   /* "Passphrase for secret.img" */
};

/* The options on where it comes from, for a struct passphrase_source. */
extern const struct option passphrase_options[];

/* A secret in memory of secmem_alloc. */
struct secret {
	void *data;
	size_t len;  /* bytes that count */
	size_t room; /* bytes allocated */
};

/* Will it be typed at a terminal, so that asking again makes sense? */
bool passphrase_is_typed(const struct passphrase_source *source);

/*
 * Get it; with @verify a typed one is asked for twice.  Whatever signal
 * arrives while it is typed, the terminal's echo is restored.  The caller
 * ends with secret_free.
 * Errors: -ENOTTY (nowhere to ask), -EPERM (the two differ), -EINVAL (empty
 * or too long), -EINTR, -ENOMEM, other -errno.
 */
int passphrase_get(const struct passphrase_source *source, bool verify,
		   struct secret *ret, struct why *why);

/* Wipe and free; a zeroed secret is allowed. */
void secret_free(struct secret *secret);

#endif
