/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Destroying all key slots of a container, after which nobody can open it.
 * Locking and asking are the caller's part.
 */
#ifndef CRYPT_LUKS_ERASE_H
#define CRYPT_LUKS_ERASE_H

#include <stdint.h>

struct why;

/* Told after each piece how many bytes of the area of key slots are done. */
struct luks_erase_watch {
	void (*progress)(void *arg, uint64_t done);
	void *arg;
};

/*
 * Remove every key slot of the header open at @fd for reading and writing, as
 * volume_keys.h does it, and overwrite the whole area of key slots, so that
 * nothing is left of slots that were there before either.  Done again, it does
 * the rest.  *ret_slots: how many there were; @watch may be NULL.
 * Errors: those of volume_keys_change.
 */
int luks_erase(int fd, const struct luks_erase_watch *watch,
	       unsigned int *ret_slots, struct why *why);

#endif
