/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Keys of the kernel's keyrings: see keyring.h.
 */
#include <errno.h>
#include <linux/keyctl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/keyring.h"
#include "lib/secret.h"
#include "lib/why.h"

#define FIRST_ROOM 4096u /* bytes; a key of type "user" has 32767 at most */

/* Its serial number, or -errno. */
static long find(const char *type, const char *description)
{
	long id = syscall(SYS_request_key, type, description, NULL, 0);

	return id < 0 ? -errno : id;
}

static int explain_missing(const char *description, int err, struct why *why)
{
	switch (err) {
	case -ENOKEY:
		if (find("logon", description) >= 0)
			return why_set(why, -EPERM,
				       "the key \"%s\" is of type logon, which "
				       "cannot be read (keyctl add user)",
				       description);
		return why_set(why, err,
			       "no key \"%s\" of type user in the session's "
			       "keyring and what is linked there (keyctl show)",
			       description);
	case -EACCES:
		return why_set(why, err,
			       "the key \"%s\" may not be read: its "
			       "permissions are against it (keyctl show)",
			       description);
	case -ENOSYS:
		return why_set(why, err, "this kernel has no keyrings");
	case -EPERM:
		return why_set(why, err,
			       "the kernel's keyrings may not be used here "
			       "(is this a container?)");
	default:
		return why_set(why, err, "the key \"%s\": %s", description,
			       strerror(-err));
	}
}

/*
 * Who has found a key by a search may read it.  Reading tells the length of
 * the whole, however little there is room for.
 */
static int read_payload(long id, const char *description, struct secret *secret,
			struct why *why)
{
	long n;
	int r;

	for (;;) {
		n = syscall(SYS_keyctl, KEYCTL_READ, id, secret->data,
			    secret->room);
		if (n < 0)
			return why_set(why, -errno, "the key \"%s\": %s",
				       description, strerror(errno));
		if ((size_t)n <= secret->room)
			break;
		r = secret_grow(secret, why);
		if (r)
			return r;
	}
	secret->len = (size_t)n;
	return 0;
}

int keyring_read(const char *description, struct secret *ret, struct why *why)
{
	struct secret secret;
	long id = find("user", description);
	int r;

	if (id < 0)
		return explain_missing(description, (int)id, why);
	r = secret_alloc(&secret, FIRST_ROOM, why);
	if (r)
		return r;
	r = read_payload(id, description, &secret, why);
	if (r)
		secret_free(&secret);
	else
		*ret = secret;
	return r;
}
