/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * LUKS containers in memory, made by libcryptsetup itself, and ways to spoil
 * them.
 */
#ifndef TESTS_LUKS_FIXTURE_H
#define TESTS_LUKS_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#define FIXTURE_SIZE (20u << 20) /* bytes */
#define FIXTURE_PASS "correct horse"

/* Key slots of LUKS2 cost little: Argon2id, 4 passes over @memory_kib. */
int fixture_luks2(uint32_t sector_size, size_t key_bytes, uint32_t memory_kib);
int fixture_luks1(const char *cipher_mode, size_t key_bytes);

/* The same with every choice open to the caller; a memfd each. */
struct crypt_params_luks2;
int fixture_format(const char *type, const char *mode, size_t key_bytes,
		   void *params);

/*
 * A header whose data are elsewhere, from byte @data_offset on; the memfd has
 * the header only.
 */
int fixture_detached(const char *type, uint64_t data_offset);

/*
 * Replace the first @find in the metadata of both LUKS2 headers by @replace
 * and set the checksums right.
 */
void fixture_edit(int fd, const char *find, const char *replace);

/* Destroy all key slots. */
void fixture_erase(int fd);

/* Overwrite with a pattern. */
void fixture_damage(int fd, uint64_t offset, size_t len);

/* The volume key as libcryptsetup gives it. */
void fixture_key(int fd, uint8_t *ret, size_t len);

/* A sum over the whole image. */
uint64_t fixture_sum(int fd);

#endif
