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
	p->idle.now_ns = ns;
	p->device.now_ns = ns;
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

/* What all of them are together; and how many there are. */
static enum loop_source_state state(struct loop_poll *p)
{
	enum loop_source_state all = SOURCE_OFF, one;
	struct loop_source *s;

	p->nr_on = 0;
	for (s = p->sources; s; s = s->next) {
		one = s->state(s);
		p->nr_on += one != SOURCE_OFF;
		if (one > all)
			all = one;
	}
	return all;
}

static struct loop_window *window(struct loop_poll *p)
{
	switch (state(p)) {
	case SOURCE_IDLE:
		return &p->idle;
	case SOURCE_DEVICE:
		return &p->device;
	default:
		return NULL;
	}
}

/* Whether there was anything in time. */
static bool look_for(const struct loop_poll *p, uint64_t ns)
{
	uint64_t begin = clock_ns(), yield_at = YIELD_NS, spent;
	int i;

	do {
		for (i = 0; i < LOOKS; i++) {
			if (p->ops->ready(p->arg) || look(p))
				return true;
			relax();
		}
		spent = clock_ns() - begin;
		if (spent >= yield_at) {
			sched_yield();
			yield_at = spent + YIELD_NS;
		}
	} while (spent < ns);
	return false;
}

static bool look_and_learn(struct loop_poll *p, struct loop_window *w)
{
	struct loop_source *s;

	if (w == &p->device)
		p->ops->submit(p->arg);
	for (s = p->sources; s; s = s->next)
		s->disarm(s);
	if (look_for(p, w->now_ns))
		return true;
	w->now_ns /= 2;
	if (w->now_ns < WORTHLESS)
		w->now_ns = 0;
	return false;
}

/* It woke up: was the sleep so short that looking would have been better? */
static void judge_sleep(struct loop_poll *p, struct loop_window *w)
{
	if (w->slept_at && clock_ns() - w->slept_at < p->max_ns)
		w->now_ns = p->max_ns;
	w->slept_at = 0;
}

bool loop_poll_run(struct loop_poll *p)
{
	struct loop_window *w;
	struct loop_source *s;
	bool found;

	if (!p->sources)
		return true;
	judge_sleep(p, &p->idle);
	judge_sleep(p, &p->device);
	look(p);
	do {
		if (p->ops->ready(p->arg))
			return false;
		w = window(p);
		found = w && w->now_ns && look_and_learn(p, w);
	} while (found);
	if (p->one_cpu && state(p) == SOURCE_MEMORY)
		return true;
	for (s = p->sources; s; s = s->next)
		s->arm(s);
	w = window(p);
	if (w && p->max_ns)
		w->slept_at = clock_ns();
	return true;
}
