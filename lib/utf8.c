/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Text from outside: see utf8.h.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/utf8.h"

/* The table of RFC 3629, section 4: first byte, range of the second, length. */
static const struct {
	uint8_t first, last;
	uint8_t low, high;
	uint8_t len; /* bytes */
} forms[] = {
	{ 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xc2, 0xa0, 0xbf, 2 },
	{ 0xc3, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

/* Bytes of the character at @s; 0: it is none.  A NUL ends every one. */
static size_t character(const char *s)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t i, n;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (*p < forms[i].first || *p > forms[i].last)
			continue;
		if (forms[i].len == 1)
			return 1;
		if (p[1] < forms[i].low || p[1] > forms[i].high)
			return 0;
		for (n = 2; n < forms[i].len; n++)
			if (p[n] < 0x80 || p[n] > 0xbf)
				return 0;
		return n;
	}
	return 0;
}

void utf8_clean(char *s)
{
	size_t n;

	for (; *s; s += n ? n : 1) {
		n = character(s);
		if (!n)
			*s = '?';
	}
}
