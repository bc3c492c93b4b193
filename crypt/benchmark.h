/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * How fast this machine is: the cipher as the data path uses it, in one
 * thread and without storage, and key derivation as libcryptsetup measures it.
 */
#ifndef CRYPT_BENCHMARK_H
#define CRYPT_BENCHMARK_H

#include <stddef.h>
#include <stdint.h>

struct luks_pbkdf;
struct why;

#define BENCHMARK_KEY_BYTES 32u /* that key derivation is measured for */

/* Bytes per second. */
struct benchmark_rates {
	uint64_t encrypt, decrypt;
};

/*
 * AES-XTS with a key of @key_bytes (32 or 64) and sectors of @sector_size
 * bytes, for @ms milliseconds in each direction.
 * Errors: -EINVAL, -ENOMEM, -ENOTSUP, -EIO.
 */
int benchmark_cipher(size_t key_bytes, uint32_t sector_size, int64_t ms,
		     struct benchmark_rates *ret, struct why *why);

/*
 * PBKDF2 with @hash ("sha256"): *@ret_rate is iterations per second.
 * Errors: -ENOTSUP (no such hash), other -errno.
 */
int benchmark_pbkdf2(const char *hash, uint32_t *ret_rate, struct why *why);

/*
 * Argon2: what @kdf would cost that takes @kdf->time_ms; @kdf has passed
 * luks_pbkdf_check.  Its memory, threads and iterations become those found.
 * Errors: -ENOMEM, other -errno.
 */
int benchmark_argon2(struct luks_pbkdf *kdf, struct why *why);

#endif
