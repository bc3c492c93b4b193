/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Rings that make no sense: loops, indices and ids that are out of range or
 * there twice, an available index that jumps, events that cannot be.
 */
#include <string.h>

#include "tests/unit/hostile.h"

static void self_loop(void)
{
	h_put(0, HDR, 16, N, 0);
}

static void loop_of_two(void)
{
	h_good(0);
	h_put(1, DATA, 512, W | N, 0);
}

static void all_from(unsigned i)
{
	for (; i < H_SIZE; i++)
		h_put(i, HDR, 16, N, (i + 1) % H_SIZE);
}

static void all_and_one(void)
{
	all_from(0);
}

static void next_out(void)
{
	h_good(0);
	h_put(1, DATA, 512, W | N, H_SIZE);
}

static void next_far_out(void)
{
	h_good(0);
	h_put(0, HDR, 16, N, 65535);
}

static void head_out(void)
{
	hostile.b.d.avail->ring[0] = H_SIZE;
}

static void head_far_out(void)
{
	hostile.b.d.avail->ring[0] = 65535;
}

static void avail_jump(void)
{
	h_good(0);
	hostile.b.d.avail_idx = H_SIZE + 1;
}

static void avail_back(void)
{
	h_good(0);
	hostile.b.d.avail_idx = 65535;
}

static void head_twice(void)
{
	h_good(0);
	driver_raw_avail(&hostile.b.d, 0);
}

static void used_event_abuse(void)
{
	h_good(0);
	if (hostile.packed)
		*hostile.b.d.packed.driver =
			(struct vring_packed_desc_event){ 0xffff, 2 };
	else
		*(uint16_t *)&hostile.b.d.avail->ring[H_SIZE] = 0x8000;
}

/* Packed rings alone. */
static void id_out(void)
{
	h_good(0);
	h_put(2, STATUS, 1, W, H_SIZE);
}

static void id_far_out(void)
{
	h_good(0);
	h_put(2, STATUS, 1, W, 65535);
}

static void id_in_between(void)
{
	h_good(0);
	h_put(0, HDR, 16, N, 65535);
	h_put(1, DATA, 512, W | N, H_SIZE);
}

/* A second chain, with the id of the first. */
static void id_twice(void)
{
	hostile.hold.hold = true;
	h_good(0);
	h_good(3);
}

static void chain_into_itself(void)
{
	hostile.hold.hold = true;
	h_good(0);
	all_from(3);
}

/* Used and available at once mean used; what is left over counts nothing. */
static void odd_flags(void)
{
	h_good(0);
	h_put(0, HDR, 16, N | 0x7f78, 1);
	h_put(1, DATA, 512, W | N | 0x7f78 | 1U << 15, 2);
}

/* Flags that are none, and a place that is not in the ring. */
static void used_event_reserved(void)
{
	h_good(0);
	if (hostile.packed)
		*hostile.b.d.packed.driver =
			(struct vring_packed_desc_event){ 0x7fff, 3 };
	else
		*(uint16_t *)&hostile.b.d.avail->ring[H_SIZE] = 0xffff;
}

/* Half of the way round: before and after are the same. */
static void avail_jump_half(void)
{
	h_good(0);
	hostile.b.d.avail_idx = 0x8000;
}

static const struct hostile_case cases[] = {
	SPLIT(self_loop, BROKEN),	SPLIT(loop_of_two, BROKEN),
	BOTH(all_and_one, BROKEN),	SPLIT(next_out, BROKEN),
	SPLIT(next_far_out, BROKEN),	SPLIT(head_out, BROKEN),
	SPLIT(head_far_out, BROKEN),	SPLIT(avail_jump, BROKEN),
	SPLIT(avail_jump_half, BROKEN), SPLIT(avail_back, BROKEN),
	SPLIT(head_twice, BROKEN),	CHAIN(used_event_abuse, OK),
	CHAIN(used_event_reserved, OK), PACKED(id_out, BROKEN),
	PACKED(id_far_out, BROKEN),	PACKED(id_in_between, OK),
	PACKED(id_twice, BROKEN),	PACKED(chain_into_itself, BROKEN),
	PACKED(odd_flags, OK),
};

#define NR_CASES (sizeof(cases) / sizeof(*cases))

int main(void)
{
	return hostile_main("virtq_hostile_ring", cases, NR_CASES, NULL);
}
