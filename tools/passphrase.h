/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Where a passphrase comes from: the terminal, standard input, a descriptor,
 * a key file, a key of the kernel's keyring or a systemd credential.
 *
 * The rules are cryptsetup's, so that the same key file opens the same
 * volume: a key file counts whole, newlines included, and so does standard
 * input as "--key-file -"; standard input that is no terminal is read up to
 * its first newline, as any other descriptor is.  Keys and credentials count
 * whole.
 */
#ifndef TOOLS_PASSPHRASE_H
#define TOOLS_PASSPHRASE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/secret.h"
#include "tools/options.h"

struct why;

/*
 * At most one of what names a source is set, and if none is, it is typed or a
 * line of standard input.
 */
struct passphrase_source {
	const char *prompt;	 /* "Passphrase for secret.img" */
	const char *key_file;	 /* a path or "-" */
	uint64_t keyfile_offset; /* bytes of it to leave out */
	uint64_t keyfile_size;	 /* bytes of it to read; 0: to its end */
	const char *fd;		 /* of a descriptor, the number */
	const char *key;	 /* the description of a key */
	const char *credential;	 /* its name */
};

/*
 * The options of a command that fill a struct passphrase_source, but for its
 * prompt, as a group for its table; and those for a second one, the new
 * passphrase of a command that has two.
 */
extern const struct option passphrase_options[];
extern const struct option new_passphrase_options[];

/*
 * Do the options go together?  @prefix is "", or "new-" for the options of
 * new_passphrase_options.  Errors: -EDOM.
 */
int passphrase_check(const struct passphrase_source *source, const char *prefix,
		     struct why *why);

/* Do the options name a place? */
bool passphrase_is_given(const struct passphrase_source *source);

/* Will it be typed at a terminal, so that asking again makes sense? */
bool passphrase_is_typed(const struct passphrase_source *source);

/*
 * Get it; with @verify a typed one is asked for twice.  Whatever signal
 * arrives while it is typed, the terminal's echo is restored.  The caller
 * ends with secret_free.
 * Errors: -ENOTTY (nowhere to ask), -EPERM (the two differ), -EDOM (the
 * options do not go together, or name nothing that can be, or what was typed
 * is nothing or too long), -EINVAL (what was read is), -EINTR, -ENOMEM, other
 * -errno.
 */
int passphrase_get(const struct passphrase_source *source, bool verify,
		   struct secret *ret, struct why *why);

#endif
