/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The reason of a failure: see why.h.
 */
#include <stdio.h>
#include <string.h>

#include "lib/utf8.h"
#include "lib/why.h"

static void clean(char *s)
{
	utf8_clean(s);
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

int why_set(struct why *why, int err, const char *fmt, ...)
{
	va_list ap;

	if (!why)
		return err;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	clean(why->text);
	return err;
}

void why_prefix(struct why *why, const char *fmt, ...)
{
	struct why old;
	size_t len;
	va_list ap;

	if (!why)
		return;
	old = *why;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	len = strlen(why->text);
	snprintf(why->text + len, sizeof(why->text) - len, ": %s", old.text);
	clean(why->text);
}
