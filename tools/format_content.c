/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What an image holds before it is formatted: see format_content.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypt/luks_signature.h"
#include "lib/why.h"
#include "tools/format_content.h"
#include "tools/terminal.h"

#define CONTENT_SPAN (16u << 20) /* bytes that are looked at before */
#define TAIL_WIPE    (1u << 20) /* bytes: ZFS, RAID and GPT sign at the end too */

/* Does the start of the image hold anything but zeroes? */
static int find_content(int fd, bool *ret, const char **ret_name,
			struct why *why)
{
	static const uint8_t zeroes[SIGNATURE_SPAN];
	static uint8_t buf[SIGNATURE_SPAN];
	off_t at = 0;
	ssize_t n;

	while (at < (off_t)CONTENT_SPAN) {
		n = pread(fd, buf, sizeof(buf), at);
		if (n < 0)
			return why_set(why, -errno, "cannot be read: %s",
				       strerror(errno));
		if (!n)
			break;
		if (memcmp(buf, zeroes, (size_t)n)) {
			*ret = true;
			*ret_name = at ? NULL : signature_name(buf, (size_t)n);
			return 0;
		}
		at += n;
	}
	*ret = false;
	return 0;
}

int format_confirm(int fd, const char *path, bool batch, struct why *why)
{
	const char *name;
	char question[512];
	bool content, yes;
	int r = find_content(fd, &content, &name, why);

	if (r || !content || batch)
		return r;
	if (!name)
		name = "data";
	if (!isatty(STDIN_FILENO))
		return why_set(why, -ENOTTY,
			       "holds %s, and there is no"
			       " terminal to ask at (--batch-mode overwrites"
			       " it)",
			       name);
	snprintf(question, sizeof(question),
		 "%.300s holds %s, which will be"
		 " overwritten for good.\nType YES to go on: ",
		 path, name);
	r = terminal_confirm(question, "YES", &yes, why);
	if (!r && !yes)
		r = why_set(why, -ECANCELED, "holds %s, nothing was changed",
			    name);
	return r;
}

int format_wipe_tail(int fd, uint64_t data_offset, uint64_t size,
		     struct why *why)
{
	static const uint8_t zeroes[64 << 10];
	uint64_t at, end = size - size % 512;
	size_t len;

	at = end - data_offset > TAIL_WIPE ? end - TAIL_WIPE : data_offset;
	while (at < end) {
		len = end - at < sizeof(zeroes) ? end - at : sizeof(zeroes);
		if (pwrite(fd, zeroes, len, (off_t)at) != (ssize_t)len)
			return why_set(why, -(errno ? errno : EIO),
				       "cannot be"
				       " written: %s",
				       strerror(errno));
		at += len;
	}
	return 0;
}
