/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Driver memory for fuzzing: two mappings with a gap between them, each an
 * allocation of its own, the first filled from the input; and one that is
 * mapped but has no memory behind it.
 */
#ifndef FUZZ_ARENA_H
#define FUZZ_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "virtio/transport.h"

#define ARENA_DESC    0x0000
#define ARENA_DRIVER  0x0100
#define ARENA_DEVICE  0x0140
#define ARENA_DATA    0x0200
#define ARENA_LEN     0x2000 /* of the first mapping */
#define ARENA_SECOND  0x3000
#define ARENA_LEN2    0x1000
#define ARENA_MISSING 0x4000 /* right behind: mapped, not there */
#define ARENA_LEN3    0x1000

/* A setup for a ring in memory that begins as @data does, else zeroes. */
void arena_fill(const uint8_t *data, size_t len);
struct virtq_setup arena_setup(uint64_t features, unsigned num);
void *arena_at(uint64_t iova);

/*
 * Fuzz a queue directly: @data[0] chooses features and size, and whether a
 * process before left an in-flight log, which the end of @data spoils.
 */
void arena_run_queue(const uint8_t *data, size_t len, uint64_t features);

#endif
