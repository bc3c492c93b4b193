/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Giving the volume key away: see dump_key.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypt/unlock.h"
#include "lib/secmem.h"
#include "lib/secret.h"
#include "lib/transfer.h"
#include "lib/why.h"
#include "tools/dump_key.h"
#include "tools/key.h"

#define FIELD(field) offsetof(struct dump_key, field)

const struct option dump_key_options[] = {
	{ "dump-volume-key", OPTION_FLAG, FIELD(wanted), NULL,
	  "show the volume key instead, with which everybody can read the data" },
	{ "volume-key-file", OPTION_STRING, FIELD(file), "FILE",
	  "write it to this new file, and do not show it", NULL, VALUE_FILE },
	{ "batch-mode", OPTION_FLAG, FIELD(batch), NULL,
	  "do not ask before that" },
	{ "key-slot", OPTION_STRING, FIELD(key_slot), "N",
	  "try only this key slot, whatever its priority" },
	{ .group = passphrase_options, .offset = FIELD(source) },
	{ NULL },
};

int dump_key_check(const struct dump_key *args, bool json, struct why *why)
{
	int slot;

	if (args->wanted && json)
		return why_set(
			why, -EDOM,
			"--dump-volume-key and --json do not go together");
	if (!args->wanted && (args->batch || args->file || args->key_slot ||
			      passphrase_is_given(&args->source)))
		return why_set(why, -EDOM,
			       "a key file, --key-slot, --volume-key-file and"
			       " --batch-mode are for --dump-volume-key");
	if (key_slot_number("key-slot", args->key_slot, &slot, why))
		return -EDOM;
	return passphrase_check(&args->source, "", why);
}

static int write_file(const char *path, const uint8_t *key, size_t len,
		      struct why *why)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	r = transfer_append(fd, key, len);
	if (!r && fsync(fd))
		r = -errno;
	close(fd);
	if (!r)
		return 0;
	unlink(path);
	return why_set(why, r, "%s: the key cannot be written: %s", path,
		       strerror(-r));
}

/* Past stdio, whose buffers nobody wipes. */
static int write_hex(const uint8_t *key, size_t len, struct why *why)
{
	struct secret hex;
	size_t i;
	int r;

	r = secret_alloc(&hex, len * 2 + 2, why);
	if (r)
		return r;
	for (i = 0; i < len; i++)
		sprintf((char *)hex.data + 2 * i, "%02x", key[i]);
	((char *)hex.data)[2 * len] = '\n';
	r = transfer_append(STDOUT_FILENO, hex.data, 2 * len + 1);
	secret_free(&hex);
	return r ? why_set(why, r, "standard output: %s", strerror(-r)) : 0;
}

/* All that can be known before anybody is asked anything. */
static int look(const struct dump_key *args, int header_fd,
		struct volume_request *ret, struct why *why)
{
	struct volume_request request = VOLUME_HEADER(header_fd);
	struct volume_info info;
	int r;

	r = volume_probe(&request, &info, why);
	if (!r)
		r = key_slot_number("key-slot", args->key_slot,
				    &request.key_slot, why);
	if (!r)
		*ret = request;
	return r;
}

static int unlock(const struct dump_key *args, const char *image,
		  struct volume_request *request, uint8_t *key, size_t *ret_len,
		  struct why *why)
{
	struct passphrase_source source = args->source;
	struct volume_info info;
	struct secret secret = { 0 };
	char prompt[300];
	int r;

	snprintf(prompt, sizeof(prompt), "Passphrase for %.256s", image);
	source.prompt = prompt;
	r = passphrase_get(&source, false, &secret, why);
	if (r)
		return r;
	request->passphrase = secret.data;
	request->passphrase_len = secret.len;
	r = volume_unlock(request, key, &info, why);
	secret_free(&secret);
	if (!r)
		*ret_len = info.key_bytes;
	return r;
}

static int confirm(const struct dump_key *args,
		   const struct container_paths *paths, struct why *why)
{
	return container_confirm(
		paths, args->batch,
		"The volume key opens this container without a passphrase, for "
		"ever.\nNo change of passphrases makes it useless. Keep it "
		"where nobody finds it.",
		why);
}

static int get_key(const struct dump_key *args,
		   const struct container_paths *paths, uint8_t *key,
		   size_t *ret_len, struct why *why)
{
	struct volume_request request;
	struct container c;
	int r;

	r = container_open(paths, CONTAINER_LOOK, &c, why);
	if (r)
		return r;
	r = look(args, c.header_fd, &request, why);
	if (r)
		goto out_prefix;
	r = confirm(args, paths, why);
	if (r)
		goto out_close;
	r = unlock(args, paths->image, &request, key, ret_len, why);
out_prefix:
	if (r)
		why_prefix(why, "%s", container_header_path(paths));
out_close:
	container_close(&c);
	return r;
}

int dump_key_run(const struct dump_key *args,
		 const struct container_paths *paths, struct why *why)
{
	size_t len = 0;
	void *key;
	int r;

	if (secmem_alloc(VOLUME_KEY_MAX, &key))
		return why_set(why, -ENOMEM,
			       "no locked memory for the key (ulimit -l)");
	r = get_key(args, paths, key, &len, why);
	if (!r)
		r = args->file ? write_file(args->file, key, len, why)
			       : write_hex(key, len, why);
	secmem_free(key, VOLUME_KEY_MAX);
	return r;
}
