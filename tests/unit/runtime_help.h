/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A runtime directory of a test's own.  Root's is fixed, so the test, which
 * libcheck runs in a process of its own, becomes an unprivileged user first.
 */
#ifndef RUNTIME_HELP_H
#define RUNTIME_HELP_H

struct runtime;

/*
 * Make a new folder, point XDG_RUNTIME_DIR at it, run @before (or NULL) with
 * its path, and become an unprivileged user for good.  Returns the path.
 */
const char *runtime_private(void (*before)(const char *dir));

/* The same, and open it. */
void runtime_setup(struct runtime *rt);

/* Remove the folder with all that is in it. */
void runtime_teardown(void);

#endif
