/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Names that outlive a crash.
 */
#ifndef TOOLS_RENAME_H
#define TOOLS_RENAME_H

struct why;

/* The folder of @path, open for fsync(2) and the like.  -errno. */
int rename_open_folder(const char *path, int *ret, struct why *why);

/* Names in the folder of @path are durable.  -errno. */
int rename_sync_folder(const char *path, struct why *why);

/* Give the file @from the new name @to, durably.  -EEXIST, other -errno. */
int rename_durably(const char *from, const char *to, struct why *why);

#endif
