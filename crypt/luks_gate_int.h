/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What the parts of the gate share: luks_gate.c and luks_gate_slots.c.
 */
#ifndef CRYPT_LUKS_GATE_INT_H
#define CRYPT_LUKS_GATE_INT_H

#include <stdbool.h>
#include <string.h>

struct json_object;
struct luks_gate;
struct why;

#define ELSEWHERE "open it with cryptsetup"
#define REENCRYPT                                                      \
	"re-encryption is under way (end it with cryptsetup reencrypt" \
	" --resume-only)"

#define refuse(why, ...) why_set(why, -EINVAL, __VA_ARGS__)

static inline bool one_of(const char *s, const char *const *list)
{
	for (; s && *list; list++)
		if (!strcmp(s, *list))
			return true;
	return false;
}

static inline const char *or_none(const char *s)
{
	return s ? s : "nothing readable";
}

/* The slots that @digest binds to the volume key, into @gate.  0 or -EINVAL. */
int luks_gate_check_slots(struct json_object *slots, struct json_object *digest,
			  struct luks_gate *gate, struct why *why);

#endif
