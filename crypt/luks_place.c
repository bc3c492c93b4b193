/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The layout of a new container: see luks_place.h.
 */
#include <errno.h>
#include <inttypes.h>

#include "crypt/luks_place.h"
#include "lib/why.h"

/* "LUKS2 On-Disk Format Specification" 1.1.1, section 2.2 and 3.1 */
#define METADATA_MIN (16u << 10)
#define METADATA_MAX (4u << 20)
#define KEYSLOTS_MAX (128u << 20)
#define STRIPES	     4000u
#define PAGE	     4096u

#define AREA_MIN (1u << 20)  /* headers and key slots of a small image */
#define AREA_MAX (16u << 20) /* of one with room; cryptsetup's default */
#define ALIGN	 (1u << 20)  /* of the data, as cryptsetup does it */

#define bad(why, ...) why_set(why, -EDOM, __VA_ARGS__)

static uint64_t round_up(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

static uint64_t slot_size(uint32_t key_bytes)
{
	return round_up((uint64_t)key_bytes * STRIPES, PAGE);
}

uint64_t luks_place_header(const struct luks_place *place)
{
	return 2 * place->metadata_size + place->keyslots_size;
}

/* A power of two, a quarter of the image at most where that is possible. */
static uint64_t choose_area(uint64_t size, uint64_t needed)
{
	uint64_t area = AREA_MIN;

	while (area < needed || (area < AREA_MAX && area * 2 <= size / 4))
		area *= 2;
	return area;
}

static int check_values(const struct luks_place *place, uint32_t key_bytes,
			struct why *why)
{
	uint64_t meta = place->metadata_size, slots = place->keyslots_size;

	if (meta < METADATA_MIN || meta > METADATA_MAX || (meta & (meta - 1)))
		return bad(why,
			   "a header of %" PRIu64 " bytes is not possible (16,"
			   " 32, 64, 128, 256, 512 KiB, 1, 2, 4 MiB)",
			   meta);
	if (place->data_offset % PAGE)
		return bad(why,
			   "a data offset of %" PRIu64
			   " bytes is not a multiple of 4096",
			   place->data_offset);
	if (slots % PAGE || slots > KEYSLOTS_MAX)
		return bad(why,
			   "%" PRIu64 " bytes for key slots are not possible"
			   " (multiples of 4096 up to 128 MiB)",
			   slots);
	if (slots && slots < slot_size(key_bytes))
		return bad(why,
			   "%" PRIu64 " bytes for key slots are too few: one"
			   " slot takes %" PRIu64,
			   slots, slot_size(key_bytes));
	return 0;
}

/* What is not said follows from what is, else from the size of the image. */
static void complete(struct luks_place *place, uint64_t size,
		     uint32_t key_bytes)
{
	uint64_t headers = 2 * place->metadata_size, area;

	if (place->keyslots_size)
		area = headers + place->keyslots_size;
	else if (place->data_offset)
		area = place->data_offset;
	else if (place->detached)
		area = AREA_MAX;
	else
		area = choose_area(size, headers + slot_size(key_bytes));
	if (!place->keyslots_size && area > headers)
		place->keyslots_size = area - headers;
	if (place->keyslots_size > KEYSLOTS_MAX)
		place->keyslots_size = KEYSLOTS_MAX;
	if (!place->data_offset && !place->detached)
		place->data_offset = round_up(area, ALIGN);
}

int luks_place_choose(struct luks_place *place, uint64_t size,
		      uint32_t key_bytes, struct why *why)
{
	struct luks_place p = *place;
	uint64_t least;
	int r;

	if (!p.metadata_size)
		p.metadata_size = METADATA_MIN;
	r = check_values(&p, key_bytes, why);
	if (r)
		return r;
	complete(&p, size, key_bytes);
	least = 2 * p.metadata_size + slot_size(key_bytes);
	if (luks_place_header(&p) > least)
		least = luks_place_header(&p);
	/* libcryptsetup wants room for the header in front of any offset. */
	if (p.data_offset && p.data_offset < least)
		return bad(why,
			   "a data offset of %" PRIu64
			   " bytes is too small: header and key slots take"
			   " %" PRIu64,
			   p.data_offset, least);
	if (size <= p.data_offset)
		return bad(why,
			   "%" PRIu64 " bytes are too few: the data start at"
			   " byte %" PRIu64,
			   size, p.data_offset);
	*place = p;
	return 0;
}
