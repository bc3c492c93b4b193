/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * From an image and a passphrase to a volume key and a geometry.
 *
 * Everything that reads bytes of the header happens in a short-lived child
 * that can neither write the image, open a socket nor run a program, is
 * limited in memory and time, and is gone before its answer is looked at.
 * This file knows nothing of how a volume is served.
 *
 * The caller is single-threaded (the child is made by fork).
 */
#ifndef CRYPT_UNLOCK_H
#define CRYPT_UNLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct why;

#define VOLUME_KEY_MAX 64 /* bytes: AES-256-XTS */

/* What the data path needs to know of a volume. */
struct volume_info {
	char cipher[32]; /* "aes-xts-plain64" or "aes-xts-plain" */
	char type[8];	 /* "LUKS2", "LUKS1" or "PLAIN" */
	char uuid[41];
	char label[49];	       /* "" when there is none */
	char note[128];	       /* for the user: what is odd, or "" */
	uint32_t key_bytes;    /* 32 or 64; 0 where no key slot tells */
	uint32_t sector_size;  /* bytes: 512, 1024, 2048 or 4096 */
	uint64_t slots_offset; /* bytes: where headers end, key slots begin */
	uint64_t header_size;  /* bytes of headers and key slots */
	uint64_t data_offset;  /* bytes from the start of the image */
	uint64_t data_size;    /* bytes, a multiple of sector_size; 0 only where
				 there was no data to be seen */
	uint64_t iv_offset;    /* what the first sector counts as, in units of
				 512 bytes; not 0 only for PLAIN */
	uint32_t key_slots;    /* bit N: slot N has the key of the data */
	int key_slot;	       /* that fitted, -1 after a probe */
	bool allow_discards;   /* the persistent flag in the header */
	bool detached;	       /* the header is not in the image */
	uint8_t digest[32];    /* of what tells this volume key from others */
};

#define VOLUME_ANY_SLOT (-1)
#define VOLUME_NO_DATA	(-1)

/*
 * Which volume, and what opens it.  Start with VOLUME_REQUEST(fd), and set
 * what differs.
 */
struct volume_request {
	int header_fd; /* the LUKS header: regular file or block device */
	int data_fd;   /* the data; the same unless the header is detached;
			  VOLUME_NO_DATA when only the header matters */
	const void *passphrase; /* in memory of secmem_alloc */
	size_t passphrase_len;	/* bytes */
	int key_slot;		/* the only one to try, or VOLUME_ANY_SLOT */
	uint32_t slots; /* of any, only these: bit N is slot N; 0: all */
};

/* An image with header and data. */
#define VOLUME_REQUEST(fd)                           \
	((struct volume_request){ .header_fd = (fd), \
				  .data_fd = (fd),   \
				  .key_slot = VOLUME_ANY_SLOT })

/*
 * A header, wherever its data are, that is to be looked at or changed: its
 * volume may be one that cannot be opened, without data or key slots.
 */
#define VOLUME_HEADER(fd)                                    \
	((struct volume_request){ .header_fd = (fd),         \
				  .data_fd = VOLUME_NO_DATA, \
				  .key_slot = VOLUME_ANY_SLOT })

/*
 * Find the volume key.  Both descriptors are readable, nothing is written and
 * their positions do not change.  @key stands in memory of secmem_alloc; all
 * VOLUME_KEY_MAX bytes of it are written, of which info.key_bytes count.
 *
 * Errors, with the reason in @why: -EPERM (no key slot fits), -ENOENT (the
 * wanted key slot is empty), -EINVAL (not a container, damaged, one that
 * cannot be served, or an image that is not this header's), -ENOMEM (key
 * derivation needs more memory than there is), -ETIMEDOUT, -EIO, other -errno.
 * @key and @ret_info are untouched on failure.
 */
int volume_unlock(const struct volume_request *request,
		  uint8_t key[static VOLUME_KEY_MAX],
		  struct volume_info *ret_info, struct why *why);

/*
 * All but the key derivation: can this image be served?  For a caller that
 * wants to know before it asks for a passphrase.  Errors as volume_unlock.
 */
int volume_probe(const struct volume_request *request,
		 struct volume_info *ret_info, struct why *why);

/*
 * The same, for a copy of the header as it was judged: @ret_copy is a memfd
 * with the first info.header_size bytes of it, which nobody else has open.
 */
int volume_probe_copy(const struct volume_request *request,
		      struct volume_info *ret_info, int *ret_copy,
		      struct why *why);

/*
 * The same, where a LUKS1 header that is out of order is repaired in the copy
 * before it is judged (see luks1_repair.h).
 */
int volume_repair_copy(const struct volume_request *request,
		       struct volume_info *ret_info, int *ret_copy,
		       struct why *why);

struct luks_headers;

/*
 * The same, which also says what the binary headers are like, as far as they
 * can be seen, if this fails as well.
 */
int volume_check(const struct volume_request *request,
		 struct luks_headers *ret_headers, struct volume_info *ret_info,
		 struct why *why);

enum volume_dump_format {
	VOLUME_DUMP_TEXT, /* for people, alike cryptsetup luksDump */
	VOLUME_DUMP_JSON,
	VOLUME_KEYS_TEXT, /* key slots only */
	VOLUME_KEYS_JSON,
};

/*
 * Describe the header, without any key, also of a container that cannot be
 * served.  The text ends in a newline, holds no control character but
 * newlines, and is freed by the caller.  Errors as volume_probe.
 */
int volume_dump(const struct volume_request *request,
		enum volume_dump_format format, char **ret_text,
		struct why *why);

#endif
