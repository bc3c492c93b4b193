/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The log of the daemon: one line an event, on standard error (the monitor
 * relays a worker's lines).  Commands print their errors themselves.
 * No line may hold a secret.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

enum log_level {
	LOG_ERROR,
	LOG_WARN,
	LOG_NOTE,
	LOG_DETAIL,
};

/* Lines above @level are dropped; @who ("monitor", "worker") starts a line. */
void log_setup(const char *who, enum log_level level);

/*
 * Write one line with a single write(2), so that lines of several threads do
 * not mix.  Control characters are replaced by '?'.  Safe in any thread.
 */
void log_line(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...)	log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_WARN, __VA_ARGS__)
#define log_note(...)	log_line(LOG_NOTE, __VA_ARGS__)
#define log_detail(...) log_line(LOG_DETAIL, __VA_ARGS__)

#endif
