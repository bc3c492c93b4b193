/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Encrypting a plain image into a container whose header is there: all data
 * is copied through the cipher, then read back and compared.  How far it has
 * come stands in the journal, so that another run can go on.
 *
 * Names, locks, and what becomes of the files at the end are the caller's
 * part.
 */
#ifndef CRYPT_ENCRYPT_H
#define CRYPT_ENCRYPT_H

#include <stdint.h>

#include "crypt/encrypt_journal.h"
#include "crypt/unlock.h"

struct luks_format;
struct stat;
struct why;

struct encrypt_job {
	int image_fd;		/* readable; a regular file */
	int container_fd;	/* readable and writable */
	const char *image_name; /* for reasons */
	const char *container_name;
	const uint8_t *key; /* of volume_unlock; not needed at the end */
	struct volume_info info;
	/*
	 * Where to begin, and how far it came.  It is on the disk as well, and
	 * info agrees with it (encrypt_job_check).
	 */
	struct encrypt_journal journal;
	/* Optional; often.  Bytes of the phase; -errno ends it in good order. */
	int (*progress)(void *arg, enum encrypt_phase phase, uint64_t at,
			uint64_t of);
	void *arg;
};

/* What is remembered of the image; nothing is read. */
void encrypt_source(const struct stat *st, struct encrypt_source *ret);

/*
 * Whether the header that was unlocked is that of the journal.  -EINVAL: the
 * two do not go together.
 */
int encrypt_job_check(const struct encrypt_job *job, struct why *why);

/*
 * Copy and compare until both are done, durably.  The cipher's state is on
 * OpenSSL's heap (see crypt/arena.h).
 *
 * Errors: -ESTALE (the image has changed since the journal was begun),
 * -EBADMSG (what was read back differs: the next run copies again from
 * there), what progress said, those of pump_run.  Whatever it was, a run with
 * the journal as it is now goes on.
 */
int encrypt_run(struct encrypt_job *job, struct why *why);

/*
 * luks_format_write, or for two descriptors luks_format_write_detached, in a
 * process of its own, so that this one has not used OpenSSL.  The passphrase stands in memory of secmem_alloc.
 */
int encrypt_write_header(int fd, int data_fd, const struct luks_format *what,
			 const void *passphrase, size_t len, struct why *why);

#endif
