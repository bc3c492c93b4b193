/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Putting a LUKS1 header in order: see luks1_repair.h.
 */
#include <errno.h>
#include <libcryptsetup.h>
#include <stddef.h>
#include <string.h>

#include "crypt/luks1_repair.h"
#include "crypt/luks_log.h"
#include "lib/why.h"

/* What libcryptsetup writes; the rest of it is padding. */
#define WRITTEN 1024

/*
 * It makes a header of the same parameters to compare with, for which key
 * derivation must not be measured.
 */
static const struct crypt_pbkdf_type no_costs = {
	.type = CRYPT_KDF_PBKDF2,
	.hash = "sha256",
	.iterations = 1000,
	.flags = CRYPT_PBKDF_NO_BENCHMARK,
};

int luks1_repair(int copy_fd, struct why *why)
{
	struct luks_log log = { .last = true };
	struct crypt_device *cd;
	int r;

	r = luks_log_start(copy_fd, &log, &cd, why);
	if (r)
		return r;
	r = crypt_set_pbkdf_type(cd, &no_costs);
	if (!r)
		r = crypt_repair(cd, CRYPT_LUKS1, NULL);
	crypt_free(cd);
	return r ? why_set(why, r == -ENOMEM ? r : -EINVAL,
			   "the LUKS1 header cannot be repaired: %s (vcrypt"
			   " header restore, if there is a backup)",
			   luks_log_error(&log, r))
		 : 0;
}

static bool same_slot(const struct luks1_slot *a, const struct luks1_slot *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* One that was not in use is empty now, if anything of it has changed. */
static int compare_slot(const struct luks1_slot *before,
			const struct luks1_slot *after, uint8_t bit,
			struct luks1_repairs *it)
{
	static const uint8_t no_salt[sizeof(after->salt)];
	uint32_t state = be32_get(before->state);

	if (same_slot(before, after)) {
		if (state != LUKS1_SLOT_ENABLED && state != LUKS1_SLOT_DISABLED)
			it->odd |= bit;
		return 0;
	}
	if (state == LUKS1_SLOT_ENABLED ||
	    be32_get(after->state) != LUKS1_SLOT_DISABLED ||
	    be32_get(after->iterations) ||
	    memcmp(after->salt, no_salt, sizeof(no_salt)))
		return -EINVAL;
	it->slots |= bit;
	if (state != LUKS1_SLOT_DISABLED)
		it->lost |= bit;
	return 0;
}

/* A text gets an end if it has none, or something behind its end. */
static void end_text(char *was, const char *is, size_t size)
{
	if (!is[size - 1])
		was[size - 1] = '\0';
}

/* Either as it was, or nothing. */
static bool padding_fine(const uint8_t *before, const uint8_t *after)
{
	size_t i;

	for (i = sizeof(struct luks1_phdr); i < WRITTEN; i++)
		if (after[i] && after[i] != before[i])
			return false;
	return !memcmp(before + WRITTEN, after + WRITTEN,
		       LUKS1_HEADER_SIZE - WRITTEN);
}

int luks1_repair_compare(const uint8_t before[static LUKS1_HEADER_SIZE],
			 const uint8_t after[static LUKS1_HEADER_SIZE],
			 struct luks1_repairs *ret)
{
	const size_t slots = offsetof(struct luks1_phdr, slots);
	struct luks1_repairs it = { 0 };
	struct luks1_phdr was, is;
	int i, r;

	memcpy(&was, before, sizeof(was));
	memcpy(&is, after, sizeof(is));
	it.hash = memcmp(was.hash_spec, is.hash_spec, sizeof(was.hash_spec));
	if (strncasecmp(was.hash_spec, is.hash_spec, sizeof(was.hash_spec)))
		return -EINVAL;
	memcpy(was.hash_spec, is.hash_spec, sizeof(was.hash_spec));
	end_text(was.cipher_name, is.cipher_name, sizeof(was.cipher_name));
	end_text(was.cipher_mode, is.cipher_mode, sizeof(was.cipher_mode));
	end_text(was.uuid, is.uuid, sizeof(was.uuid));
	if (memcmp(&was, &is, slots) || !padding_fine(before, after))
		return -EINVAL;
	for (i = 0; i < LUKS1_SLOTS; i++) {
		r = compare_slot(&was.slots[i], &is.slots[i], (uint8_t)(1 << i),
				 &it);
		if (r)
			return r;
	}
	*ret = it;
	return 0;
}
