/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What the commands on key slots have in common: the container, and the
 * passphrases that go with it.
 */
#ifndef TOOLS_KEY_H
#define TOOLS_KEY_H

#include <stdbool.h>

#include "crypt/luks_pbkdf.h"
#include "crypt/unlock.h"
#include "lib/secret.h"
#include "tools/container.h"
#include "tools/passphrase.h"

/* As on the command line. */
struct key_args {
	struct container_paths paths;
	struct passphrase_source source, new_source;
	const char *key_slot, *new_key_slot;
	struct luks_pbkdf kdf;
	bool batch, force;
};

/*
 * The number of a key slot, as the value of --@option; VOLUME_ANY_SLOT when it
 * is not given.  Errors: -EINVAL.
 */
int key_slot_number(const char *option, const char *text, int *ret,
		    struct why *why);

/*
 * Check that the two passphrases can both be had: not all of standard input
 * for each.  Errors: -EDOM.
 */
int key_check_sources(const struct key_args *args, struct why *why);

/*
 * Get the passphrase, asking up to three times where it is typed, until it
 * opens a key slot of @request, whose passphrase is set then, with @ret to be
 * freed; its key slot becomes the one that was opened.  Errors: those of
 * passphrase_get and volume_unlock.
 */
int key_unlock(const struct key_args *args, struct volume_request *request,
	       struct secret *ret, struct why *why);

/* Both passphrases of a change.  The caller frees them, whatever happens. */
int key_get_both(const struct key_args *args, struct volume_request *request,
		 struct secret *old, struct secret *new, struct why *why);

#endif
