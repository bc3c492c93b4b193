/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * How far the encryption of an image has come: two blocks behind the end of
 * the unfinished container, in turns, so that one of them is whole whenever
 * the machine stops.  They are cut off when it is finished.
 *
 * Nothing secret is in it, and nothing is believed that the comparison at the
 * end does not prove: who can write the file can only cost time.
 */
#ifndef CRYPT_ENCRYPT_JOURNAL_H
#define CRYPT_ENCRYPT_JOURNAL_H

#include <stdint.h>

#define ENCRYPT_JOURNAL_BLOCK 4096u
#define ENCRYPT_JOURNAL_SIZE  (2 * ENCRYPT_JOURNAL_BLOCK)

/* In this order. */
enum encrypt_phase {
	ENCRYPT_HEADER, /* none yet, or a part of one */
	ENCRYPT_COPY,
	ENCRYPT_VERIFY,
};

/* The plain image as it was at the beginning. */
struct encrypt_source {
	uint64_t size; /* bytes */
	uint64_t inode;
	int64_t mtime; /* nanoseconds */
};

struct encrypt_journal {
	uint64_t sequence; /* of the blocks; the higher one counts */
	enum encrypt_phase phase;
	uint64_t at;	    /* bytes of data that are done in this phase */
	uint64_t container; /* bytes of the finished file */
	struct encrypt_source source;
};

/* Where the blocks stand behind a container of so many bytes. */
uint64_t encrypt_journal_offset(uint64_t container);

/*
 * A block, as it is stored.  @block is zeroed up to its end.
 */
void encrypt_journal_encode(const struct encrypt_journal *journal,
			    uint8_t block[static ENCRYPT_JOURNAL_BLOCK]);

/* -EINVAL: it is none, or damaged, or makes no sense. */
int encrypt_journal_decode(const uint8_t block[static ENCRYPT_JOURNAL_BLOCK],
			   struct encrypt_journal *ret);

/*
 * Find the journal of the file at @fd, @file_size bytes.  -ENOENT: it has
 * none; other -errno.
 */
int encrypt_journal_read(int fd, uint64_t file_size,
			 struct encrypt_journal *ret);

/*
 * Write the next block; durable with the next fsync of @fd.  Sets the
 * sequence.  -errno.
 */
int encrypt_journal_write(int fd, struct encrypt_journal *journal);

#endif
