/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The reason of a failure, for a person: one line that names the thing, the
 * cause and, where there is one, the remedy.  Library code returns -errno for
 * the program and fills a struct why for the user; only tools/ and the log
 * print it.  It must never hold a secret.
 */
#ifndef LIB_WHY_H
#define LIB_WHY_H

#include <stdarg.h>

struct why {
	char text[320]; /* without a newline; "" when there is no reason */
};

/*
 * Write the reason and return @err unchanged, so that a failing function can
 * end in `return why_set(why, -EINVAL, "...", ...)`.  @why may be NULL.
 * Control characters in the result, and what is no UTF-8, are replaced by '?',
 * since names and labels from outside end up here.
 */
int why_set(struct why *why, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "PREFIX: " in front of the reason that is there already. */
void why_prefix(struct why *why, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
