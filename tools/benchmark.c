/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt benchmark: how fast ciphers and key derivation are on this machine.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "crypt/benchmark.h"
#include "crypt/kdf_limits.h"
#include "crypt/luks_pbkdf.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/volumes.h"

#define CIPHER_MS 250 /* for each direction */

struct benchmark_args {
	const char *cipher;
	struct luks_pbkdf kdf; /* type NULL: all */
	bool json;
};

/* What is found goes to the table at once, or to @json for the end. */
struct output {
	struct json_object *pbkdf, *ciphers;
	bool json;
};

static void add_number(struct json_object *obj, const char *key, uint64_t n)
{
	json_object_object_add(obj, key, json_object_new_uint64(n));
}

static void show_pbkdf2(const struct output *out, const char *hash,
			uint32_t rate)
{
	struct json_object *obj;

	if (!out->json) {
		printf("PBKDF2-%-9s %7u iterations per second for %u-bit key\n",
		       hash, rate, BENCHMARK_KEY_BYTES * 8);
		return;
	}
	obj = json_object_new_object();
	json_object_object_add(obj, "type", json_object_new_string("pbkdf2"));
	json_object_object_add(obj, "hash", json_object_new_string(hash));
	add_number(obj, "iterations_per_second", rate);
	json_object_array_add(out->pbkdf, obj);
}

static void show_argon2(const struct output *out, const struct luks_pbkdf *kdf)
{
	struct json_object *obj;

	if (!out->json) {
		printf("%-13s %u iterations, %u memory, %u parallel threads "
		       "(CPUs) for %u-bit key (requested %u ms time)\n",
		       kdf->type, kdf->iterations, kdf->memory_kib,
		       kdf->threads, BENCHMARK_KEY_BYTES * 8, kdf->time_ms);
		return;
	}
	obj = json_object_new_object();
	json_object_object_add(obj, "type", json_object_new_string(kdf->type));
	add_number(obj, "iterations", kdf->iterations);
	add_number(obj, "memory_kib", kdf->memory_kib);
	add_number(obj, "threads", kdf->threads);
	add_number(obj, "time_ms", kdf->time_ms);
	json_object_array_add(out->pbkdf, obj);
}

static void show_cipher(const struct output *out, size_t key_bytes,
			uint32_t sector_size,
			const struct benchmark_rates *rates)
{
	struct json_object *obj;

	if (!out->json) {
		printf("        aes-xts       %4zub      %4uB  %10.1f MiB/s  "
		       "%10.1f MiB/s\n",
		       key_bytes * 8, sector_size,
		       (double)rates->encrypt / (1 << 20),
		       (double)rates->decrypt / (1 << 20));
		return;
	}
	obj = json_object_new_object();
	json_object_object_add(obj, "cipher",
			       json_object_new_string("aes-xts"));
	add_number(obj, "key_bits", key_bytes * 8);
	add_number(obj, "sector_size", sector_size);
	add_number(obj, "encrypt_bytes_per_second", rates->encrypt);
	add_number(obj, "decrypt_bytes_per_second", rates->decrypt);
	json_object_array_add(out->ciphers, obj);
}

static bool is_wanted(const char *wanted, const char *name)
{
	return !wanted || !strcmp(wanted, name);
}

static int run_pbkdf2(const struct output *out, struct why *why)
{
	static const char *const hashes[] = { "sha1", "sha256", "sha512" };
	uint32_t rate;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		err = benchmark_pbkdf2(hashes[i], &rate, why);
		if (!err)
			show_pbkdf2(out, hashes[i], rate);
		fflush(stdout);
	}
	return err;
}

static int run_argon2(const struct luks_pbkdf *wish, const char *type,
		      const struct output *out, struct why *why)
{
	struct luks_pbkdf kdf = *wish;
	struct kdf_memory memory;
	int err;

	kdf.type = type;
	err = kdf_memory_available("", &memory);
	if (err)
		return why_set(why, err, "/proc/meminfo: %s", strerror(-err));
	err = luks_pbkdf_check(&kdf, &memory, why);
	if (!err)
		err = benchmark_argon2(&kdf, why);
	if (!err)
		show_argon2(out, &kdf);
	fflush(stdout);
	return err;
}

static int run_pbkdfs(const struct benchmark_args *args,
		      const struct output *out, struct why *why)
{
	static const char *const argon2[] = { "argon2i", "argon2id" };
	size_t i;
	int err = 0;

	if (is_wanted(args->kdf.type, "pbkdf2"))
		err = run_pbkdf2(out, why);
	for (i = 0; !err && i < 2; i++)
		if (is_wanted(args->kdf.type, argon2[i]))
			err = run_argon2(&args->kdf, argon2[i], out, why);
	return err;
}

static int run_ciphers(const struct output *out, struct why *why)
{
	static const struct {
		size_t key_bytes;
		uint32_t sector_size;
	} rows[] = { { 32, 512 }, { 32, 4096 }, { 64, 512 }, { 64, 4096 } };
	struct benchmark_rates rates;
	size_t i;
	int err = 0;

	if (!out->json)
		printf("#     Algorithm |       Key |  Sector |      Encryption |"
		       "      Decryption\n");
	for (i = 0; !err && i < sizeof(rows) / sizeof(rows[0]); i++) {
		err = benchmark_cipher(rows[i].key_bytes, rows[i].sector_size,
				       CIPHER_MS, &rates, why);
		if (!err)
			show_cipher(out, rows[i].key_bytes, rows[i].sector_size,
				    &rates);
		fflush(stdout);
	}
	return err;
}

static int benchmark(const struct benchmark_args *args, struct why *why)
{
	struct json_object *all = json_object_new_object();
	struct output out = { json_object_new_array(), json_object_new_array(),
			      args->json };
	int err = 0;

	json_object_object_add(all, "pbkdf", out.pbkdf);
	json_object_object_add(all, "ciphers", out.ciphers);
	if (!args->json)
		printf("# Tests are approximate using memory only (no storage "
		       "IO).\n");
	if (!args->cipher || args->kdf.type)
		err = run_pbkdfs(args, &out, why);
	if (!err && (!args->kdf.type || args->cipher))
		err = run_ciphers(&out, why);
	if (!err && args->json)
		err = volume_print_json(all, why);
	json_object_put(all);
	return err;
}

static int run(int argc, char **argv)
{
	struct benchmark_args args = { 0 };
	struct why why = { "" };
	int err;

	if (command_parse(&benchmark_command, argc, argv, &args, &why))
		return command_misuse(&benchmark_command, &why);
	err = benchmark(&args, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

#define FIELD(name) offsetof(struct benchmark_args, name)

static const struct option options[] = {
	{ "cipher", OPTION_WORD, FIELD(cipher), "CIPHER",
	  "only this one, and no key derivation unless --pbkdf says so",
	  "aes-xts aes-xts-plain64" },
	{ "pbkdf", OPTION_WORD, FIELD(kdf.type), "KIND",
	  "only this one, and no cipher unless --cipher says so",
	  "argon2id argon2i pbkdf2" },
	{ "pbkdf-memory", OPTION_NUMBER, FIELD(kdf.memory_kib), "KIB",
	  "memory for Argon2, at most" },
	{ "pbkdf-parallel", OPTION_NUMBER, FIELD(kdf.threads), "N",
	  "threads for Argon2" },
	{ "iter-time", OPTION_NUMBER, FIELD(kdf.time_ms), "MS",
	  "how long an unlock with Argon2 shall take (2000)" },
	{ "json", OPTION_FLAG, FIELD(json), NULL, "as JSON" },
	{ NULL },
};

const struct command benchmark_command = {
	.name = "benchmark",
	.run = run,
	.summary = "measure ciphers and key derivation on this machine",
	.usage = "[OPTION...]",
	.about = "Memory only; a cipher has one thread, as each queue of a "
		 "volume has.\n",
	.options = options,
};
