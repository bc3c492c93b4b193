/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Adaptive polling: before a loop sleeps it looks for a while whether work
 * comes from somebody who shares memory with it, or whether what a device does
 * has ended.  To be woken takes longer than most requests do; and a peer that
 * is told that it need not wake saves a system call.
 *
 * There are two windows, one for when nothing is under way and one for when a
 * device is at work.  Each is given up by halves when looking is in vain, and
 * taken up again when a sleep turns out to have been short.  What the kernel
 * works on in threads of its own may need this very CPU: then there is no
 * looking.  What it does at once, as with files in memory, is done before any of
 * this.
 */
#ifndef LIB_LOOP_POLL_H
#define LIB_LOOP_POLL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How many requests of all sources a turn begins, at whose end the answers go
 * out: their driver makes use of these while the next turn works on more.  And
 * how many completions it takes, unless a device is slower than this thread.
 */
#define LOOP_BATCH 16

enum loop_source_state {
	SOURCE_OFF,    /* nothing can come */
	SOURCE_IDLE,   /* something may come */
	SOURCE_DEVICE, /* a device is at work, whose end wakes the loop */
	SOURCE_KERNEL, /* a thread of the kernel is at work; likewise */
};

/* All are required; embedded in its owner. */
struct loop_source {
	enum loop_source_state (*state)(struct loop_source *source);
	/* Tell the peer that it need not wake us. */
	void (*disarm)(struct loop_source *source);
	/* Begin up to LOOP_BATCH of what is there; how much that was. */
	unsigned (*look)(struct loop_source *source);
	/* Have us woken by the next work.  false: some is there, and begun. */
	bool (*arm)(struct loop_source *source);
	struct loop_source *next;
};

struct loop_window {
	uint64_t now_ns;   /* of looking before a sleep */
	uint64_t slept_at; /* clock_ns when it went to sleep, or 0 */
	unsigned nr_near;  /* sleeps that were nearly short */
};

/* What is asked of the loop itself. */
struct loop_poll_ops {
	/* Whether there is something to do without any sleep. */
	bool (*ready)(void *arg);
	/* What was prepared goes to the kernel, which does what it can. */
	void (*submit)(void *arg);
};

/* Inside of a loop; zeroes are a valid start, but for @ops and @arg. */
struct loop_poll {
	const struct loop_poll_ops *ops;
	void *arg;
	struct loop_source *sources, *next; /* to look at */
	unsigned nr_sources;
	uint64_t max_ns; /* of each window */
	struct loop_window idle, device;
	unsigned waited; /* turns left in which a device counts as slow */
};

void loop_poll_add(struct loop_poll *p, struct loop_source *source);
void loop_poll_remove(struct loop_poll *p, struct loop_source *source);
void loop_poll_set(struct loop_poll *p, uint64_t ns);

/* A turn begins, which is to sleep if @sleep; whether it should. */
bool loop_poll_run(struct loop_poll *p, bool sleep);

/* How many completions the turn takes before it answers. */
unsigned loop_poll_batch(const struct loop_poll *p);

#endif
