/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Changing key slots, and a flag, on the private copy of a header.  Runs
 * inside the cell of unlock_jail.h.  Nothing of it reaches the image: what has
 * changed is carried there by luks_commit.h, and an operation that fails leaves
 * nothing.
 */
#ifndef CRYPT_LUKS_KEYS_H
#define CRYPT_LUKS_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypt/luks_commit.h"
#include "crypt/luks_pbkdf.h"

struct kdf_memory;
struct luks_reader;
struct volume_request;
struct why;

enum luks_key_op {
	LUKS_KEY_ADD,	   /* a slot for another passphrase */
	LUKS_KEY_CHANGE,   /* another passphrase for a slot */
	LUKS_KEY_REMOVE,   /* a slot */
	LUKS_KEY_PRIORITY, /* of a slot */
	LUKS_KEY_ERASE,	   /* all slots */
	LUKS_KEY_DISCARDS, /* of no slot: what every opening allows */
};

struct luks_key_change {
	enum luks_key_op op;
	/* add and change: in memory of secmem_alloc */
	const void *new_passphrase;
	size_t new_passphrase_len;
	struct luks_pbkdf kdf; /* checked */
	int new_slot;	       /* add: VOLUME_ANY_SLOT for the first free one */
	bool in_place; /* change: even where a kill could lose the slot */
	int slot;      /* remove, priority */
	int priority;  /* 2 prefer, 1 normal, 0 ignore */
	bool allow;    /* discards */
};

/*
 * After luks_reader_judge.  To add and to change, @request's passphrase must
 * open a slot, within @memory.  *ret_slot is the slot that was made, changed
 * or removed, or how many were erased; *ret_plan says how the copy becomes the
 * image.
 *
 * Errors: those of luks_reader_unlock, -EEXIST (the new slot is taken),
 * -ENOENT (there is no such slot), -ENOSPC (no room for another one), -ENOMEM,
 * -EINVAL.
 */
int luks_keys_change(struct luks_reader *reader,
		     const struct volume_request *request,
		     const struct kdf_memory *memory,
		     const struct luks_key_change *change, int *ret_slot,
		     struct luks_plan *ret_plan, struct why *why);

#endif
