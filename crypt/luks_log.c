/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What libcryptsetup says: see luks_log.h.
 */
#include <libcryptsetup.h>
#include <string.h>

#include "crypt/luks_log.h"
#include "lib/why.h"

/*
 * The library knows the image by a descriptor, which tells the user nothing.  And
 * a newline within a label or the like must not begin a line that looks like
 * another fact: the library's own stand at the start, at the end or before a tab.
 */
static void print(FILE *f, const char *msg)
{
	static const char path[] = "/proc/self/fd/";
	const char *p = msg + strspn(msg, "\n");

	fprintf(f, "%.*s", (int)(p - msg), msg);
	while (*p) {
		if (!strncmp(p, path, strlen(path))) {
			fputs("the image", f);
			p += strlen(path);
			p += strspn(p, "0123456789");
			continue;
		}
		fputc(*p == '\n' && !strchr("\n\t", p[1]) ? '?' : *p, f);
		p++;
	}
}

static void take_error(struct luks_log *log, const char *msg)
{
	FILE *f = fmemopen(log->error, sizeof(log->error) - 1, "w");

	if (!f)
		return;
	print(f, msg);
	fclose(f);
	log->error[strcspn(log->error, "\n")] = '\0';
}

/* That a repair has failed is known anyway. */
static bool wanted(const struct luks_log *log, const char *msg)
{
	return log->last ? strncmp(msg, "Repair failed", 13) : !log->error[0];
}

static void take(int level, const char *msg, void *arg)
{
	struct luks_log *log = arg;

	if (level == CRYPT_LOG_ERROR && wanted(log, msg))
		take_error(log, msg);
	else if (level == CRYPT_LOG_NORMAL && log->text)
		print(log->text, msg);
}

void luks_log_attach(struct luks_log *log, struct crypt_device *cd)
{
	crypt_set_log_callback(cd, take, log);
}

int luks_log_start(int fd, struct luks_log *log, struct crypt_device **ret,
		   struct why *why)
{
	struct crypt_device *cd;
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = crypt_init(&cd, path);
	if (r)
		return why_set(why, r, "libcryptsetup cannot start: %s",
			       strerror(-r));
	luks_log_attach(log, cd);
	*ret = cd;
	return 0;
}

const char *luks_log_error(const struct luks_log *log, int err)
{
	return log->error[0] ? log->error : strerror(err < 0 ? -err : err);
}
