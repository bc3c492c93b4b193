/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a header may ask of this machine: bounds on the costs of key
 * derivation, and the memory that machine and control group have for it.
 */
#ifndef CRYPT_KDF_LIMITS_H
#define CRYPT_KDF_LIMITS_H

#include <stdint.h>

#define KDF_MEMORY_MAX	    (4ULL << 30) /* bytes; what cryptsetup sets at most */
#define KDF_THREADS_MAX	    16u
#define KDF_ARGON2_TIME_MAX 1000000u	 /* passes */
#define KDF_ARGON2_WORK_MAX (2ULL << 40) /* bytes times passes */
#define KDF_PBKDF2_MAX	    1000000000u	 /* iterations of a key slot */
#define KDF_DIGEST_MAX	    100000000u	 /* iterations of a digest */

/* The memory that this process could take now, and whose limit that is. */
struct kdf_memory {
	uint64_t bytes;
	const char *limit; /* "this machine" or "this control group" */
};

/*
 * The least of the machine's available memory with free swap and what every
 * control group above this process (v2 and v1) has left, page cache counted
 * as free.  @root stands before every path: "" but in tests.
 * Errors: -errno when /proc/meminfo cannot be read; a missing control group
 * is no limit.
 */
int kdf_memory_available(const char *root, struct kdf_memory *ret);

#endif
