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
#define CHANCE	  16	/* nearly short sleeps, for each that counts */
#define FEW	  4	/* completions, of a device that is waited for */
#define LATELY	  8	/* turns, in which it counts as slow */

void loop_poll_add(struct loop_poll *p, struct loop_source *source)
{
	source->next = p->sources;
	p->sources = p->next = source;
	p->nr_sources++;
}

void loop_poll_remove(struct loop_poll *p, struct loop_source *source)
{
	struct loop_source **at = &p->sources;

	while (*at && *at != source)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = source->next;
	p->next = p->sources;
	p->nr_sources--;
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

/* Each has its turn first, or one that is never empty would keep all others. */
static bool look(struct loop_poll *p)
{
	unsigned begun = 0, i;

	for (i = 0; i < p->nr_sources && begun < LOOP_BATCH; i++) {
		struct loop_source *s = p->next;

		p->next = s->next ? s->next : p->sources;
		begun += s->look(s);
	}
	return begun;
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
static bool look_for(struct loop_poll *p, uint64_t ns)
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

	for (s = p->sources; s; s = s->next)
		s->disarm(s);
	if (look_for(p, w->now_ns))
		return true;
	w->now_ns /= 2;
	if (w->now_ns < WORTHLESS)
		w->now_ns = 0;
	return false;
}

/*
 * It woke up: was the sleep so short that looking would have been better?  To be
 * woken, and to wake, takes time that looking does not: what was somewhat too
 * long may be due to that, and is given a chance now and then.
 */
static void judge_sleep(struct loop_poll *p, struct loop_window *w)
{
	uint64_t slept;

	if (!w->slept_at)
		return;
	slept = clock_ns() - w->slept_at;
	if (slept < p->max_ns ||
	    (slept < 2 * p->max_ns && ++w->nr_near % CHANCE == 0))
		w->now_ns = p->max_ns;
	w->slept_at = 0;
}

/* Whether nothing came meanwhile. */
static bool arm(const struct loop_poll *p)
{
	struct loop_source *s;
	bool all = true;

	for (s = p->sources; s; s = s->next)
		all &= s->arm(s);
	return all;
}

bool loop_poll_run(struct loop_poll *p, bool sleep)
{
	struct loop_window *w;
	bool found;

	if (!p->sources)
		return sleep;
	if (p->waited)
		p->waited--;
	judge_sleep(p, &p->idle);
	judge_sleep(p, &p->device);
	look(p);
	if (!sleep)
		return false;
	do {
		p->ops->submit(p->arg);
		if (p->ops->ready(p->arg))
			return false;
		w = window(p);
		if (w == &p->device)
			p->waited = LATELY;
		found = w && w->now_ns && look_and_learn(p, w);
	} while (found);
	if (!arm(p))
		return false;
	w = window(p);
	if (w && p->max_ns)
		w->slept_at = clock_ns();
	return true;
}

/*
 * A device ends many requests at once.  Where it is what everybody waits for,
 * the driver hears of the first ones, and has it at work on new ones, while the
 * rest are decrypted.  Where this thread is, more calls and submissions would
 * only cost.
 */
unsigned loop_poll_batch(const struct loop_poll *p)
{
	return p->waited ? FEW : LOOP_BATCH;
}
