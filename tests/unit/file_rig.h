/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A file device on a file of the test's own, with a queue, and two buffers.
 */
#ifndef FILE_RIG_H
#define FILE_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "backend/file.h"
#include "tests/unit/blk_help.h"

#define FILE_RIG_SIZE  (1U << 20)
#define FILE_RIG_DEPTH 32

/* A folder to make the file in, and how it is used. */
struct file_place {
	const char *dir;
	enum file_cache cache;
	bool registered; /* memory */
};

#define NR_FILE_PLACES 4
extern const struct file_place file_places[NR_FILE_PLACES];

struct file_rig {
	struct blk_rig blk;
	uint8_t *buf, *plain; /* FILE_RIG_SIZE, aligned; plain has a pattern */
	char path[64];
	int peek; /* the file, through the page cache */
};

/* The buffers only. */
void file_rig_init(struct file_rig *f);

/* A file of FILE_RIG_SIZE there, its device and a queue; all is removed. */
void file_rig_open(struct file_rig *f, const struct file_place *place);
void file_rig_close(struct file_rig *f);

/* Single steps of file_rig_open: the file; a device on it. */
void file_rig_make(struct file_rig *f, const char *dir, off_t size);
struct blk_dev *file_rig_dev(struct file_rig *f, enum file_cache cache,
			     bool readonly);

/* What the file has at @at, and how long it is. */
void file_rig_assert(struct file_rig *f, off_t at, const void *want,
		     size_t len);
off_t file_rig_size(struct file_rig *f);

#endif
