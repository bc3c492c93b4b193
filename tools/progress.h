/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * How far a long job has come: a bar on standard error if that is a terminal,
 * or, with "--progress json", a line of JSON each second on standard output;
 * else nothing.  The first half only computes; it neither reads a clock nor
 * prints.
 */
#ifndef TOOLS_PROGRESS_H
#define TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/options.h"

/* As on the command line; zeroed: nothing was said. */
struct progress_args {
	const char *format; /* "json", "none" or NULL */
};

/* The option, for a struct progress_args. */
extern const struct option progress_options[];

enum progress_mode {
	PROGRESS_NONE,
	PROGRESS_BAR,
	PROGRESS_JSON,
};

/* Private to progress.c and its test. */
struct progress {
	enum progress_mode mode;
	const char *what;
	uint64_t done, total;	  /* bytes */
	int64_t start_ms, now_ms; /* of a clock that only goes forward */
	int64_t shown_ms;
	uint64_t rate_done; /* how far it was at rate_ms */
	int64_t rate_ms;
	double rate; /* bytes per second, of the latest seconds; 0: not known */
	size_t width; /* bytes of the bar that is on the screen; 0: none */
};

/* Start at @done of @total bytes at the time @now_ms. */
void progress_init(struct progress *p, enum progress_mode mode,
		   const char *what, uint64_t done, uint64_t total,
		   int64_t now_ms);

/* It is at @done now.  Is it time to show that? */
bool progress_advance(struct progress *p, uint64_t done, int64_t now_ms);

/* One line without its newline, at most @columns and @len - 1 bytes. */
void progress_bar(const struct progress *p, size_t columns, char *buf,
		  size_t len);
void progress_json(const struct progress *p, char *buf, size_t len);

#define PROGRESS_LINE_MAX 512 /* bytes, for the two above */

/*
 * A job starts: @what is a word for it ("wipe"), which must stay valid; @done
 * of @total bytes are done already.  progress_end must follow before anything
 * else is printed.
 */
void progress_start(struct progress *p, const struct progress_args *args,
		    const char *what, uint64_t done, uint64_t total);

/* Cheap enough to be called for every piece of work. */
void progress_update(struct progress *p, uint64_t done);

/* The job has ended, well or not; what was reached last is shown. */
void progress_end(struct progress *p);

#endif
