/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Requests that make no sense in a ring that does: pieces in a wrong order, of
 * wrong lengths, at addresses that are not mapped, and sectors beyond the end.
 */
#include <string.h>

#include "tests/unit/hostile.h"

static void is_fine(void)
{
	h_good(0);
}

static void write_first(void)
{
	h_put(0, STATUS, 1, W | N, 1);
	h_put(1, HDR, 16, 0, 0);
}

static void read_in_between(void)
{
	h_put(0, HDR, 16, N, 1);
	h_put(1, DATA, 512, W | N, 2);
	h_put(2, HDR, 16, N, 3);
	h_put(3, STATUS, 1, W, 0);
}

static void no_writable(void)
{
	h_put(0, HDR, 16, 0, 0);
}

static void status_of_no_length(void)
{
	h_put(0, HDR, 16, N, 1);
	h_put(1, STATUS, 0, W, 0);
}

static void no_header(void)
{
	h_put(0, STATUS, 1, W, 0);
}

static void short_header(void)
{
	h_good(0);
	h_put(0, HDR, 15, N, 1);
}

static void header_of_no_length(void)
{
	h_good(0);
	h_put(0, HDR, 0, N, 1);
}

static void empty_pieces(void)
{
	h_put(0, NOWHERE, 0, N, 1);
	h_put(1, HDR, 16, N, 2);
	h_put(2, UINT64_MAX, 0, N, 3);
	h_put(3, DATA, 512, W | N, 4);
	h_put(4, NOWHERE, 0, W | N, 5);
	h_put(5, STATUS, 1, W | N, 6);
	h_put(6, NOWHERE, 0, W, 0);
}

static void nothing_but_empty(void)
{
	h_put(0, NOWHERE, 0, N, 1);
	h_put(1, NOWHERE, 0, W, 0);
}

static void sum_too_big(void)
{
	h_put(0, HDR, 16, N, 1);
	h_put(1, DATA, UINT32_MAX, W | N, 2);
	h_put(2, STATUS, 1, W, 0);
}

static void sum_mapped(void)
{
	h_huge();
	h_put(0, HDR, 16, N, 1);
	h_put(1, NOWHERE, UINT32_MAX, W | N, 2);
	h_put(2, STATUS, 1, W, 0);
}

static void sum_wraps_mapped(void)
{
	h_huge();
	h_put(0, HDR, 16, N, 1);
	h_put(1, NOWHERE, 0x80000000, W | N, 2);
	h_put(2, NOWHERE, 0x80000200, W | N, 3);
	h_put(3, STATUS, 1, W, 0);
}

static void sum_wraps(void)
{
	h_put(0, HDR, 16, N, 1);
	h_put(1, DATA, 0x80000000, W | N, 2);
	h_put(2, DATA, 0x80000200, W | N, 3);
	h_put(3, STATUS, 1, W, 0);
}

static void header_unmapped(void)
{
	h_good(0);
	h_put(0, NOWHERE, 16, N, 1);
}

static void data_unmapped(void)
{
	h_good(0);
	h_put(1, NOWHERE, 512, W | N, 2);
}

static void data_half_mapped(void)
{
	h_good(0);
	h_put(1, DRIVER_DATA + DRIVER_DATA_LEN - 256, 512, W | N, 2);
}

static void data_readonly(void)
{
	h_good(0);
	driver_mem_map(&hostile.b.d.mem, NOWHERE, 4096, NULL)->readonly = true;
	h_put(1, NOWHERE, 64, W | N, 2);
}

static void data_at_the_end(void)
{
	h_good(0);
	h_put(1, UINT64_MAX - 100, 512, W | N, 2);
}

static void data_wraps_to_mapped(void)
{
	driver_mem_map(&hostile.b.d.mem, 0, 4096, NULL);
	driver_mem_map(&hostile.b.d.mem, UINT64_MAX - 4095, 4096, NULL);
	h_good(0);
	h_put(1, UINT64_MAX - 255, 512, W | N, 2);
}

/* The very last bytes of the address space are as good as any. */
static void data_ends_the_space(void)
{
	driver_mem_map(&hostile.b.d.mem, UINT64_MAX - 4095, 4096, NULL);
	h_good(0);
	h_put(1, UINT64_MAX - 511, 512, W | N, 2);
}

static void status_unmapped(void)
{
	h_good(0);
	h_put(2, NOWHERE, 1, W, 0);
}

static void status_readonly(void)
{
	h_good(0);
	driver_mem_map(&hostile.b.d.mem, NOWHERE, 4096, NULL)->readonly = true;
	h_put(2, NOWHERE, 1, W, 0);
}

static void two_maps(void)
{
	driver_mem_map(&hostile.b.d.mem, 0x9000000, 256, NULL);
	driver_mem_map(&hostile.b.d.mem, 0x9000100, 256, NULL);
	h_good(0);
	h_put(1, 0x9000000, 512, W | N, 2);
}

static void sector_out(void)
{
	h_good(0);
	h_header(VIRTIO_BLK_T_IN, 1ULL << 40);
}

static void sector_wraps(void)
{
	h_good(0);
	h_header(VIRTIO_BLK_T_IN, UINT64_MAX);
}

static void header_missing(void)
{
	h_missing(NOWHERE);
	h_good(0);
	h_put(0, NOWHERE, 16, N, 1);
}

static void status_missing(void)
{
	h_missing(NOWHERE);
	h_good(0);
	h_put(2, NOWHERE, 1, W, 0);
}

/* The data cannot be cleared, but there is room for the status. */
static void failed_data_missing(void)
{
	h_missing(NOWHERE);
	h_good(0);
	h_put(1, NOWHERE, 512, W | N, 2);
	h_header(VIRTIO_BLK_T_IN, 1ULL << 40);
}

static void id_missing(void)
{
	h_missing(NOWHERE);
	h_good(0);
	h_put(1, NOWHERE, 20, W | N, 2);
	h_header(VIRTIO_BLK_T_GET_ID, 0);
}

/* Eight pieces, none next to another. */
static void header_in_pieces(void)
{
	const uint8_t *h = driver_blk_at(&hostile.b, HDR);
	unsigned i;

	for (i = 0; i < 8; i++) {
		memcpy(driver_blk_at(&hostile.b, HDR + 64 + i * 4), h + i * 2,
		       2);
		h_put(i, HDR + 64 + i * 4, 2, N, i + 1);
	}
	h_put(8, DATA, 512, W | N, 9);
	h_put(9, STATUS, 1, W, 0);
}

static void header_in_pieces_short(void)
{
	header_in_pieces();
	h_put(7, HDR + 64 + 28, 1, N, 8);
}

/* With what would be data of an OUT. */
static void header_and_data_in_one(void)
{
	h_good(0);
	h_put(0, HDR, 16 + 512, N, 1);
}

static void header_in_two_maps(void)
{
	driver_mem_map(&hostile.b.d.mem, 0x9000000, 7, NULL);
	driver_mem_map(&hostile.b.d.mem, 0x9000007, 9, NULL);
	h_good(0);
	h_put(0, 0x9000000, 16, N, 1);
}

static void header_half_mapped(void)
{
	driver_mem_map(&hostile.b.d.mem, 0x9000000, 7, NULL);
	h_good(0);
	h_put(0, 0x9000000, 16, N, 1);
}

static void header_at_the_end(void)
{
	h_good(0);
	h_put(0, UINT64_MAX - 7, 16, N, 1);
}

static void status_at_the_end(void)
{
	h_good(0);
	h_put(2, UINT64_MAX, 1, W, 0);
}

static void status_half_mapped(void)
{
	driver_mem_map(&hostile.b.d.mem, 0x9000000, 1, NULL);
	h_good(0);
	h_put(2, 0x9000000, 2, W, 0);
}

static void data_and_status_in_one(void)
{
	h_good(0);
	h_put(1, DATA, 512, W | N, 2);
	h_put(2, STATUS - 512, 513, W, 0);
}

static void data_less_than_a_sector(void)
{
	h_good(0);
	h_put(1, DATA, 511, W | N, 2);
}

static void data_more_than_a_sector(void)
{
	h_good(0);
	h_put(1, DATA, 513, W | N, 2);
}

static void data_of_no_length(void)
{
	h_good(0);
	h_put(1, DATA, 0, W | N, 2);
}

static void all_lengths_at_most(void)
{
	h_put(0, HDR, UINT32_MAX, N, 1);
	h_put(1, DATA, UINT32_MAX, W | N, 2);
	h_put(2, STATUS, UINT32_MAX, W, 0);
}

/* In bytes it is 0 again. */
static void sector_wraps_in_bytes(void)
{
	h_good(0);
	h_header(VIRTIO_BLK_T_IN, 1ULL << 55);
}

static void sector_at_the_end(void)
{
	h_good(0);
	h_header(VIRTIO_BLK_T_IN, 2048);
}

static void crosses_the_end(void)
{
	h_good(0);
	h_put(1, DATA, 1024, W | N, 2);
	h_header(VIRTIO_BLK_T_IN, 2047);
}

static void sector_and_length_wrap(void)
{
	h_good(0);
	h_put(1, DATA, 1024, W | N, 2);
	h_header(VIRTIO_BLK_T_IN, UINT64_MAX);
}

static const struct hostile_case cases[] = {
	CHAIN(is_fine, OK),
	CHAIN(write_first, IOERR),
	CHAIN(read_in_between, IOERR),
	CHAIN(no_writable, NO_STATUS),
	CHAIN(status_of_no_length, NO_STATUS),
	CHAIN(no_header, IOERR),
	CHAIN(short_header, IOERR),
	CHAIN(header_of_no_length, IOERR),
	CHAIN(empty_pieces, OK),
	CHAIN(nothing_but_empty, NO_STATUS),
	CHAIN(sum_too_big, IOERR),
	CHAIN(sum_mapped, IOERR),
	CHAIN(sum_wraps_mapped, IOERR),
	CHAIN(sum_wraps, IOERR),
	CHAIN(header_unmapped, IOERR),
	CHAIN(data_unmapped, IOERR),
	CHAIN(data_half_mapped, IOERR),
	CHAIN(data_readonly, IOERR),
	CHAIN(data_at_the_end, IOERR),
	CHAIN(data_wraps_to_mapped, IOERR),
	CHAIN(data_ends_the_space, OK),
	CHAIN(status_unmapped, NO_STATUS),
	CHAIN(status_readonly, NO_STATUS),
	CHAIN(two_maps, OK),
	CHAIN(sector_out, IOERR),
	CHAIN(sector_wraps, IOERR),
	CHAIN(header_missing, IOERR),
	CHAIN(status_missing, NO_STATUS),
	CHAIN(failed_data_missing, IOERR),
	CHAIN(id_missing, IOERR),
	CHAIN(header_in_pieces, OK),
	CHAIN(header_in_pieces_short, IOERR),
	CHAIN(header_and_data_in_one, IOERR),
	CHAIN(header_in_two_maps, OK),
	CHAIN(header_half_mapped, IOERR),
	CHAIN(header_at_the_end, IOERR),
	CHAIN(status_at_the_end, NO_STATUS),
	CHAIN(status_half_mapped, NO_STATUS),
	CHAIN(data_and_status_in_one, OK),
	CHAIN(data_less_than_a_sector, IOERR),
	CHAIN(data_more_than_a_sector, IOERR),
	CHAIN(data_of_no_length, IOERR),
	CHAIN(all_lengths_at_most, NO_STATUS),
	CHAIN(sector_wraps_in_bytes, IOERR),
	CHAIN(sector_at_the_end, IOERR),
	CHAIN(crosses_the_end, IOERR),
	CHAIN(sector_and_length_wrap, IOERR),
};

#define NR_CASES (sizeof(cases) / sizeof(*cases))

int main(void)
{
	return hostile_main("virtq_hostile_request", cases, NR_CASES, NULL);
}
