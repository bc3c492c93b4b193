/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* A processor with a store buffer: see store_buffer.h. */
#include <check.h>
#include <stdbool.h>

#include "tests/unit/store_buffer.h"

#define MAX 64

static struct store {
	void *p;
	unsigned len;
	uint32_t raw;
} buffer[MAX];

static unsigned nr, count, when;
static bool on;
static void (*come_in)(void *arg);
static void *come_in_arg;

static void drain(void)
{
	unsigned i;

	for (i = 0; i < nr; i++)
		if (buffer[i].len == 2)
			__atomic_store_n((uint16_t *)buffer[i].p,
					 (uint16_t)buffer[i].raw,
					 __ATOMIC_RELEASE);
		else
			__atomic_store_n((uint32_t *)buffer[i].p, buffer[i].raw,
					 __ATOMIC_RELEASE);
	nr = 0;
}

static void step(void)
{
	if (on && count++ == when)
		come_in(come_in_arg);
}

/* The latest store that is still in the buffer counts, for who made it. */
static uint32_t load(const void *p, unsigned len)
{
	unsigned i = nr;

	step();
	while (i--)
		if (buffer[i].p == p && buffer[i].len == len)
			return buffer[i].raw;
	return len == 2
		       ? __atomic_load_n((const uint16_t *)p, __ATOMIC_ACQUIRE)
		       : __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE);
}

static void store(void *p, unsigned len, uint32_t raw)
{
	step();
	ck_assert_uint_lt(nr, MAX);
	buffer[nr++] = (struct store){ p, len, raw };
	if (!on)
		drain();
}

uint16_t ring_load16(const le16 *p, int order)
{
	return le16_get((le16){ (uint16_t)load(p, 2) });
}

uint32_t ring_load32(const le32 *p, int order)
{
	return le32_get((le32){ load(p, 4) });
}

void ring_store16(le16 *p, uint16_t value, int order)
{
	store(p, 2, le16_put(value).raw);
}

void ring_store32(le32 *p, uint32_t value, int order)
{
	store(p, 4, le32_put(value).raw);
}

void ring_full_fence(void)
{
	step();
	drain();
}

void sb_begin(unsigned at, void (*other)(void *arg), void *arg)
{
	when = at;
	count = 0;
	come_in = other;
	come_in_arg = arg;
	on = true;
}

unsigned sb_end(void)
{
	unsigned n = count;

	on = false;
	if (n <= when)
		come_in(come_in_arg);
	drain();
	return n;
}
