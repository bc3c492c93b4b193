/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The header of a new container, where it is a file of its own.
 */
#ifndef TOOLS_FORMAT_HEADER_H
#define TOOLS_FORMAT_HEADER_H

struct luks_format;
struct secret;
struct why;

/* Is there room for a new file of that name?  Errors: -EEXIST. */
int format_header_check(const char *path, struct why *why);

/*
 * Make the header of the data at @data_fd in a new file, mode 0600.  What
 * fails leaves no file.  Errors: -EEXIST, those of luks_format_write.
 */
int format_header_write(const char *path, int data_fd,
			const struct luks_format *what,
			const struct secret *secret, struct why *why);

/*
 * What stood where the data will be would still be recognised, and be taken
 * for a container of its own.
 */
int format_header_wipe_data(int data_fd, struct why *why);

#endif
