/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The binary headers of LUKS: see luks_header.h.
 */
#include <openssl/evp.h>
#include <string.h>

#include "crypt/luks1_phdr.h"
#include "crypt/luks_header.h"
#include "lib/endian.h"

/* "LUKS2 On-Disk Format Specification" 1.1.1, figure 2. */
struct luks2_phdr {
	char magic[6];
	be16 version;
	be64 hdr_size; /* bytes, with the JSON area */
	be64 seqid;
	char label[48];
	char checksum_alg[32];
	uint8_t salt[64];
	char uuid[40];
	char subsystem[48];
	be64 hdr_offset;
	uint8_t padding[184];
	uint8_t checksum[64];
	uint8_t padding4096[7 * 512];
} __attribute__((packed));

_Static_assert(sizeof(struct luks2_phdr) == 4096, "LUKS2 binary header");

static const char magic_first[6] = "LUKS\xba\xbe";
static const char magic_second[6] = "SKUL\xba\xbe";

/* The checksum covers binary header and JSON, its own place zeroed. */
static bool checksum_right(const uint8_t *copy, size_t size,
			   const struct luks2_phdr *h)
{
	static const uint8_t zeroes[sizeof(h->checksum)];
	const size_t at = offsetof(struct luks2_phdr, checksum);
	const size_t after = at + sizeof(h->checksum);
	uint8_t sum[EVP_MAX_MD_SIZE];
	char name[sizeof(h->checksum_alg) + 1] = "";
	const EVP_MD *md;
	EVP_MD_CTX *ctx;
	unsigned int len = 0;
	bool ok;

	memcpy(name, h->checksum_alg, sizeof(h->checksum_alg));
	md = EVP_get_digestbyname(name);
	ctx = md ? EVP_MD_CTX_new() : NULL;
	if (!ctx)
		return false;
	ok = EVP_DigestInit_ex(ctx, md, NULL) &&
	     EVP_DigestUpdate(ctx, copy, at) &&
	     EVP_DigestUpdate(ctx, zeroes, sizeof(zeroes)) &&
	     EVP_DigestUpdate(ctx, copy + after, size - after) &&
	     EVP_DigestFinal_ex(ctx, sum, &len) && len <= sizeof(h->checksum) &&
	     !memcmp(sum, h->checksum, len);
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* Is there a copy at @offset, and is it sound? */
static bool find_copy(const uint8_t *start, size_t len, uint64_t offset,
		      const char magic[6], bool *sound, uint64_t *seq)
{
	struct luks2_phdr h;
	uint64_t size;

	*sound = false;
	if (offset > len || len - offset < sizeof(h))
		return false;
	memcpy(&h, start + offset, sizeof(h));
	if (memcmp(h.magic, magic, sizeof(h.magic)) || be16_get(h.version) != 2)
		return false;
	size = be64_get(h.hdr_size);
	*seq = be64_get(h.seqid);
	*sound = size >= 16384 && size <= LUKS_HEADERS_MAX / 2 &&
		 size <= len - offset && be64_get(h.hdr_offset) == offset &&
		 checksum_right(start + offset, size, &h);
	return true;
}

/* The second header stands where the first one ends: one of these. */
static void find_second(const uint8_t *start, size_t len,
			struct luks_headers *h)
{
	uint64_t offset;

	for (offset = 16384; offset <= LUKS_HEADERS_MAX / 2; offset *= 2) {
		h->second_found = find_copy(start, len, offset, magic_second,
					    &h->second_sound, &h->second_seq);
		if (h->second_found)
			return;
	}
}

void luks_headers_find(const uint8_t *start, size_t len,
		       struct luks_headers *ret)
{
	struct luks_headers h = { 0 };
	struct luks1_phdr one;

	h.first_found = find_copy(start, len, 0, magic_first, &h.first_sound,
				  &h.first_seq);
	find_second(start, len, &h);
	if (h.first_found || h.second_found)
		h.version = 2;
	if (!h.first_found && len >= sizeof(one)) {
		memcpy(&one, start, sizeof(one));
		if (!memcmp(one.magic, magic_first, sizeof(one.magic)) &&
		    be16_get(one.version) == 1) {
			h.version = 1;
			h.payload =
				(uint64_t)be32_get(one.payload_offset) * 512;
			h.digest_iterations = be32_get(one.digest_iterations);
		}
	}
	*ret = h;
}

bool luks_headers_use_first(const struct luks_headers *h)
{
	return h->first_sound &&
	       (!h->second_sound || h->first_seq >= h->second_seq);
}

const char *luks_headers_note(const struct luks_headers *h)
{
	if (h->version != 2)
		return "";
	if (!h->first_sound)
		return "the first header is damaged, the second was used"
		       " (vcrypt header repair)";
	if (!h->second_sound)
		return "the second header is damaged, the first was used"
		       " (vcrypt header repair)";
	if (h->first_seq != h->second_seq)
		return "the two headers differ, the newer one was used"
		       " (vcrypt header repair)";
	return "";
}
