/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The log of a running volume: lines of monitor and worker come through one
 * pipe, go to standard error (in the foreground) or the system log, and the
 * last few stay at hand for status.
 */
#ifndef DAEMON_LOG_RELAY_H
#define DAEMON_LOG_RELAY_H

#include <stdbool.h>

#define LOG_RELAY_LINES 16
#define LOG_RELAY_WIDTH 256

struct log_relay {
	int read_fd;
	int out_fd; /* the former standard error, or -1: syslog */
	char lines[LOG_RELAY_LINES][LOG_RELAY_WIDTH];
	unsigned nr; /* lines ever; the last is at (nr - 1) % LINES */
	char part[LOG_RELAY_WIDTH];
	unsigned part_len;
};

/*
 * From here on this process and its children write their standard error
 * into the relay.  0 or -errno.
 */
int log_relay_start(struct log_relay *relay, const char *name, bool foreground);

/* read_fd is readable. */
void log_relay_read(struct log_relay *relay);

/* The @i-th of the lines at hand, the oldest first; NULL past the last. */
const char *log_relay_line(const struct log_relay *relay, unsigned i);

#endif
