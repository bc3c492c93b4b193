/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Adaptive polling: see loop_poll.h.
 */
#include <sched.h>
#include <stddef.h>

#include "lib/clock.h"
#include "lib/loop_poll.h"

#define LOOKS	  32	/* at the sources, for each one at the clock */
#define YIELD_NS  20000 /* others may be waiting for this CPU */
#define WORTHLESS 2000	/* nanoseconds that are too few to find anything */

void loop_poll_add(struct loop_poll *p, struct loop_source *source)
{
	source->next = p->sources;
	p->sources = source;
}

void loop_poll_remove(struct loop_poll *p, struct loop_source *source)
{
	struct loop_source **at = &p->sources;

	while (*at && *at != source)
		at = &(*at)->next;
	if (*at)
		*at = source->next;
}

void loop_poll_set(struct loop_poll *p, uint64_t ns)
{
	p->max_ns = ns;
	p->now_ns = ns;
}

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

static bool look(const struct loop_poll *p)
{
	struct loop_source *s;
	bool found = false;

	for (s = p->sources; s; s = s->next)
		found |= s->look(s);
	return found;
}

/* What all of them are together. */
static enum loop_source_state state(const struct loop_poll *p)
{
	enum loop_source_state all = SOURCE_OFF, one;
	struct loop_source *s;

	for (s = p->sources; s; s = s->next) {
		one = s->state(s);
		if (one > all)
			all = one;
	}
	return all;
}

/* Whether work came in time. */
static bool look_for(const struct loop_poll *p)
{
	uint64_t begin = clock_ns(), yield_at = YIELD_NS, spent;
	int i;

	do {
		for (i = 0; i < LOOKS; i++) {
			if (look(p))
				return true;
			relax();
		}
		spent = clock_ns() - begin;
		if (spent >= yield_at) {
			sched_yield();
			yield_at = spent + YIELD_NS;
		}
	} while (spent < p->now_ns);
	return false;
}

static void look_and_learn(struct loop_poll *p)
{
	struct loop_source *s;

	for (s = p->sources; s; s = s->next)
		s->disarm(s);
	if (look_for(p))
		return;
	p->now_ns /= 2;
	if (p->now_ns < WORTHLESS)
		p->now_ns = 0;
}

/* It woke up: was the sleep so short that looking would have been better? */
static void judge_sleep(struct loop_poll *p)
{
	if (p->slept_at && clock_ns() - p->slept_at < p->max_ns)
		p->now_ns = p->max_ns;
	p->slept_at = 0;
}

void loop_poll_run(struct loop_poll *p)
{
	struct loop_source *s;

	if (!p->sources)
		return;
	judge_sleep(p);
	/* What was found is under way, or a task at the end of this turn. */
	if (!look(p) && p->now_ns && state(p) == SOURCE_IDLE)
		look_and_learn(p);
	for (s = p->sources; s; s = s->next)
		s->arm(s);
	if (p->max_ns && state(p) == SOURCE_IDLE)
		p->slept_at = clock_ns();
}
