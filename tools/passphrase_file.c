/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Passphrases from files and open descriptors: see passphrase_file.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/secret.h"
#include "lib/why.h"
#include "tools/passphrase_file.h"

#define FIRST_ROOM 4096u /* bytes */
#define NAME_LEN   255u	 /* bytes of a credential's name */

/* What is read, and how much of it. */
struct source {
	int fd;
	const char *name; /* for people */
	uint64_t offset;  /* bytes to leave out */
	uint64_t size;	  /* bytes, 0: all there is */
};

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

/* Past what is left out.  What cannot seek is read; it may be secret too. */
static int skip(const struct source *s, struct secret *secret, struct why *why)
{
	uint64_t left = s->offset;
	int r = 1;

	if (!left || lseek(s->fd, (off_t)left, SEEK_CUR) >= 0)
		return 0;
	while (left && r > 0) {
		r = read_some(s->fd, secret,
			      left < secret->room ? left : secret->room,
			      s->name, why);
		left -= secret->len;
		secret->len = 0;
	}
	return r < 0 ? r : 0;
}

static int too_long(const struct source *s, struct why *why)
{
	return why_set(why, -EINVAL, "%s: longer than %u MiB, no key file",
		       s->name, KEY_FILE_MAX >> 20);
}

/* Everything until the end of file, or s->size bytes. */
static int read_whole(const struct source *s, struct secret *secret,
		      struct why *why)
{
	size_t max = s->size ? s->size : KEY_FILE_MAX + 1;
	size_t want;
	int r = skip(s, secret, why);

	if (r)
		return r;
	for (r = 1; r > 0 && secret->len < max;) {
		if (secret->len == secret->room) {
			r = secret_grow(secret, why);
			if (r)
				return r;
		}
		want = secret->room - secret->len;
		if (want > max - secret->len)
			want = max - secret->len;
		r = read_some(s->fd, secret, want, s->name, why);
	}
	if (r < 0)
		return r;
	if (secret->len > KEY_FILE_MAX)
		return too_long(s, why);
	if (secret->len < s->size)
		return why_set(why, -EINVAL,
			       "%s: has %zu bytes from byte %" PRIu64
			       " on, not %" PRIu64,
			       s->name, secret->len, s->offset, s->size);
	if (!secret->len && s->offset)
		return why_set(why, -EINVAL,
			       "%s: ends before byte %" PRIu64
			       ", no passphrase in it",
			       s->name, s->offset);
	if (!secret->len)
		return why_set(why, -EINVAL, "%s: empty, no passphrase in it",
			       s->name);
	return 0;
}

/* What a regular file's size tells before anything is read. */
static int look_at(const struct source *s, size_t *ret_room, struct why *why)
{
	off_t at = lseek(s->fd, 0, SEEK_CUR);
	uint64_t start, left;
	struct stat st;

	*ret_room = s->size ? s->size : FIRST_ROOM;
	if (s->size > KEY_FILE_MAX)
		return too_long(s, why);
	if (fstat(s->fd, &st))
		return why_set(why, -errno, "%s: %s", s->name, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return why_set(why, -EISDIR, "%s: is a folder, no key file",
			       s->name);
	if (!S_ISREG(st.st_mode) || s->size || at < 0)
		return 0;
	start = (uint64_t)at + s->offset;
	left = (uint64_t)st.st_size > start ? (uint64_t)st.st_size - start : 0;
	if (left > KEY_FILE_MAX)
		return too_long(s, why);
	/* One more, to see the end.  A file of no size may have contents. */
	if (left)
		*ret_room = left + 1;
	return 0;
}

static int from_descriptor(const struct source *s, struct secret *ret,
			   struct why *why)
{
	struct secret secret;
	size_t room;
	int r = look_at(s, &room, why);

	if (!r)
		r = secret_alloc(&secret, room, why);
	if (r)
		return r;
	r = read_whole(s, &secret, why);
	if (r)
		secret_free(&secret);
	else
		*ret = secret;
	return r;
}

int passphrase_from_file(const char *path, uint64_t offset, uint64_t size,
			 struct secret *ret, struct why *why)
{
	bool is_stdin = !strcmp(path, "-");
	struct source s = {
		.fd = STDIN_FILENO,
		.name = is_stdin ? "standard input" : path,
		.offset = offset,
		.size = size,
	};
	int r;

	if (!is_stdin)
		s.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (s.fd < 0)
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	r = from_descriptor(&s, ret, why);
	if (!is_stdin)
		close(s.fd);
	return r;
}

static int read_line(int fd, const char *name, struct secret *secret,
		     struct why *why)
{
	const char *data = secret->data;
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
		if (data[secret->len - 1] == '\n') {
			secret->len--;
			return 0;
		}
	}
	if (!secret->len)
		return why_set(why, -ENODATA, "%s: nothing to read", name);
	return 0;
}

int passphrase_from_line(int fd, const char *name, struct secret *ret,
			 struct why *why)
{
	struct secret secret;
	int r = secret_alloc(&secret, FIRST_ROOM, why);

	if (r)
		return r;
	r = read_line(fd, name, &secret, why);
	if (r)
		secret_free(&secret);
	else
		*ret = secret;
	return r;
}

/* The rules of systemd, whose names are those of files. */
static bool is_credential_name(const char *name)
{
	const char *p;

	if (!*name || !strcmp(name, ".") || !strcmp(name, "..") ||
	    strlen(name) > NAME_LEN)
		return false;
	for (p = name; *p; p++)
		if (*p < ' ' || *p > '~' || *p == '/' || *p == ':')
			return false;
	return true;
}

static int open_credential(const char *name, int *ret, struct why *why)
{
	const char *folder = secure_getenv("CREDENTIALS_DIRECTORY");
	struct stat st;
	int dir, fd, err;

	if (!is_credential_name(name))
		return why_set(why, -EDOM,
			       "--credential: \"%s\" cannot be the name of a "
			       "credential",
			       name);
	if (!folder || *folder != '/')
		return why_set(why, -EDOM,
			       "--credential: $CREDENTIALS_DIRECTORY is not "
			       "set, which systemd does for a unit with "
			       "LoadCredential=");
	dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return why_set(why, -errno, "%s: %s", folder, strerror(errno));
	/* Not blocking: nothing but a file is read. */
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	err = fd < 0 ? -errno : 0;
	close(dir);
	if (err)
		return why_set(why, err, "the credential \"%s\": %s", name,
			       strerror(-err));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return why_set(why, -EINVAL,
			       "the credential \"%s\" is no regular file",
			       name);
	}
	*ret = fd;
	return 0;
}

int passphrase_from_credential(const char *name, struct secret *ret,
			       struct why *why)
{
	struct source s = { .name = name };
	int r = open_credential(name, &s.fd, why);

	if (r)
		return r;
	r = from_descriptor(&s, ret, why);
	if (r)
		why_prefix(why, "credential");
	close(s.fd);
	return r;
}
