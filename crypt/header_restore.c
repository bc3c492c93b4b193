/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A backup and a container: see header_restore.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crypt/header_restore.h"
#include "crypt/unlock.h"
#include "lib/why.h"

int header_restore_check(const struct volume_info *backup, bool detached,
			 uint64_t image_size, struct why *why)
{
	if (!detached && !backup->data_offset)
		return why_set(why, -EINVAL,
			       "is a backup of a detached header (--header)");
	if (!detached && backup->data_offset < backup->header_size)
		return why_set(why, -EINVAL,
			       "has data where its key slots are");
	if (backup->data_offset >= image_size ||
	    (image_size - backup->data_offset) / 512 * 512 %
		    backup->sector_size)
		return why_set(why, -EINVAL,
			       "is not for an image of %" PRIu64 " bytes: its"
			       " data start at byte %" PRIu64
			       ", in sectors of %u",
			       image_size, backup->data_offset,
			       backup->sector_size);
	return 0;
}

struct text {
	char *buf;
	size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t,
						      const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n;
	if (t->len >= t->size)
		t->len = t->size - 1;
}

void header_restore_differences(const struct volume_info *now,
				const struct volume_info *backup, char *ret,
				size_t size)
{
	struct text t = { .buf = ret, .size = size };

	ret[0] = '\0';
	if (strcmp(now->uuid, backup->uuid))
		add(&t, "UUID %s, not %s; ", backup->uuid, now->uuid);
	if (strcmp(now->type, backup->type))
		add(&t, "%s, not %s; ", backup->type, now->type);
	else if (memcmp(now->digest, backup->digest, sizeof(now->digest)))
		add(&t, "another volume key; ");
	if (now->data_offset != backup->data_offset)
		add(&t, "data offset %" PRIu64 ", not %" PRIu64 "; ",
		    backup->data_offset, now->data_offset);
	if (now->sector_size != backup->sector_size)
		add(&t, "sectors of %u bytes, not %u; ", backup->sector_size,
		    now->sector_size);
	if (strcmp(now->cipher, backup->cipher))
		add(&t, "cipher %s, not %s; ", backup->cipher, now->cipher);
	/* Without a key slot the size is not known. */
	if (now->key_bytes && backup->key_bytes &&
	    now->key_bytes != backup->key_bytes)
		add(&t, "a key of %u bits, not %u; ", backup->key_bytes * 8,
		    now->key_bytes * 8);
	if (t.len)
		ret[t.len - 2] = '\0';
}
