/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * How far the encryption of an image has come: see encrypt_journal.h.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "crypt/encrypt_journal.h"
#include "lib/endian.h"

/* As stored; zeroes follow, up to the end of the block. */
struct disk_journal {
	char magic[16];
	le64 sequence;
	le64 phase;
	le64 at;
	le64 container;
	le64 source_size;
	le64 source_inode;
	le64 source_mtime;
	le32 crc; /* of the block, with 0 here */
	le32 zero;
};

static const char magic[16] = "vcrypt encrypt\n1";

/* CRC-32 as in IEEE 802.3, bit by bit: it is a few blocks a second. */
static uint32_t crc32(const uint8_t *p, size_t len)
{
	uint32_t crc = ~0u;
	int bit;

	for (; len; len--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

uint64_t encrypt_journal_offset(uint64_t container)
{
	return (container + ENCRYPT_JOURNAL_BLOCK - 1) / ENCRYPT_JOURNAL_BLOCK *
	       ENCRYPT_JOURNAL_BLOCK;
}

void encrypt_journal_encode(const struct encrypt_journal *j,
			    uint8_t block[static ENCRYPT_JOURNAL_BLOCK])
{
	struct disk_journal d = {
		.sequence = le64_put(j->sequence),
		.phase = le64_put(j->phase),
		.at = le64_put(j->at),
		.container = le64_put(j->container),
		.source_size = le64_put(j->source.size),
		.source_inode = le64_put(j->source.inode),
		.source_mtime = le64_put((uint64_t)j->source.mtime),
	};

	memcpy(d.magic, magic, sizeof(magic));
	memset(block, 0, ENCRYPT_JOURNAL_BLOCK);
	memcpy(block, &d, sizeof(d));
	d.crc = le32_put(crc32(block, ENCRYPT_JOURNAL_BLOCK));
	memcpy(block, &d, sizeof(d));
}

int encrypt_journal_decode(const uint8_t block[static ENCRYPT_JOURNAL_BLOCK],
			   struct encrypt_journal *ret)
{
	uint8_t again[ENCRYPT_JOURNAL_BLOCK];
	struct encrypt_journal j;
	struct disk_journal d;
	uint64_t phase;

	memcpy(&d, block, sizeof(d));
	phase = le64_get(d.phase);
	if (memcmp(d.magic, magic, sizeof(magic)) || phase > ENCRYPT_VERIFY)
		return -EINVAL;
	j = (struct encrypt_journal){
		.sequence = le64_get(d.sequence),
		.phase = (enum encrypt_phase)phase,
		.at = le64_get(d.at),
		.container = le64_get(d.container),
		.source.size = le64_get(d.source_size),
		.source.inode = le64_get(d.source_inode),
		.source.mtime = (int64_t)le64_get(d.source_mtime),
	};
	/* All that was written, sum and zeroes included. */
	encrypt_journal_encode(&j, again);
	if (memcmp(again, block, ENCRYPT_JOURNAL_BLOCK))
		return -EINVAL;
	if (j.container > INT64_MAX - 2 * ENCRYPT_JOURNAL_SIZE ||
	    j.source.size > j.container || j.at > j.container)
		return -EINVAL;
	*ret = j;
	return 0;
}

int encrypt_journal_read(int fd, uint64_t file_size,
			 struct encrypt_journal *ret)
{
	uint8_t block[ENCRYPT_JOURNAL_BLOCK] __attribute__((aligned(4096)));
	struct encrypt_journal j;
	uint64_t offset;
	int i, err = -ENOENT;
	ssize_t n;

	if (file_size < ENCRYPT_JOURNAL_SIZE)
		return -ENOENT;
	offset = file_size - ENCRYPT_JOURNAL_SIZE;
	for (i = 0; i < 2; i++, offset += ENCRYPT_JOURNAL_BLOCK) {
		n = pread(fd, block, sizeof(block), (off_t)offset);
		if (n < 0)
			return -errno;
		if (n != sizeof(block) || encrypt_journal_decode(block, &j))
			continue;
		if (encrypt_journal_offset(j.container) +
			    ENCRYPT_JOURNAL_SIZE !=
		    file_size)
			continue;
		if (err || j.sequence > ret->sequence)
			*ret = j;
		err = 0;
	}
	return err;
}

int encrypt_journal_write(int fd, struct encrypt_journal *j)
{
	uint8_t block[ENCRYPT_JOURNAL_BLOCK] __attribute__((aligned(4096)));
	uint64_t offset = encrypt_journal_offset(j->container);
	ssize_t n;

	j->sequence++;
	encrypt_journal_encode(j, block);
	offset += j->sequence % 2 * ENCRYPT_JOURNAL_BLOCK;
	n = pwrite(fd, block, sizeof(block), (off_t)offset);
	if (n < 0)
		return -errno;
	return n == sizeof(block) ? 0 : -EIO;
}
