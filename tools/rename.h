/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Names that outlive a crash.
 */
#ifndef TOOLS_RENAME_H
#define TOOLS_RENAME_H

struct why;

/* Give the file @from the new name @to, durably.  -EEXIST, other -errno. */
int rename_durably(const char *from, const char *to, struct why *why);

#endif
