/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Talking to the person at the terminal: /dev/tty, or where there is no
 * controlling terminal, standard input and standard error.
 */
#ifndef TOOLS_TERMINAL_H
#define TOOLS_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct why;

/*
 * Print @prefix, @prompt and ": ", read a line without echo into @buf.  The
 * terminal's state is restored before a signal that arrives meanwhile takes
 * effect; after SIGTSTP and SIGCONT it asks again.  Not for two threads.
 * Returns the line's bytes without its newline, or -errno: -EDOM (nothing
 * or more than @len bytes), -EINTR, -ENOTTY.
 */
ssize_t terminal_read_hidden(const char *prefix, const char *prompt, void *buf,
			     size_t len, struct why *why);

/*
 * Print @question and read a line: is it exactly @yes?  Errors: -ENOTTY.
 */
int terminal_confirm(const char *question, const char *yes, bool *ret,
		     struct why *why);

#endif
