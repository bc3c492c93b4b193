/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a LUKS1 header may ask for: see luks1_gate.h.
 */
#include <errno.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <string.h>

#include "crypt/kdf_limits.h"
#include "crypt/luks1_gate.h"
#include "crypt/luks1_phdr.h"
#include "crypt/luks_gate.h"
#include "lib/why.h"

#define AREA_MAX (64u << 20) /* bytes; 8 slots of 64-byte keys take 2 MiB */

static int check_slots(struct crypt_device *cd, struct luks_gate *gate,
		       struct why *why)
{
	struct crypt_pbkdf_type pbkdf;
	int id;

	for (id = 0; id < LUKS1_SLOTS; id++) {
		if (crypt_keyslot_status(cd, id) < CRYPT_SLOT_ACTIVE)
			continue;
		if (crypt_keyslot_get_pbkdf(cd, id, &pbkdf))
			return why_set(why, -EINVAL,
				       "key slot %d cannot be"
				       " read",
				       id);
		if (pbkdf.iterations > KDF_PBKDF2_MAX)
			return why_set(why, -EINVAL,
				       "key slot %d asks for %u"
				       " iterations of PBKDF2, which would take"
				       " hours",
				       id, pbkdf.iterations);
		gate->slots[gate->nr_slots++] = (struct luks_slot){
			.id = id,
			.priority = 1,
			.threads = 1,
		};
	}
	return 0;
}

/* Where the key slots lie, used or not. */
static int find_area(struct crypt_device *cd, struct luks_gate *gate,
		     struct why *why)
{
	uint64_t offset, size, start = UINT64_MAX, end = 0;
	int id;

	for (id = 0; id < LUKS1_SLOTS; id++) {
		if (crypt_keyslot_area(cd, id, &offset, &size) ||
		    size > AREA_MAX || offset > AREA_MAX)
			return why_set(why, -EINVAL,
				       "key slot %d has no sane area", id);
		if (offset < start)
			start = offset;
		if (offset + size > end)
			end = offset + size;
	}
	gate->slots_offset = start;
	gate->slots_size = end - start;
	return 0;
}

/* LUKS1 has one cipher for data and key slots and 512-byte sectors only. */
int luks1_gate_check(struct crypt_device *cd, uint32_t digest_iterations,
		     struct luks_gate *gate, struct why *why)
{
	const char *cipher = crypt_get_cipher(cd);
	const char *mode = crypt_get_cipher_mode(cd);
	int key_bytes = crypt_get_volume_key_size(cd);
	int r;

	if (!cipher || !mode || strcmp(cipher, "aes") ||
	    (strcmp(mode, "xts-plain64") && strcmp(mode, "xts-plain")))
		return why_set(why, -EINVAL,
			       "the volume is encrypted with"
			       " %s-%s, only aes-xts-plain64 can be served"
			       " (open it with cryptsetup)",
			       cipher ? cipher : "?", mode ? mode : "?");
	if (key_bytes != 32 && key_bytes != 64)
		return why_set(why, -EINVAL,
			       "the volume key has %d bits, not"
			       " 256 or 512",
			       key_bytes * 8);
	if (!digest_iterations || digest_iterations > KDF_DIGEST_MAX)
		return why_set(why, -EINVAL,
			       "the digest does not ask for 1 to %u"
			       " iterations",
			       KDF_DIGEST_MAX);
	snprintf(gate->cipher, sizeof(gate->cipher), "aes-%s", mode);
	gate->key_bytes = (uint32_t)key_bytes;
	gate->sector_size = 512;
	gate->data_offset = crypt_get_data_offset(cd) * 512;
	r = find_area(cd, gate, why);
	return r ? r : check_slots(cd, gate, why);
}
