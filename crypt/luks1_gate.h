/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The gate for LUKS1, whose header has no metadata in JSON: the same rules as
 * luks_gate.h, by what libcryptsetup read.
 */
#ifndef CRYPT_LUKS1_GATE_H
#define CRYPT_LUKS1_GATE_H

#include <stdint.h>

struct crypt_device;
struct luks_gate;
struct why;

/*
 * Judge the header that is loaded in @cd, and fill @gate, which is zeroed.
 * @digest_iterations is what libcryptsetup does not tell of it.
 * Errors: -EINVAL with the reason in @why.
 */
int luks1_gate_check(struct crypt_device *cd, uint32_t digest_iterations,
		     struct luks_gate *gate, struct why *why);

#endif
