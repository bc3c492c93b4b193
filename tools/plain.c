/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Volumes without a header, on the command line: see plain.h.  The rules are
 * those of cryptsetup-open(8), "Notes on passphrase processing for plain
 * mode", but nothing has a default: cryptsetup changed its own, and what is
 * opened with another one reads as noise and is overwritten.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "crypt/json_get.h"
#include "crypt/plain.h"
#include "daemon/volume.h"
#include "lib/why.h"
#include "tools/passphrase.h"
#include "tools/plain.h"

#define FIELD(field) offsetof(struct plain_request, field)

const struct option plain_options[] = {
	{ "type", OPTION_STRING, FIELD(type), "TYPE",
	  "luks (default), or plain: no header, all of this must be said:",
	  "luks plain" },
	{ "cipher", OPTION_STRING, FIELD(cipher), "CIPHER",
	  "of plain: aes-xts-plain64 or aes-xts-plain",
	  "aes-xts-plain64 aes-xts-plain" },
	{ "key-size", OPTION_NUMBER, FIELD(key_bits), "BITS",
	  "of plain: 256 or 512", "256 512" },
	{ "hash", OPTION_STRING, FIELD(hash), "HASH",
	  "of plain: how a passphrase becomes the key; plain: not at all",
	  "sha256 sha512 ripemd160 plain" },
	{ "offset", OPTION_STRING, FIELD(offset), "SECTORS",
	  "of plain: where the data start, in units of 512 bytes (0)" },
	{ "skip", OPTION_STRING, FIELD(skip), "SECTORS",
	  "of plain: what their first sector counts as (0)" },
	{ "size", OPTION_STRING, FIELD(size), "SECTORS",
	  "of plain: how much there is (up to the end)" },
	{ "sector-size", OPTION_NUMBER, FIELD(sector_size), "BYTES",
	  "of plain: 512 (default), 1024, 2048, 4096", "512 1024 2048 4096" },
	{ "force-plain", OPTION_FLAG, FIELD(force), NULL,
	  "plain, whatever the image looks like" },
	{ NULL },
};

/* Other types that cryptsetup opens, by its names for them. */
static const struct {
	const char *type;
	const char *name;
} elsewhere[] = {
	{ "tcrypt", "VeraCrypt and TrueCrypt volumes" },
	{ "bitlk", "BitLocker volumes" },
	{ "fvault2", "FileVault2 volumes" },
	{ "loopaes", "loop-AES volumes" },
};

bool plain_wanted(const struct plain_request *args)
{
	return args->type && !strcmp(args->type, "plain");
}

static int check_type(const char *type, struct why *why)
{
	size_t i;

	if (!type || !strcmp(type, "plain") || !strcmp(type, "luks"))
		return 0;
	for (i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		if (!strcmp(elsewhere[i].type, type))
			return why_set(why, -EDOM,
				       "--type %s: %s cannot be served (open it"
				       " with cryptsetup open --type %s)",
				       type, elsewhere[i].name, type);
	return why_set(why, -EDOM, "--type: \"luks\" or \"plain\", not \"%s\"",
		       type);
}

static bool is_key_file(const struct passphrase_source *source)
{
	return source->key_file && strcmp(source->key_file, "-") != 0;
}

int plain_check(const struct plain_request *args,
		const struct passphrase_source *source, struct why *why)
{
	int r = check_type(args->type, why);

	if (r)
		return r;
	if (!plain_wanted(args)) {
		if (args->cipher || args->hash || args->offset || args->skip ||
		    args->size || args->key_bits || args->sector_size ||
		    args->force)
			return why_set(why, -EDOM,
				       "--cipher, --key-size, --hash, --offset,"
				       " --skip, --size, --sector-size and"
				       " --force-plain are for --type plain");
		return 0;
	}
	if (!args->cipher || !args->key_bits)
		return why_set(why, -EDOM,
			       "--type plain: --cipher and --key-size are"
			       " needed, since no header tells them");
	if (args->key_bits % 8)
		return why_set(why, -EDOM,
			       "--key-size: 256 or 512 bits are possible");
	if (!args->hash != is_key_file(source))
		return why_set(why, -EDOM,
			       args->hash ? "--hash: a key file is the key"
					    " itself and is not hashed"
					  : "--type plain: --hash is needed for"
					    " a passphrase (or \"plain\")");
	return 0;
}

static int sectors(const char *option, const char *text, uint64_t *ret,
		   struct why *why)
{
	if (text && !json_text_u64(text, ret))
		return why_set(why, -EDOM,
			       "--%s: a number of 512-byte sectors, not \"%s\"",
			       option, text);
	return 0;
}

static int parse(const struct plain_request *args, struct plain_params *ret,
		 struct why *why)
{
	struct plain_params p = {
		.cipher = args->cipher,
		.key_bytes = args->key_bits / 8,
		.sector_size = args->sector_size ? args->sector_size : 512,
		.hash = args->hash,
	};
	int r;

	r = sectors("offset", args->offset, &p.offset, why);
	if (!r)
		r = sectors("skip", args->skip, &p.skip, why);
	if (!r)
		r = sectors("size", args->size, &p.size, why);
	if (!r)
		*ret = p;
	return r;
}

int plain_prepare(const struct plain_request *args, struct volume *volume,
		  struct why *why)
{
	struct plain_params params;
	int r = parse(args, &params, why);

	return r ? r
		 : plain_probe(volume->image_fd, &params, args->force,
			       &volume->info, why);
}

static int copy_key(const struct secret *secret, struct volume *volume,
		    struct why *why)
{
	const size_t len = volume->info.key_bytes;

	if (secret->len < len)
		return why_set(why, -EINVAL,
			       "the key file has %zu bytes, the key needs %zu",
			       secret->len, len);
	memcpy(volume->key, secret->data, len);
	return 0;
}

int plain_key(const struct plain_request *args,
	      const struct passphrase_source *source, struct volume *volume,
	      struct why *why)
{
	struct plain_params params;
	struct secret secret = { 0 };
	int r = parse(args, &params, why);

	if (!r)
		/* Twice if typed: nobody would notice a wrong one. */
		r = passphrase_get(source, true, &secret, why);
	if (r)
		return r;
	r = is_key_file(source)
		    ? copy_key(&secret, volume, why)
		    : plain_hash(volume->image_fd, &params, secret.data,
				 secret.len, volume->key, why);
	secret_free(&secret);
	return r;
}
