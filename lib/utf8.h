/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Text from outside that is to be shown: names and labels are bytes, and may be
 * no text at all.
 */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

/*
 * Make @s UTF-8 (RFC 3629, section 4) of the same length: each byte that is no
 * part of a character becomes '?', and so do those of the control characters
 * U+0080 to U+009F.  ASCII stays, control characters included.
 */
void utf8_clean(char *s);

#endif
