/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Reading a LUKS header with libcryptsetup, from a private copy.  Runs inside
 * the cell of unlock_jail.h and must not be called elsewhere: what it parses
 * is not trusted.  It finds out what a volume is, judges it, and tries the
 * key slots.
 */
#ifndef CRYPT_LUKS_READER_H
#define CRYPT_LUKS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypt/kdf_limits.h"
#include "crypt/luks_token.h"
#include "crypt/unlock.h"

struct luks_headers;
struct luks_reader;
struct why;

/* Where the data are, seen from the header. */
enum luks_layout {
	LUKS_ATTACHED, /* behind it, in the same image */
	LUKS_DETACHED, /* in another one */
	LUKS_NO_DATA,  /* out of sight: only the header matters */
};

/* Both descriptors stay the caller's, and the reader keeps using them. */
struct luks_source {
	int header_fd; /* what holds the header, readable */
	int copy_fd;   /* a memfd of zeroes, for the copy of it */
	enum luks_layout layout;
	uint64_t header_size; /* bytes of what holds the header */
	uint64_t data_size;   /* bytes of what holds the data */
	bool repair; /* a LUKS1 header, in the copy, which can be written */
	/* NULL, or who is told what the headers are like, also on failure. */
	struct luks_headers *ret_headers;
};

/*
 * Copy the headers into the memfd and load them.  Errors: -EINVAL (not LUKS,
 * damaged), -EIO, -ENOMEM.
 */
int luks_reader_open(const struct luks_source *source, struct luks_reader **ret,
		     struct why *why);

/*
 * Can it be served?  Fills the geometry.  Errors: -EINVAL, -EIO.
 */
int luks_reader_judge(struct luks_reader *reader, struct volume_info *ret,
		      struct why *why);

/*
 * After luks_reader_judge: try the key slots, except those that need more
 * than @memory.  Errors: -EPERM, -ENOENT (the wanted one is empty), -ENOMEM,
 * -EINVAL, -EIO.
 */
int luks_reader_unlock(struct luks_reader *reader,
		       const struct kdf_memory *memory,
		       const struct volume_request *request,
		       uint8_t key[static VOLUME_KEY_MAX], int *ret_slot,
		       struct why *why);

/* After luks_reader_judge: see luks_token_find. */
int luks_reader_token(struct luks_reader *reader,
		      const struct luks_token_query *query,
		      struct luks_token *ret, char **ret_text, struct why *why);

/* Describe it; *ret_text is freed by the caller.  Errors: -EINVAL, -ENOMEM. */
int luks_reader_dump(struct luks_reader *reader, enum volume_dump_format format,
		     char **ret_text, struct why *why);

void luks_reader_close(struct luks_reader *reader);

#endif
