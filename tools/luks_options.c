/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Options on new headers and key slots: see luks_options.h.
 */
#include <errno.h>
#include <stddef.h>

#include "lib/why.h"
#include "tools/luks_options.h"

#define PBKDF(field) offsetof(struct luks_pbkdf, field)
#define LUKS(field)  offsetof(struct luks_args, luks.field)

const struct option pbkdf_options[] = {
	{ "pbkdf", OPTION_STRING, PBKDF(type), "KIND",
	  "argon2id (default), argon2i, pbkdf2", "argon2id argon2i pbkdf2" },
	{ "pbkdf-memory", OPTION_NUMBER, PBKDF(memory_kib), "KIB",
	  "memory for Argon2" },
	{ "pbkdf-parallel", OPTION_NUMBER, PBKDF(threads), "N",
	  "threads for Argon2" },
	{ "iter-time", OPTION_NUMBER, PBKDF(time_ms), "MS",
	  "how long an unlock shall take (2000)" },
	{ "pbkdf-force-iterations", OPTION_NUMBER, PBKDF(iterations), "N",
	  "instead of measuring" },
	{ NULL },
};

const struct option luks_options[] = {
	{ "label", OPTION_STRING, LUKS(label), "TEXT", "up to 47 bytes" },
	{ "uuid", OPTION_STRING, LUKS(uuid), "UUID",
	  "instead of a random one" },
	{ "sector-size", OPTION_NUMBER, LUKS(sector_size), "BYTES",
	  "512, 1024, 2048, 4096 (default where it fits)",
	  "512 1024 2048 4096" },
	{ "key-size", OPTION_NUMBER, offsetof(struct luks_args, key_bits),
	  "BITS", "256 or 512 (default)", "256 512" },
	{ "cipher", OPTION_STRING, LUKS(cipher), "CIPHER",
	  "aes-xts-plain64 (default) or aes-xts-plain",
	  "aes-xts-plain64 aes-xts-plain" },
	{ .group = pbkdf_options, .offset = LUKS(kdf) },
	{ NULL },
};

int luks_args_finish(struct luks_args *args, struct why *why)
{
	if (args->key_bits % 8)
		return why_set(why, -EINVAL, "--key-size: %u is not 256 or 512",
			       args->key_bits);
	args->luks.key_bytes = args->key_bits / 8;
	return 0;
}
