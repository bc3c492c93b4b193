/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Where a passphrase comes from: see passphrase.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/keyring.h"
#include "lib/why.h"
#include "tools/options.h"
#include "tools/passphrase.h"
#include "tools/passphrase_file.h"
#include "tools/terminal.h"

#define FIELD(name) offsetof(struct passphrase_source, name)

const struct option passphrase_options[] = {
	{ "key-file", OPTION_STRING, FIELD(key_file), "FILE",
	  "read the passphrase from FILE, - is standard input (whole, newlines "
	  "included)",
	  NULL, VALUE_FILE },
	{ "keyfile-offset", OPTION_OFFSET, FIELD(keyfile_offset), "BYTES",
	  "leave out so much at the start of the key file" },
	{ "keyfile-size", OPTION_SIZE, FIELD(keyfile_size), "BYTES",
	  "read so much of it, and not all" },
	{ "passphrase-fd", OPTION_STRING, FIELD(fd), "N",
	  "a line of the open descriptor N, without its newline" },
	{ "key-from-keyring", OPTION_STRING, FIELD(key), "KEY",
	  "what the key of this description holds, of type user, in the "
	  "kernel's keyring" },
	{ "credential", OPTION_STRING, FIELD(credential), "NAME",
	  "a credential that systemd gave the unit" },
	{ NULL },
};

const struct option new_passphrase_options[] = {
	{ "new-key-file", OPTION_STRING, FIELD(key_file), "FILE",
	  "read the new passphrase from FILE, - is standard input (whole, "
	  "newlines included)",
	  NULL, VALUE_FILE },
	{ "new-keyfile-offset", OPTION_OFFSET, FIELD(keyfile_offset), "BYTES",
	  "leave out so much at the start of the new key file" },
	{ "new-keyfile-size", OPTION_SIZE, FIELD(keyfile_size), "BYTES",
	  "read so much of it, and not all" },
	{ "new-passphrase-fd", OPTION_STRING, FIELD(fd), "N",
	  "a line of the open descriptor N, without its newline" },
	{ "new-key-from-keyring", OPTION_STRING, FIELD(key), "KEY",
	  "what the key of this description holds, of type user, in the "
	  "kernel's keyring" },
	{ "new-credential", OPTION_STRING, FIELD(credential), "NAME",
	  "a credential that systemd gave the unit" },
	{ NULL },
};

static bool is_stdin(const struct passphrase_source *source)
{
	return source->key_file && !strcmp(source->key_file, "-");
}

static int check_one(const struct passphrase_source *source, const char *prefix,
		     struct why *why)
{
	const struct {
		const char *name;
		const char *value;
	} places[] = {
		{ "key-file", source->key_file },
		{ "passphrase-fd", source->fd },
		{ "key-from-keyring", source->key },
		{ "credential", source->credential },
	};
	const char *first = NULL;
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (!places[i].value)
			continue;
		if (first)
			return why_set(why, -EDOM,
				       "--%s%s and --%s%s: a passphrase comes "
				       "from one place only",
				       prefix, first, prefix, places[i].name);
		first = places[i].name;
	}
	return 0;
}

int passphrase_check(const struct passphrase_source *source, const char *prefix,
		     struct why *why)
{
	uint32_t fd;

	if (!source->key_file &&
	    (source->keyfile_offset || source->keyfile_size))
		return why_set(
			why, -EDOM,
			"--%skeyfile-offset and --%skeyfile-size are for "
			"--%skey-file",
			prefix, prefix, prefix);
	if (source->fd && (option_number(source->fd, &fd) || fd > INT_MAX))
		return why_set(why, -EDOM,
			       "--%spassphrase-fd: %s is not the number of a "
			       "descriptor",
			       prefix, source->fd);
	return check_one(source, prefix, why);
}

static int from_stdin(struct secret *ret, struct why *why)
{
	int r = passphrase_from_line(STDIN_FILENO, "standard input", ret, why);

	if (r == -ENODATA)
		r = why_set(why, -ENOTTY,
			    "no terminal for the passphrase,"
			    " and nothing on standard input (--key-file"
			    " FILE)");
	return r;
}

static int from_fd(const char *number, struct secret *ret, struct why *why)
{
	char name[32];
	uint32_t fd = 0;
	int flags;

	option_number(number, &fd);
	snprintf(name, sizeof(name), "descriptor %u", fd);
	flags = fcntl((int)fd, F_GETFL);
	if (flags < 0 || (flags & O_ACCMODE) == O_WRONLY || (flags & O_PATH))
		return why_set(why, -EDOM, "%s: is not open for reading", name);
	if (isatty((int)fd))
		return why_set(why, -EDOM,
			       "%s: is a terminal, which would show the "
			       "passphrase (leave it out to be asked)",
			       name);
	/* It is for this process, not for those that it starts. */
	fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	return passphrase_from_line((int)fd, name, ret, why);
}

static int type_once(const char *prefix, const char *prompt, struct secret *ret,
		     struct why *why)
{
	struct secret secret;
	ssize_t n;
	int r = secret_alloc(&secret, PASSPHRASE_MAX, why);

	if (r)
		return r;
	n = terminal_read_hidden(prefix, prompt, secret.data, secret.room, why);
	if (n < 0) {
		secret_free(&secret);
		return (int)n;
	}
	secret.len = (size_t)n;
	*ret = secret;
	return 0;
}

static int from_terminal(const char *prompt, bool verify, struct secret *ret,
			 struct why *why)
{
	struct secret first, second;
	bool same;
	int r = type_once("", prompt, &first, why);

	if (r || !verify) {
		if (!r)
			*ret = first;
		return r;
	}
	r = type_once("Again: ", prompt, &second, why);
	if (r) {
		secret_free(&first);
		return r;
	}
	same = first.len == second.len &&
	       !CRYPTO_memcmp(first.data, second.data, first.len);
	secret_free(&second);
	if (!same) {
		secret_free(&first);
		return why_set(why, -EPERM, "the two passphrases differ");
	}
	*ret = first;
	return 0;
}

bool passphrase_is_given(const struct passphrase_source *source)
{
	return source->key_file || source->fd || source->key ||
	       source->credential;
}

bool passphrase_is_typed(const struct passphrase_source *source)
{
	return (!passphrase_is_given(source) || is_stdin(source)) &&
	       isatty(STDIN_FILENO);
}

static int get_typed(const struct passphrase_source *source, bool verify,
		     struct secret *ret, struct why *why)
{
	if (source->keyfile_offset || source->keyfile_size)
		return why_set(why, -EDOM,
			       "an offset and a size are for a file, not for "
			       "what is typed at a terminal");
	return from_terminal(source->prompt, verify, ret, why);
}

int passphrase_get(const struct passphrase_source *source, bool verify,
		   struct secret *ret, struct why *why)
{
	int r = passphrase_check(source, "", why);

	if (r)
		return r;
	if (passphrase_is_typed(source))
		return get_typed(source, verify, ret, why);
	if (source->key_file)
		return passphrase_from_file(source->key_file,
					    source->keyfile_offset,
					    source->keyfile_size, ret, why);
	if (source->fd)
		return from_fd(source->fd, ret, why);
	if (source->key)
		return keyring_read(source->key, ret, why);
	if (source->credential)
		return passphrase_from_credential(source->credential, ret, why);
	return from_stdin(ret, why);
}
