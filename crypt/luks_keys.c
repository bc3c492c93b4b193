/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Changing key slots: see luks_keys.h.
 */
#include <errno.h>
#include <libcryptsetup.h>
#include <string.h>

#include "crypt/luks1_phdr.h"
#include "crypt/luks_config.h"
#include "crypt/luks_keys.h"
#include "crypt/luks_reader_int.h"
#include "crypt/unlock_jail.h"
#include "lib/secmem.h"
#include "lib/why.h"

static bool is_luks1(struct crypt_device *cd)
{
	return !strcmp(crypt_get_type(cd), CRYPT_LUKS1);
}

static int failed(struct luks_reader *reader, const char *what, int err,
		  struct why *why)
{
	return why_set(why, err, "the key slot cannot be %s: %s", what,
		       luks_log_error(&reader->log, err));
}

static bool taken(struct crypt_device *cd, int slot)
{
	return crypt_keyslot_status(cd, slot) >= CRYPT_SLOT_ACTIVE;
}

static int slots_max(struct crypt_device *cd)
{
	return crypt_keyslot_max(crypt_get_type(cd));
}

static int check_number(struct crypt_device *cd, int slot, struct why *why)
{
	if (slot >= 0 && slot < slots_max(cd))
		return 0;
	return why_set(why, -EDOM,
		       "key slot %d is not possible: %s has 0 to"
		       " %d",
		       slot, crypt_get_type(cd), slots_max(cd) - 1);
}

static int check_taken(struct crypt_device *cd, int slot, struct why *why)
{
	int r = check_number(cd, slot, why);

	if (!r && crypt_keyslot_status(cd, slot) == CRYPT_SLOT_INACTIVE)
		r = why_set(why, -ENOENT, "key slot %d is empty", slot);
	return r;
}

/* The costs of slots to come; LUKS1 has one hash for all that it does. */
static int set_costs(struct luks_reader *reader, const struct luks_pbkdf *kdf,
		     struct why *why)
{
	struct crypt_device *cd = reader->cd;
	const struct crypt_pbkdf_type *old = crypt_get_pbkdf_type(cd);
	struct crypt_pbkdf_type pbkdf;
	int r;

	luks_pbkdf_fill(kdf, &pbkdf);
	if (is_luks1(cd) && strcmp(pbkdf.type, CRYPT_KDF_PBKDF2))
		return why_set(why, -EDOM,
			       "LUKS1 key slots have pbkdf2, not"
			       " %s",
			       pbkdf.type);
	if (is_luks1(cd) && old)
		pbkdf.hash = old->hash;
	r = crypt_set_pbkdf_type(cd, &pbkdf);
	if (r)
		return failed(reader, "made", r, why);
	return jail_allow_memory((uint64_t)kdf->memory_kib * 1024,
				 kdf->threads);
}

/* What is in use before anything changes, so that a kill does not hurt it. */
static void plan(struct luks_reader *reader, struct luks_plan *ret)
{
	struct crypt_device *cd = reader->cd;
	const struct luks_gate *gate = &reader->gate;
	struct luks_plan it = { 0 };
	struct luks_area area;
	int slot;

	it.header_size = is_luks1(cd) ? LUKS1_HEADER_SIZE
				      : gate->slots_offset / 2;
	it.copies = is_luks1(cd) ? 1 : 2;
	it.second_first = !is_luks1(cd) &&
			  luks_headers_use_first(&reader->headers);
	it.end = luks_gate_header_size(gate);
	for (slot = 0; slot < slots_max(cd); slot++) {
		if (crypt_keyslot_status(cd, slot) != CRYPT_SLOT_INACTIVE &&
		    !crypt_keyslot_area(cd, slot, &area.offset, &area.size))
			it.used[it.nr_used++] = area;
	}
	*ret = it;
}

/* Find the volume key, in memory of secmem_alloc. */
static int unlock(struct luks_reader *reader,
		  const struct volume_request *request,
		  const struct kdf_memory *memory,
		  const struct luks_key_change *change, void **ret_key,
		  int *ret_slot, struct why *why)
{
	void *key;
	int r;

	if (secmem_alloc(VOLUME_KEY_MAX, &key))
		return why_set(why, -ENOMEM, "no locked memory (ulimit -l)");
	r = luks_reader_unlock(reader, memory, request, key, ret_slot, why);
	if (!r)
		r = set_costs(reader, &change->kdf, why);
	if (r)
		secmem_free(key, VOLUME_KEY_MAX);
	else
		*ret_key = key;
	return r;
}

static int add(struct luks_reader *reader, const struct volume_request *request,
	       const struct kdf_memory *memory,
	       const struct luks_key_change *change, int *ret_slot,
	       struct why *why)
{
	struct crypt_device *cd = reader->cd;
	int old, r, slot = change->new_slot;
	void *key;

	if (slot != VOLUME_ANY_SLOT) {
		r = check_number(cd, slot, why);
		if (r)
			return r;
		if (crypt_keyslot_status(cd, slot) != CRYPT_SLOT_INACTIVE)
			return why_set(why, -EEXIST, "key slot %d is taken",
				       slot);
	}
	r = unlock(reader, request, memory, change, &key, &old, why);
	if (r)
		return r;
	r = crypt_keyslot_add_by_volume_key(
		cd, slot == VOLUME_ANY_SLOT ? CRYPT_ANY_SLOT : slot, key,
		reader->gate.key_bytes, change->new_passphrase,
		change->new_passphrase_len);
	if (r == -EINVAL || r == -ENOSPC)
		r = why_set(why, -ENOSPC,
			    "there is no room for another key slot"
			    " (remove one first)");
	else if (r < 0)
		r = failed(reader, "made", r, why);
	else
		*ret_slot = r;
	secmem_free(key, VOLUME_KEY_MAX);
	return r < 0 ? r : 0;
}

/* The material of the new slot must not stand where the old one's does. */
static int check_moved(const struct luks_plan *old, struct crypt_device *cd,
		       int slot, struct why *why)
{
	uint64_t offset, size;
	unsigned int i;
	int r = crypt_keyslot_area(cd, slot, &offset, &size);

	if (r)
		return why_set(why, r, "key slot %d cannot be found", slot);
	for (i = 0; i < old->nr_used; i++)
		if (offset < old->used[i].offset + old->used[i].size &&
		    old->used[i].offset < offset + size)
			return why_set(why, -ENOSPC,
				       "there is no room to write the new key"
				       " slot beside the old one, and a power"
				       " cut could lose it (remove a slot, or"
				       " back up the header and use --force)");
	return 0;
}

static int change_one(struct luks_reader *reader,
		      const struct volume_request *request,
		      const struct kdf_memory *memory,
		      const struct luks_key_change *change,
		      const struct luks_plan *old, int *ret_slot,
		      struct why *why)
{
	struct crypt_device *cd = reader->cd;
	int r, priority, slot;
	void *key;

	r = unlock(reader, request, memory, change, &key, &slot, why);
	if (r)
		return r;
	secmem_free(key, VOLUME_KEY_MAX);
	priority = crypt_keyslot_get_priority(cd, slot);
	r = crypt_keyslot_change_by_passphrase(cd, slot, CRYPT_ANY_SLOT,
					       request->passphrase,
					       request->passphrase_len,
					       change->new_passphrase,
					       change->new_passphrase_len);
	if (r < 0)
		return failed(reader, "changed", r, why);
	*ret_slot = r;
	if (!is_luks1(cd) && crypt_keyslot_get_priority(cd, r) != priority) {
		r = crypt_keyslot_set_priority(cd, r, priority);
		if (r < 0)
			return failed(reader, "changed", r, why);
	}
	return change->in_place ? 0 : check_moved(old, cd, *ret_slot, why);
}

static int remove_one(struct luks_reader *reader, int slot, struct why *why)
{
	struct crypt_device *cd = reader->cd;
	int r = check_taken(cd, slot, why);

	if (r)
		return r;
	r = crypt_keyslot_destroy(cd, slot);
	return r < 0 ? failed(reader, "removed", r, why) : 0;
}

static int set_priority(struct luks_reader *reader, int slot, int priority,
			struct why *why)
{
	struct crypt_device *cd = reader->cd;
	int r = check_taken(cd, slot, why);

	if (r)
		return r;
	if (is_luks1(cd))
		return why_set(why, -EINVAL,
			       "a LUKS1 key slot has no priority");
	if (!taken(cd, slot))
		return why_set(why, -EINVAL, "key slot %d cannot be read",
			       slot);
	r = crypt_keyslot_set_priority(cd, slot, priority);
	return r < 0 ? failed(reader, "changed", r, why) : 0;
}

/* Unbound ones too: what they protect is gone as well. */
static int erase(struct luks_reader *reader, int *ret_slots, struct why *why)
{
	struct crypt_device *cd = reader->cd;
	int slot, r, slots = 0;

	for (slot = 0; slot < slots_max(cd); slot++) {
		if (crypt_keyslot_status(cd, slot) <= CRYPT_SLOT_INACTIVE)
			continue;
		r = crypt_keyslot_destroy(cd, slot);
		if (r < 0)
			return failed(reader, "destroyed", r, why);
		slots++;
	}
	*ret_slots = slots;
	return 0;
}

int luks_keys_change(struct luks_reader *reader,
		     const struct volume_request *request,
		     const struct kdf_memory *memory,
		     const struct luks_key_change *change, int *ret_slot,
		     struct luks_plan *ret_plan, struct why *why)
{
	int r = -EINVAL, slot = change->slot;

	plan(reader, ret_plan);
	switch (change->op) {
	case LUKS_KEY_ADD:
		r = add(reader, request, memory, change, &slot, why);
		break;
	case LUKS_KEY_CHANGE:
		r = change_one(reader, request, memory, change, ret_plan, &slot,
			       why);
		break;
	case LUKS_KEY_REMOVE:
		r = remove_one(reader, slot, why);
		break;
	case LUKS_KEY_PRIORITY:
		r = set_priority(reader, slot, change->priority, why);
		break;
	case LUKS_KEY_ERASE:
		r = erase(reader, &slot, why);
		break;
	case LUKS_KEY_DISCARDS:
		r = luks_config_discards(reader, change->allow, why);
		break;
	}
	if (!r)
		*ret_slot = slot;
	return r;
}
