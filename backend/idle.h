/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Whether a plain image is in use by somebody else, as far as that can be
 * known, and a sign to others that it is in use now.
 */
#ifndef BACKEND_IDLE_H
#define BACKEND_IDLE_H

struct why;

/*
 * Make sure that nobody is writing to the regular file at @fd, which is open
 * for reading only: no program has it open for writing (the kernel tells its
 * owner and root only), and neither another vcrypt, QEMU nor anybody with
 * flock(2) has a lock that says so.  Then take those locks, so that they will
 * not write to it; they end with the last copy of @fd.
 * Errors: -EBUSY with the user in @why, -errno.
 */
int file_claim_idle(int fd, struct why *why);

#endif
