/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The gate for LUKS1, whose header has no metadata in JSON: the same rules as
 * luks_gate.h, by what libcryptsetup read.
 */
#ifndef CRYPT_LUKS1_GATE_H
#define CRYPT_LUKS1_GATE_H

struct crypt_device;
struct luks_gate;
struct why;

/*
 * Judge the header that is loaded in @cd, and fill @gate, which is zeroed.
 * Errors: -EINVAL with the reason in @why.
 */
int luks1_gate_check(struct crypt_device *cd, struct luks_gate *gate,
		     struct why *why);

#endif
