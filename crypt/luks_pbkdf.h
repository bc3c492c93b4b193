/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What deriving the key of a new key slot shall cost: wishes, held against
 * what is possible at all and what machine and control group have.
 */
#ifndef CRYPT_LUKS_PBKDF_H
#define CRYPT_LUKS_PBKDF_H

#include <stdint.h>

struct crypt_pbkdf_type;
struct kdf_memory;
struct why;

/* 0 and NULL stand for the default. */
struct luks_pbkdf {
	const char *type;    /* argon2id (default), argon2i, pbkdf2 */
	uint32_t memory_kib; /* by default as much as suits this machine */
	uint32_t threads;
	uint32_t time_ms;    /* how long an unlock shall take */
	uint32_t iterations; /* instead of measuring */
};

/*
 * Check the wishes, against @memory too, and fill in the defaults.
 * Errors: -EDOM (a value that is not possible), -ENOMEM (more memory than
 * there is).
 */
int luks_pbkdf_check(struct luks_pbkdf *what, const struct kdf_memory *memory,
		     struct why *why);

/* For libcryptsetup; after luks_pbkdf_check, and valid as long as @what. */
void luks_pbkdf_fill(const struct luks_pbkdf *what,
		     struct crypt_pbkdf_type *ret);

#endif
