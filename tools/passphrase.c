/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Where a passphrase comes from: see passphrase.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/secmem.h"
#include "lib/why.h"
#include "tools/passphrase.h"
#include "tools/terminal.h"

#define FIRST_ROOM 4096u /* bytes */

const struct option passphrase_options[] = {
	{ "key-file", OPTION_STRING,
	  offsetof(struct passphrase_source, key_file), "FILE",
	  "read the passphrase from FILE, - is standard input (whole, newlines "
	  "included)",
	  NULL, VALUE_FILE },
	{ NULL },
};

void secret_free(struct secret *secret)
{
	secmem_free(secret->data, secret->room);
	*secret = (struct secret){ NULL };
}

static int secret_alloc(struct secret *secret, size_t room, struct why *why)
{
	*secret = (struct secret){ .room = room };
	if (!secmem_alloc(room, &secret->data))
		return 0;
	secret->room = 0;
	return why_set(why, -ENOMEM,
		       "no locked memory for a passphrase of %zu"
		       " bytes (ulimit -l)",
		       room);
}

/* Twice the room, the contents moved along. */
static int secret_grow(struct secret *secret, struct why *why)
{
	struct secret bigger;
	int r = secret_alloc(&bigger, secret->room * 2, why);

	if (r)
		return r;
	memcpy(bigger.data, secret->data, secret->len);
	bigger.len = secret->len;
	secret_free(secret);
	*secret = bigger;
	return 0;
}

/* One read; 1 more may follow, 0 the end. */
static int read_some(int fd, struct secret *secret, size_t want,
		     const char *name, struct why *why)
{
	ssize_t n;

	do
		n = read(fd, (char *)secret->data + secret->len, want);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return why_set(why, -errno, "%s: %s", name, strerror(errno));
	secret->len += (size_t)n;
	return n > 0;
}

/* Everything until the end of file. */
static int read_whole(int fd, const char *name, struct secret *secret,
		      struct why *why)
{
	int r = 1;

	while (r > 0) {
		if (secret->len == secret->room) {
			r = secret_grow(secret, why);
			if (r)
				return r;
		}
		r = read_some(fd, secret, secret->room - secret->len, name,
			      why);
		if (secret->len > KEY_FILE_MAX)
			return why_set(why, -EINVAL,
				       "%s: longer than %u MiB,"
				       " no key file",
				       name, KEY_FILE_MAX >> 20);
	}
	if (!r && !secret->len)
		return why_set(why, -EINVAL, "%s: empty, no passphrase in it",
			       name);
	return r;
}

/* Until the first newline, which is left out; not a byte more is taken. */
static int read_line(int fd, struct secret *secret, struct why *why)
{
	const char *name = "standard input";
	const char *data;
	int r;

	for (;;) {
		if (secret->len == PASSPHRASE_MAX + 1)
			return why_set(why, -EINVAL,
				       "%s: the line is longer"
				       " than %u bytes (--key-file -)",
				       name, PASSPHRASE_MAX);
		r = read_some(fd, secret, 1, name, why);
		if (r < 0)
			return r;
		if (!r)
			break;
		data = secret->data;
		if (data[secret->len - 1] == '\n') {
			secret->len--;
			return 0;
		}
	}
	if (!secret->len)
		return why_set(why, -ENOTTY,
			       "no terminal for the passphrase,"
			       " and nothing on standard input (--key-file"
			       " FILE)");
	return 0;
}

static int from_line(struct secret *ret, struct why *why)
{
	struct secret secret;
	int r = secret_alloc(&secret, FIRST_ROOM, why);

	if (r)
		return r;
	r = read_line(STDIN_FILENO, &secret, why);
	if (r)
		secret_free(&secret);
	else
		*ret = secret;
	return r;
}

static int from_file(const char *path, struct secret *ret, struct why *why)
{
	bool is_stdin = !strcmp(path, "-");
	struct secret secret;
	int fd, r;

	fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	r = secret_alloc(&secret, FIRST_ROOM, why);
	if (!r)
		r = read_whole(fd, is_stdin ? "standard input" : path, &secret,
			       why);
	if (r)
		secret_free(&secret);
	else
		*ret = secret;
	if (!is_stdin)
		close(fd);
	return r;
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

bool passphrase_is_typed(const struct passphrase_source *source)
{
	return !source->key_file && isatty(STDIN_FILENO);
}

int passphrase_get(const struct passphrase_source *source, bool verify,
		   struct secret *ret, struct why *why)
{
	if (source->key_file)
		return from_file(source->key_file, ret, why);
	if (passphrase_is_typed(source))
		return from_terminal(source->prompt, verify, ret, why);
	return from_line(ret, why);
}
