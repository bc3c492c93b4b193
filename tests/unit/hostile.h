/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Tables of what no honest driver puts into a ring, and the outcome, which is
 * always one of: a status byte, an answer of length 0, or a queue that stands
 * still, says why, and works again after a reset.
 *
 * A case builds one request from descriptor 0 on: a read of a sector, unless
 * it says otherwise.  Each is run with and without EVENT_IDX, on both ring
 * formats, and those that are about the chain alone a second time with the
 * chain in an indirect table.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <check.h>
#include <linux/virtio_blk.h>
#include <stdbool.h>

#include "tests/unit/driver_blk.h"
#include "tests/unit/driver_hold.h"

#define OK	VIRTIO_BLK_S_OK
#define IOERR	VIRTIO_BLK_S_IOERR
#define H_SIZE	16 /* of the ring */
#define W	VRING_DESC_F_WRITE
#define N	VRING_DESC_F_NEXT
#define I	VRING_DESC_F_INDIRECT
#define NOWHERE 0x700000000ULL /* not mapped, at first */
#define HDR	DRIVER_DATA
#define DATA	(DRIVER_DATA + 4096)
#define STATUS	(DRIVER_DATA + 65536)
#define TABLE	(DRIVER_DATA + 131072)

enum hostile_outcome {
	NONE = -2, /* not in this format */
	BROKEN = -1,
	NO_STATUS = 0x100, /* used with length 0, status byte untouched */
};

struct hostile_case {
	const char *name;
	void (*make)(void);
	int outcome[2]; /* split, packed */
	bool chain;	/* may as well stand in an indirect table */
};

/* The same outcome everywhere, and in a table too. */
#define CHAIN(f, r)                   \
	{                             \
#f, f, { r, r }, true \
	}
/* As it stands, with the outcome of each format. */
#define CASE(f, split, packed)                  \
	{                                       \
#f, f, { split, packed }, false \
	}
#define BOTH(f, r)   CASE(f, r, r)
#define SPLIT(f, r)  CASE(f, r, NONE)
#define PACKED(f, r) CASE(f, NONE, r)

/* The device, its driver, and what is being done to it. */
struct hostile {
	struct driver_blk b;
	struct hold hold;
	bool packed;
	bool in_table;	   /* h_put writes a table */
	unsigned nr_table; /* entries of it */
};

extern struct hostile hostile;

/* A device that works, without the features @without. */
void hostile_begin(bool packed, uint64_t without);
void hostile_end(void);

/* From a reset on, all is well again. */
void hostile_recovers(void);

/* Wait for the answer to the one request, which must be @outcome. */
void hostile_answered(const char *name, int outcome);

/* Show what stands in the ring, and kick. */
void hostile_kick(void);

/* Make descriptor 0 available in a split ring; a packed one shows itself. */
void hostile_show(void);

/* The program: all cases of a table, and more tests, in @more or NULL. */
int hostile_main(const char *name, const struct hostile_case *cases,
		 unsigned nr, TCase *more);

/* With @next for a packed ring's id, which counts in the last descriptor. */
void h_put(unsigned i, uint64_t addr, uint32_t len, unsigned flags,
	   unsigned next);

/* An entry of a table, and one of the table at TABLE. */
struct vring_desc h_entry(uint64_t addr, uint32_t len, unsigned flags,
			  unsigned next);
void h_tput(unsigned i, uint64_t addr, uint32_t len, unsigned flags,
	    unsigned next);

void h_header(uint32_t type, uint64_t sector);

/* A read of one sector that is all right: from descriptor @i on, in a table. */
void h_good(unsigned i);
void h_good_table(void);

/* At NOWHERE: 4 GiB of which nothing may be touched. */
void *h_huge(void);

/* Memory that is mapped but not there: an access raises SIGBUS. */
void *h_missing(uint64_t iova);

#endif
