/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What libcryptsetup says: its last error, for a reason, and on request its
 * ordinary text.
 */
#ifndef CRYPT_LUKS_LOG_H
#define CRYPT_LUKS_LOG_H

#include <stdbool.h>
#include <stdio.h>

struct crypt_device;
struct why;

struct luks_log {
	char error[200]; /* the first error since attach, one line */
	bool last;	 /* the last one instead, of which a repair has many */
	FILE *text;	 /* ordinary messages go here when it is set */
};

/*
 * Start libcryptsetup on what is open at @fd; what it says goes to @log.
 * crypt_free ends it.  Errors: -errno.
 */
int luks_log_start(int fd, struct luks_log *log, struct crypt_device **ret,
		   struct why *why);

/* @log outlives @cd. */
void luks_log_attach(struct luks_log *log, struct crypt_device *cd);

/* The error's text, or that of errno @err (negative) when there is none. */
const char *luks_log_error(const struct luks_log *log, int err);

#endif
