/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The gate: may a LUKS2 container with this metadata be unlocked and served?
 *
 * libcryptsetup hands out keys for headers that must not be mapped
 * (re-encryption under way, several segments, other ciphers, null key-slot
 * ciphers).  This is the allow-list in front of any key derivation: what is
 * not known to be served faithfully is refused by name.  It is a function of
 * the text alone and touches no device.
 */
#ifndef CRYPT_LUKS_GATE_H
#define CRYPT_LUKS_GATE_H

#include <stdbool.h>
#include <stdint.h>

#define LUKS_SLOTS_MAX 32

struct why;

/* A key slot that may be tried, with what trying it costs. */
struct luks_slot {
	int id;
	int priority;	  /* 2 first, 1 then, 0 never on its own */
	uint64_t memory;  /* bytes; 0 for PBKDF2 */
	uint32_t threads; /* at least 1 */
};

/* What the gate has let through, in bytes. */
struct luks_gate {
	char cipher[32];
	uint32_t key_bytes;
	uint32_t sector_size;
	uint64_t data_offset;  /* 0 where the header is detached */
	uint64_t slots_offset; /* the key-slot area, after both headers */
	uint64_t slots_size;
	bool allow_discards;
	unsigned int nr_slots;
	struct luks_slot slots[LUKS_SLOTS_MAX];
};

/* Where headers and key slots end, in bytes from the start. */
static inline uint64_t luks_gate_header_size(const struct luks_gate *gate)
{
	return gate->slots_offset + gate->slots_size;
}

/*
 * Judge the metadata in @json, the text of crypt_dump_json().
 * Errors: -EINVAL with the reason in @why, -ENOMEM.
 */
int luks_gate_check(const char *json, struct luks_gate *ret, struct why *why);

/*
 * What has passed is a header; may its volume be opened as well?  There must
 * be a key slot, and data in the same image stand behind all of the header.
 * Errors: -EINVAL.
 */
int luks_gate_check_open(const struct luks_gate *gate, bool detached,
			 struct why *why);

#endif
