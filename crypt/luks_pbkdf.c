/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The costs of a new key slot: see luks_pbkdf.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <libcryptsetup.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "crypt/kdf_limits.h"
#include "crypt/luks_pbkdf.h"
#include "lib/why.h"

/* libcryptsetup's own bounds (lib/utils_pbkdf.c) and defaults. */
#define MEMORY_KIB_MIN	      32u
#define MEMORY_KIB_DEFAULT    (1u << 20)
#define THREADS_DEFAULT	      4u
#define THREADS_MAX	      4u
#define TIME_MS_DEFAULT	      2000u
#define TIME_MS_MAX	      (10u * 60 * 1000) /* what an unlock may take */
#define ITERATIONS_MIN_PBKDF2 1000u
#define ITERATIONS_MIN_ARGON2 4u

#define bad(why, ...) why_set(why, -EDOM, __VA_ARGS__)

static bool is_argon2(const struct luks_pbkdf *what)
{
	return strcmp(what->type, "pbkdf2");
}

static void fill_defaults(struct luks_pbkdf *what)
{
	if (!what->type)
		what->type = "argon2id";
	if (!what->threads)
		what->threads = is_argon2(what) ? THREADS_DEFAULT : 0;
	if (!what->time_ms)
		what->time_ms = TIME_MS_DEFAULT;
}

static int check_memory(struct luks_pbkdf *what,
			const struct kdf_memory *memory, struct why *why)
{
	uint64_t kib = memory->bytes / 1024;

	if (!what->memory_kib) {
		/* Half, so that the next unlock has some air. */
		kib /= 2;
		what->memory_kib = kib < MEMORY_KIB_DEFAULT
					   ? (uint32_t)kib
					   : MEMORY_KIB_DEFAULT;
		if (what->memory_kib >= MEMORY_KIB_MIN)
			return 0;
	}
	if (what->memory_kib < MEMORY_KIB_MIN ||
	    what->memory_kib > KDF_MEMORY_MAX / 1024)
		return bad(why,
			   "%u KiB of memory for key derivation is not"
			   " possible (%u to %llu)",
			   what->memory_kib, MEMORY_KIB_MIN,
			   KDF_MEMORY_MAX / 1024);
	if (what->memory_kib > kib)
		return why_set(why, -ENOMEM,
			       "%u KiB of memory for key"
			       " derivation cannot be had: %s has %" PRIu64
			       " KiB left (--pbkdf-memory)",
			       what->memory_kib, memory->limit, kib);
	return 0;
}

/* What takes longer than any unlock may, or what the gate would refuse. */
static int check_time(const struct luks_pbkdf *what, struct why *why)
{
	uint64_t work = (uint64_t)what->iterations * what->memory_kib * 1024;

	if (what->time_ms > TIME_MS_MAX)
		return bad(why,
			   "%u ms for key derivation are not possible (1 to"
			   " %u)",
			   what->time_ms, TIME_MS_MAX);
	if (work > KDF_ARGON2_WORK_MAX)
		return bad(why,
			   "%u passes over %u KiB of memory would take"
			   " hours (--pbkdf-force-iterations,"
			   " --pbkdf-memory)",
			   what->iterations, what->memory_kib);
	return 0;
}

int luks_pbkdf_check(struct luks_pbkdf *what, const struct kdf_memory *memory,
		     struct why *why)
{
	uint32_t least, most;
	int r = 0;

	fill_defaults(what);
	least = is_argon2(what) ? ITERATIONS_MIN_ARGON2 : ITERATIONS_MIN_PBKDF2;
	most = is_argon2(what) ? KDF_ARGON2_TIME_MAX : KDF_PBKDF2_MAX;
	if (is_argon2(what) && strcmp(what->type, "argon2id") &&
	    strcmp(what->type, "argon2i"))
		return bad(why,
			   "key derivation %s is unknown (argon2id,"
			   " argon2i, pbkdf2)",
			   what->type);
	if (what->iterations &&
	    (what->iterations < least || what->iterations > most))
		return bad(why,
			   "%u iterations are not possible with %s (%u to"
			   " %u)",
			   what->iterations, what->type, least, most);
	if (!is_argon2(what) && (what->memory_kib || what->threads))
		return bad(why, "pbkdf2 takes neither memory nor threads");
	if (what->threads > THREADS_MAX)
		return bad(why,
			   "%u threads for key derivation are not"
			   " possible (1 to %u)",
			   what->threads, THREADS_MAX);
	if (is_argon2(what))
		r = check_memory(what, memory, why);
	return r ? r : check_time(what, why);
}

void luks_pbkdf_fill(const struct luks_pbkdf *what,
		     struct crypt_pbkdf_type *ret)
{
	*ret = (struct crypt_pbkdf_type){
		.type = what->type,
		.hash = "sha256",
		.time_ms = what->iterations ? 0 : what->time_ms,
		.iterations = what->iterations,
		.max_memory_kb = what->memory_kib,
		.parallel_threads = what->threads,
		.flags = what->iterations ? CRYPT_PBKDF_NO_BENCHMARK : 0,
	};
}
