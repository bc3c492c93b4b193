/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A detached header and its image: see luks_pair.h.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "crypt/luks_pair.h"
#include "crypt/unlock.h"
#include "lib/why.h"

/* The same in both versions of the format: figures 1 of their specifications */
#define MAGIC	    "LUKS\xba\xbe"
#define MAGIC_LEN   6
#define UUID_OFFSET 168
#define UUID_LEN    40

/* As much as O_DIRECT takes, which the image may have been opened with. */
#define BLOCK 4096

int luks_pair_check(int data_fd, const struct volume_info *info,
		    struct why *why)
{
	_Alignas(BLOCK) char start[BLOCK] = "";
	char uuid[UUID_LEN + 1] = "";
	ssize_t n;

	do
		n = pread(data_fd, start, sizeof(start), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return why_set(why, -errno, "the image cannot be read: %s",
			       strerror(errno));
	if (memcmp(start, MAGIC, MAGIC_LEN))
		return 0;
	memcpy(uuid, start + UUID_OFFSET, UUID_LEN);
	if (strcmp(uuid, info->uuid))
		return why_set(why, -EINVAL,
			       "the image has a header of its own, of UUID %s,"
			       " and this is the header of UUID %s (leave out"
			       " --header, or give the right one)",
			       uuid, info->uuid);
	/* A backup of its header, or an older header, is in order. */
	if (info->data_offset < info->header_size)
		return why_set(
			why, -EINVAL,
			"the image has a header of its own where the"
			" detached header has data (leave out --header)");
	return 0;
}
