/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The folder that a file is in, for names that outlive a crash.
 */
#ifndef LIB_FOLDER_H
#define LIB_FOLDER_H

struct why;

/* The folder of @path, open for fsync(2) and the like.  -errno. */
int folder_open(const char *path, int *ret, struct why *why);

/*
 * Names in the folder of @path are durable, as far as its file system makes
 * folders durable at all.  -errno.
 */
int folder_sync(const char *path, struct why *why);

#endif
