/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Indirect tables that make no sense, and some that look so.
 */
#include <string.h>

#include "tests/unit/hostile.h"

static void table_writable(void)
{
	h_good_table();
	h_put(0, TABLE, 48, I | W, 0);
}

static void table_next(void)
{
	h_good_table();
	h_put(0, TABLE, 48, I | N, 1);
}

static void table_empty(void)
{
	h_good_table();
	h_put(0, TABLE, 0, I, 0);
}

static void table_odd(void)
{
	h_good_table();
	h_put(0, TABLE, 47, I, 0);
}

static void table_huge(void)
{
	h_good_table();
	h_put(0, TABLE, 0xfffffff0, I, 0);
}

static void table_over_limit(void)
{
	h_good_table();
	h_put(0, TABLE, 16 * 1025, I, 0);
}

/* Longer than the queue: Linux does so when seg_max allows it. */
static void table_longer_than_queue(void)
{
	unsigned i;

	h_tput(0, HDR, 16, N, 1);
	for (i = 1; i <= 32; i++)
		h_tput(i, DATA + i * 32, 16, W | N, i + 1);
	h_tput(i, STATUS, 1, W, 0);
	/* In a packed ring all of it counts. */
	h_put(0, TABLE, 16 * (hostile.packed ? 34 : 64), I, 0);
}

static void table_too_many_pieces(void)
{
	unsigned i;

	h_tput(0, HDR, 16, N, 1);
	for (i = 1; i <= 512; i++)
		h_tput(i, DATA + i * 32, 16, W | N, i + 1);
	h_tput(i, STATUS, 1, W, 0);
	h_put(0, TABLE, 16 * 1024, I, 0);
}

static void table_nested(void)
{
	h_good_table();
	h_tput(1, TABLE, 48, I, 0);
}

static void table_next_out(void)
{
	h_good_table();
	h_tput(1, DATA, 512, W | N, 3);
}

static void table_loop(void)
{
	h_good_table();
	h_tput(1, DATA, 512, W | N, 0);
}

static void table_unmapped(void)
{
	h_good_table();
	h_put(0, NOWHERE, 48, I, 0);
}

static void table_half_mapped(void)
{
	h_put(0, DRIVER_DATA + DRIVER_DATA_LEN - 16, 48, I, 0);
}

static void table_at_the_end(void)
{
	h_put(0, UINT64_MAX - 15, 48, I, 0);
}

/* Two mappings, and none of the entries in one piece. */
static void table_in_two(void)
{
	struct vring_desc t[3] = { h_entry(HDR, 16, N, 1),
				   h_entry(DATA, 512, W | N, 2),
				   h_entry(STATUS, 1, W, 0) };

	memcpy(driver_mem_map(&hostile.b.d.mem, 0x9000000, 25, NULL)->host, t,
	       25);
	memcpy(driver_mem_map(&hostile.b.d.mem, 0x9000019, 23, NULL)->host,
	       (char *)t + 25, 23);
	h_put(0, 0x9000000, 48, I, 0);
}

static void table_unaligned(void)
{
	struct vring_desc t[3] = { h_entry(HDR, 16, N, 1),
				   h_entry(DATA, 512, W | N, 2),
				   h_entry(STATUS, 1, W, 0) };

	memcpy(driver_blk_at(&hostile.b, TABLE + 3), t, sizeof(t));
	h_put(0, TABLE + 3, 48, I, 0);
}

static void mixed(void)
{
	h_tput(0, DATA, 512, W | N, 1);
	h_tput(1, STATUS, 1, W, 0);
	h_put(0, HDR, 16, N, 1);
	h_put(1, TABLE, 32, I, 0);
}

static void mixed_loop(void)
{
	mixed();
	h_put(1, HDR, 16, N, 0);
}

static void table_missing(void)
{
	h_missing(NOWHERE);
	h_put(0, NOWHERE, 48, I, 0);
}

static void table_behind(void)
{
	h_good_table();
	h_put(0, HDR, 16, N, 0);
	h_put(1, TABLE, 48, I, 0);
}

static void table_of_one_and_a_half(void)
{
	h_good_table();
	h_put(0, TABLE, 24, I, 0);
}

static void table_nested_first(void)
{
	h_good_table();
	h_tput(0, TABLE, 48, I, 0);
}

static void table_nested_with_next(void)
{
	h_good_table();
	h_tput(1, TABLE, 48, I | N, 2);
}

/* What is nested does not count when nothing leads there: in a split ring. */
static void table_nested_unused(void)
{
	h_good_table();
	h_tput(3, TABLE, 48, I, 0);
	h_put(0, TABLE, 64, I, 0);
}

static void table_self_loop(void)
{
	h_good_table();
	h_tput(0, HDR, 16, N, 0);
}

static void table_next_far_out(void)
{
	h_good_table();
	h_tput(1, DATA, 512, W | N, 65535);
}

/* A table as a table: its entries are the chain. */
static void table_is_the_ring(void)
{
	h_put(0, DRIVER_DESC, 16, I, 0);
}

static void table_behind_loop(void)
{
	h_good_table();
	h_put(0, TABLE, 48, I | N, 0);
}

static const struct hostile_case cases[] = {
	BOTH(table_writable, OK),
	BOTH(table_next, BROKEN),
	BOTH(table_behind_loop, BROKEN),
	BOTH(table_empty, BROKEN),
	BOTH(table_odd, BROKEN),
	BOTH(table_of_one_and_a_half, BROKEN),
	BOTH(table_huge, BROKEN),
	BOTH(table_over_limit, BROKEN),
	BOTH(table_longer_than_queue, OK),
	BOTH(table_too_many_pieces, IOERR),
	BOTH(table_nested, BROKEN),
	BOTH(table_nested_first, BROKEN),
	BOTH(table_nested_with_next, BROKEN),
	CASE(table_nested_unused, OK, BROKEN),
	BOTH(table_is_the_ring, BROKEN),
	CASE(table_next_out, BROKEN, OK),
	CASE(table_next_far_out, BROKEN, OK),
	CASE(table_loop, BROKEN, OK),
	CASE(table_self_loop, BROKEN, OK),
	BOTH(table_unmapped, NO_STATUS),
	BOTH(table_missing, NO_STATUS),
	BOTH(table_half_mapped, NO_STATUS),
	BOTH(table_at_the_end, NO_STATUS),
	BOTH(table_in_two, OK),
	BOTH(table_unaligned, OK),
	CASE(mixed, OK, BROKEN),
	SPLIT(mixed_loop, BROKEN),
	PACKED(table_behind, BROKEN),
};

/* What was not negotiated is not there. */
START_TEST(test_not_negotiated)
{
	hostile_begin(_i, 1ULL << VIRTIO_RING_F_INDIRECT_DESC);
	hostile_show();
	h_good_table();
	hostile_kick();
	driver_blk_turns(&hostile.b, 5);
	ck_assert(hostile.b.stats.broken);
	hostile_recovers();
	hostile_end();
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("table");

	tcase_add_loop_test(tc, test_not_negotiated, 0, 2);
	return hostile_main("virtq_hostile_table", cases,
			    sizeof(cases) / sizeof(*cases), tc);
}
