/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Carrying a changed copy of a header to its image, so that whatever ends it
 * half-way leaves the old state or the new one.  It knows where headers and
 * key slots are, and nothing of what they say.
 */
#ifndef CRYPT_LUKS_COMMIT_H
#define CRYPT_LUKS_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

struct why;

#define LUKS_AREAS_MAX 32
/* Two LUKS2 headers of 4 MiB and 128 MiB of key slots. */
#define LUKS_END_MAX (136u << 20)

/* In bytes from the start of the image. */
struct luks_area {
	uint64_t offset;
	uint64_t size;
};

struct luks_plan {
	uint64_t header_size; /* bytes of one copy of the header */
	uint32_t copies;      /* LUKS1 has one, LUKS2 two */
	bool second_first; /* the second copy is the one to overwrite first */
	uint32_t nr_used;
	struct luks_area used[LUKS_AREAS_MAX]; /* key slots before the change */
	uint64_t end;			       /* bytes that may change */
};

/*
 * Is the plan, which a process that read an untrusted header made, one that
 * touches nothing beyond @limit bytes?
 */
bool luks_plan_sane(const struct luks_plan *plan, uint64_t limit);

/*
 * Write what differs between the memfd @copy_fd and the image at @fd (open for
 * writing), and sync it: first the key slots that the old header does not
 * know, then one copy of the header after the other, at last what was a key
 * slot before.  Errors: -EIO, -ENOSPC, other -errno.
 */
int luks_commit(int fd, int copy_fd, const struct luks_plan *plan,
		struct why *why);

#endif
