/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Adaptive polling: before a loop sleeps it looks for a while whether work
 * comes from somebody who shares memory with it.  To be woken takes longer
 * than most requests do; and a peer that is told that it need not wake saves
 * a system call.
 *
 * Looking is for the time between an answer and the next request, so it is
 * done only when no source is busy: what is under way the kernel works on,
 * perhaps on this very CPU.  It is given up by halves when nothing comes, and
 * taken up again when a sleep turns out to have been short.
 */
#ifndef LIB_LOOP_POLL_H
#define LIB_LOOP_POLL_H

#include <stdbool.h>
#include <stdint.h>

enum loop_source_state {
	SOURCE_OFF,  /* nothing can come */
	SOURCE_IDLE, /* something may come */
	SOURCE_BUSY, /* something is under way, whose end wakes the loop */
};

/* All are required; embedded in its owner. */
struct loop_source {
	enum loop_source_state (*state)(struct loop_source *source);
	/* Tell the peer that it need not wake us. */
	void (*disarm)(struct loop_source *source);
	/* Begin what is there; whether there was anything. */
	bool (*look)(struct loop_source *source);
	/* Have us woken by the next work; begin what came before that. */
	void (*arm)(struct loop_source *source);
	struct loop_source *next;
};

/* Inside of a loop; zeroes are a valid start. */
struct loop_poll {
	struct loop_source *sources;
	uint64_t max_ns;   /* of looking before a sleep */
	uint64_t now_ns;   /* as much of it as seems worth it */
	uint64_t slept_at; /* clock_ns when it went to sleep idle, or 0 */
};

void loop_poll_add(struct loop_poll *p, struct loop_source *source);
void loop_poll_remove(struct loop_poll *p, struct loop_source *source);
void loop_poll_set(struct loop_poll *p, uint64_t ns);

/* The loop is about to sleep. */
void loop_poll_run(struct loop_poll *p);

#endif
