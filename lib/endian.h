/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Integers of a fixed byte order, as types of their own, so that the compiler
 * finds a missing conversion.
 */
#ifndef LIB_ENDIAN_H
#define LIB_ENDIAN_H

#include <endian.h>
#include <stdint.h>

typedef struct {
	uint16_t raw;
} le16;

typedef struct {
	uint32_t raw;
} le32;

typedef struct {
	uint64_t raw;
} le64;

typedef struct {
	uint16_t raw;
} be16;

typedef struct {
	uint32_t raw;
} be32;

typedef struct {
	uint64_t raw;
} be64;

static inline uint16_t le16_get(le16 v)
{
	return le16toh(v.raw);
}

static inline le16 le16_put(uint16_t v)
{
	return (le16){ htole16(v) };
}

static inline uint32_t le32_get(le32 v)
{
	return le32toh(v.raw);
}

static inline le32 le32_put(uint32_t v)
{
	return (le32){ htole32(v) };
}

static inline uint64_t le64_get(le64 v)
{
	return le64toh(v.raw);
}

static inline le64 le64_put(uint64_t v)
{
	return (le64){ htole64(v) };
}

static inline uint16_t be16_get(be16 v)
{
	return be16toh(v.raw);
}

static inline uint32_t be32_get(be32 v)
{
	return be32toh(v.raw);
}

static inline uint64_t be64_get(be64 v)
{
	return be64toh(v.raw);
}

#endif
