/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A volume whose monitor died: what it left is cleaned up from NAME.json.
 */
#ifndef DAEMON_ORPHAN_H
#define DAEMON_ORPHAN_H

#include <stdbool.h>

struct runtime;
struct why;

/*
 * Detach and destroy the device of @name, end its worker, remove its files.
 * When the worker is dead as well, a stand-in answers the kernel and ends
 * what was in flight with errors.  -EBUSY: a monitor lives, or the block
 * device is in use (@force: take it away all the same); -ENOENT: there is no
 * such volume.
 */
int orphan_close(const struct runtime *rt, const char *name, bool force,
		 struct why *why);

#endif
