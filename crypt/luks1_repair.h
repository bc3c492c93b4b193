/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What can be put in order of a LUKS1 header, which there is only one of: that
 * of key slots which are not in use, since where they are and how long follows
 * from the rest; and a hash whose name is in capitals.  libcryptsetup does it;
 * this makes it do so to a copy, and finds out what it did.
 */
#ifndef CRYPT_LUKS1_REPAIR_H
#define CRYPT_LUKS1_REPAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "crypt/luks1_phdr.h"

struct why;

struct luks1_repairs {
	uint8_t slots; /* bit N: key slot N */
	uint8_t lost;  /* of these, those that may have been in use */
	uint8_t odd;   /* others, neither in use nor free, and left so */
	bool hash;
};

/*
 * Repair the header in the memfd @copy_fd.  Runs in the cell of unlock_jail.h:
 * nothing has judged it yet.  Errors: -EINVAL (it is beyond repair), -ENOMEM.
 */
int luks1_repair(int copy_fd, struct why *why);

/*
 * What has become of a header?  Errors: -EINVAL, it is more than a repair
 * does: whoever did it was no longer himself.
 */
int luks1_repair_compare(const uint8_t before[static LUKS1_HEADER_SIZE],
			 const uint8_t after[static LUKS1_HEADER_SIZE],
			 struct luks1_repairs *ret);

#endif
