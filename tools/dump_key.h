/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt dump --dump-volume-key: the one way by which a key leaves vcrypt.
 */
#ifndef TOOLS_DUMP_KEY_H
#define TOOLS_DUMP_KEY_H

#include <stdbool.h>

#include "tools/container.h"
#include "tools/passphrase.h"

struct why;

struct dump_key {
	bool wanted;
	bool batch; /* do not ask for YES */
	const char *key_slot;
	const char *file; /* NULL: standard output, in hexadecimal */
	struct passphrase_source source;
};

/* The options, for a struct dump_key. */
extern const struct option dump_key_options[];

/* Do they go together?  Errors: -EDOM. */
int dump_key_check(const struct dump_key *args, bool json, struct why *why);

/*
 * Ask whether it is meant, unlock, and give the volume key away: into a new
 * file of mode 0600, or to standard output.
 * Errors: -ECANCELED, -EEXIST (the file), else those of volume_unlock and
 * passphrase_get, or -errno.
 */
int dump_key_run(const struct dump_key *args,
		 const struct container_paths *paths, struct why *why);

#endif
