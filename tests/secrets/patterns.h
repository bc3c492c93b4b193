/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What must not be found: a passphrase, a volume key of AES-XTS, and what the
 * cipher makes of it.  The schedules are computed here, from FIPS 197, and not
 * by the library whose memory is searched.
 */
#ifndef TESTS_SECRETS_PATTERNS_H
#define TESTS_SECRETS_PATTERNS_H

#include <stddef.h>
#include <stdint.h>

#define BLOCK_BYTES	    16u
#define PATTERN_BYTES_MAX   256u
#define PATTERNS_MAX	    128u
#define PATTERN_BYTES_LEAST 12u /* shorter ones stand in memory by chance */

enum kind {
	PASSPHRASE, /* all of it */
	KEY,	    /* a block of the volume key itself */
	ENCRYPTING, /* a later round key */
	DECRYPTING, /* one after InvMixColumns, as AES instructions want it */
	NR_KINDS
};

extern const char *const kind_names[NR_KINDS];

struct pattern {
	enum kind kind;
	size_t len;
	uint8_t bytes[PATTERN_BYTES_MAX];
};

struct patterns {
	unsigned nr;
	struct pattern all[PATTERNS_MAX];
};

/* Returns -1 if it is too short to be told from chance, or too long. */
int patterns_add_passphrase(struct patterns *p, const void *text, size_t len);

/* Both halves and their round keys; returns -1 for a key of another length. */
int patterns_add_key(struct patterns *p, const uint8_t *key, size_t len);

/*
 * Call @found for every pattern that begins in the first @len bytes of @buf,
 * which has @all bytes.
 */
void patterns_search(const struct patterns *p, const uint8_t *buf, size_t len,
		     size_t all,
		     void (*found)(void *arg, const struct pattern *what,
				   size_t at),
		     void *arg);

#endif
