/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * One question to a header, answered by a jailed child.  Internal to
 * crypt/unlock.c and crypt/token.c; apart for its tests.
 */
#ifndef CRYPT_UNLOCK_CHILD_H
#define CRYPT_UNLOCK_CHILD_H

#include <stddef.h>
#include <stdint.h>

#include "crypt/kdf_limits.h"
#include "crypt/luks_header.h"
#include "crypt/luks_keys.h"
#include "crypt/luks_reader.h"
#include "crypt/luks_token.h"
#include "crypt/token_plugin.h"
#include "crypt/unlock.h"
#include "lib/why.h"

#define HEADER_TEXT_MAX (64u << 20) /* bytes of a description */

enum header_op {
	HEADER_PROBE,
	HEADER_UNLOCK,
	HEADER_REPAIR, /* a probe that puts LUKS1 in order, in the copy */
	HEADER_CHANGE, /* key slots, in the copy */
	HEADER_DUMP,
	HEADER_TOKEN_FIND,
	HEADER_TOKEN_OPEN, /* in a cell with devices; no image is read */
	HEADER_PLAIN,	   /* no header at all: only the hash of a passphrase */
};

struct plain_params;

struct header_job {
	enum header_op op;
	struct volume_request request;
	enum luks_layout layout;
	uint64_t header_size; /* bytes of what holds the header */
	uint64_t data_size;   /* bytes of what holds the data */
	struct kdf_memory memory;
	enum volume_dump_format format;	      /* for HEADER_DUMP */
	const struct luks_key_change *change; /* for HEADER_CHANGE */
	struct luks_token_query query;	      /* HEADER_TOKEN_FIND */
	const struct luks_token *token;	  /* HEADER_TOKEN_OPEN, with a PIN as */
	const char *token_json;		  /* the request's passphrase */
	const struct plain_params *plain; /* HEADER_PLAIN */
	int *ret_copy_fd;     /* NULL, or who gets the copy and closes it */
	unsigned int timeout; /* seconds of wall-clock time */
	void (*hook)(void);   /* NULL but in tests: runs in the jail */
};

/*
 * Travels through the pipe as it is, up to the key; a text of text_len bytes
 * may follow.  From the key on, all is secret.
 */
struct header_answer {
	int32_t err;
	uint32_t text_len;
	struct why why;
	struct luks_headers headers; /* also with an error */
	struct volume_info info;
	struct luks_token token; /* of HEADER_TOKEN_FIND */
	uint32_t passphrase_len; /* of HEADER_TOKEN_OPEN */
	struct luks_plan plan;	 /* of HEADER_CHANGE */
	uint8_t key[VOLUME_KEY_MAX];
	uint8_t passphrase[TOKEN_PASSPHRASE_MAX];
};

#define HEADER_ANSWER_SENT offsetof(struct header_answer, key)

/*
 * Find out the sizes and the layout of what the request names.
 * Errors: those of luks_image_size.
 */
int header_job_measure(struct header_job *job, struct why *why);

/*
 * Run the job in a child and wait for its end.  @answer stands in memory of
 * secmem_alloc and is filled only when 0 or the child's own error is
 * returned.  *ret_text (may be NULL when no text is asked for) is freed by
 * the caller.  Errors: the child's, and -ETIMEDOUT, -ENOMEM, -EIO.
 */
int header_job_run(const struct header_job *job, struct header_answer *answer,
		   char **ret_text, struct why *why);

/*
 * The child, from fork to its end: for header_job_run only.  It works on the
 * memfd @copy_fd, answers through @pipe_fd, and puts what is secret into
 * @parents, which both have.  Does not return.
 */
_Noreturn void header_job_work(const struct header_job *job, int copy_fd,
			       int pipe_fd, int parent_pid,
			       struct header_answer *parents);

/* What a job may tell beyond a struct volume_info; NULL: not wanted. */
struct header_extras {
	uint8_t *key;
	struct luks_headers *headers; /* also with an error */
	struct luks_plan *plan;	      /* not yet held against the image */
};

/*
 * The same for a job whose answer is a struct volume_info, which is held
 * against the image.  Fills in the job's sizes.
 */
int header_job_ask(struct header_job *job, const struct header_extras *extras,
		   struct volume_info *ret_info, struct why *why);

#endif
