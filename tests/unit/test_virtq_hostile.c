/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What no honest driver puts into a ring of either format.  The outcome is always one
 * of: a status byte, an answer of length 0, or a queue that stands still, says
 * why, and works again after a reset.
 */
#include <check.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/loop.h"
#include "lib/why.h"
#include "tests/unit/driver_blk.h"
#include "tests/unit/driver_hold.h"

#define OK	  VIRTIO_BLK_S_OK
#define IOERR	  VIRTIO_BLK_S_IOERR
#define SIZE	  16
#define W	  VRING_DESC_F_WRITE
#define N	  VRING_DESC_F_NEXT
#define I	  VRING_DESC_F_INDIRECT
#define NOWHERE	  0x700000000ULL
#define HDR	  DRIVER_DATA
#define DATA	  (DRIVER_DATA + 4096)
#define STATUS	  (DRIVER_DATA + 65536)
#define TABLE	  (DRIVER_DATA + 131072)
#define UNTOUCHED 0xee

enum outcome {
	NONE = -2, /* not in this format */
	BROKEN = -1,
	NO_STATUS = 0x100, /* used with length 0, status byte untouched */
};

static struct driver_blk b;
static struct hold hold;
static bool packed;

/* With @next for a packed ring's id, which counts in the last descriptor. */
static void put(unsigned i, uint64_t addr, uint32_t len, unsigned flags,
		unsigned next)
{
	if (packed)
		driver_packed_raw(&b.d, i, addr, len, (uint16_t)flags,
				  (uint16_t)next);
	else
		driver_raw_desc(&b.d, i, addr, len, (uint16_t)flags,
				(uint16_t)next);
}

/* The last two are the other way round in a packed ring. */
static struct vring_desc entry(uint64_t addr, uint32_t len, unsigned flags,
			       unsigned next)
{
	return (struct vring_desc){ addr, len,
				    (uint16_t)(packed ? next : flags),
				    (uint16_t)(packed ? flags : next) };
}

/* In a table at TABLE. */
static void tput(unsigned i, uint64_t addr, uint32_t len, unsigned flags,
		 unsigned next)
{
	struct vring_desc *t = (void *)driver_blk_at(&b, TABLE);

	t[i] = entry(addr, len, flags, next);
}

static void set_header(uint32_t type, uint64_t sector)
{
	struct virtio_blk_outhdr h = { .type = type, .sector = sector };

	memcpy(driver_blk_at(&b, HDR), &h, sizeof(h));
}

/* A read of one sector that is all right, from descriptor @i on. */
static void good(unsigned i)
{
	put(i, HDR, 16, N, i + 1);
	put(i + 1, DATA, 512, W | N, i + 2);
	put(i + 2, STATUS, 1, W, 0);
}

static void is_fine(void)
{
	good(0);
}

static void self_loop(void)
{
	put(0, HDR, 16, N, 0);
}

static void loop_of_two(void)
{
	good(0);
	put(1, DATA, 512, W | N, 0);
}

static void all_from(unsigned i)
{
	for (; i < SIZE; i++)
		put(i, HDR, 16, N, (i + 1) % SIZE);
}

static void all_and_one(void)
{
	all_from(0);
}

static void next_out(void)
{
	good(0);
	put(1, DATA, 512, W | N, SIZE);
}

static void next_far_out(void)
{
	good(0);
	put(0, HDR, 16, N, 65535);
}

static void head_out(void)
{
	b.d.avail->ring[0] = SIZE;
}

static void head_far_out(void)
{
	b.d.avail->ring[0] = 65535;
}

static void avail_jump(void)
{
	good(0);
	b.d.avail_idx = SIZE + 1;
}

static void avail_back(void)
{
	good(0);
	b.d.avail_idx = 65535;
}

static void head_twice(void)
{
	good(0);
	driver_raw_avail(&b.d, 0);
}

static void write_first(void)
{
	put(0, STATUS, 1, W | N, 1);
	put(1, HDR, 16, 0, 0);
}

static void read_in_between(void)
{
	put(0, HDR, 16, N, 1);
	put(1, DATA, 512, W | N, 2);
	put(2, HDR, 16, N, 3);
	put(3, STATUS, 1, W, 0);
}

static void no_writable(void)
{
	put(0, HDR, 16, 0, 0);
}

static void status_of_no_length(void)
{
	put(0, HDR, 16, N, 1);
	put(1, STATUS, 0, W, 0);
}

static void no_header(void)
{
	put(0, STATUS, 1, W, 0);
}

static void short_header(void)
{
	good(0);
	put(0, HDR, 15, N, 1);
}

static void header_of_no_length(void)
{
	good(0);
	put(0, HDR, 0, N, 1);
}

static void empty_pieces(void)
{
	put(0, NOWHERE, 0, N, 1);
	put(1, HDR, 16, N, 2);
	put(2, UINT64_MAX, 0, N, 3);
	put(3, DATA, 512, W | N, 4);
	put(4, NOWHERE, 0, W | N, 5);
	put(5, STATUS, 1, W | N, 6);
	put(6, NOWHERE, 0, W, 0);
}

static void nothing_but_empty(void)
{
	put(0, NOWHERE, 0, N, 1);
	put(1, NOWHERE, 0, W, 0);
}

static void sum_too_big(void)
{
	put(0, HDR, 16, N, 1);
	put(1, DATA, UINT32_MAX, W | N, 2);
	put(2, STATUS, 1, W, 0);
}

/* All of it is mapped; nothing of it may be touched. */
static void *huge(void)
{
	void *p = mmap(NULL, 1ULL << 32, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	driver_mem_map(&b.d.mem, NOWHERE, 1ULL << 32, p);
	return p;
}

static void sum_mapped(void)
{
	huge();
	put(0, HDR, 16, N, 1);
	put(1, NOWHERE, UINT32_MAX, W | N, 2);
	put(2, STATUS, 1, W, 0);
}

static void sum_wraps_mapped(void)
{
	huge();
	put(0, HDR, 16, N, 1);
	put(1, NOWHERE, 0x80000000, W | N, 2);
	put(2, NOWHERE, 0x80000200, W | N, 3);
	put(3, STATUS, 1, W, 0);
}

static void sum_wraps(void)
{
	put(0, HDR, 16, N, 1);
	put(1, DATA, 0x80000000, W | N, 2);
	put(2, DATA, 0x80000200, W | N, 3);
	put(3, STATUS, 1, W, 0);
}

static void header_unmapped(void)
{
	good(0);
	put(0, NOWHERE, 16, N, 1);
}

static void data_unmapped(void)
{
	good(0);
	put(1, NOWHERE, 512, W | N, 2);
}

static void data_half_mapped(void)
{
	good(0);
	put(1, DRIVER_DATA + DRIVER_DATA_LEN - 256, 512, W | N, 2);
}

static void data_readonly(void)
{
	good(0);
	driver_mem_map(&b.d.mem, NOWHERE, 4096, NULL)->readonly = true;
	put(1, NOWHERE, 64, W | N, 2);
}

static void data_at_the_end(void)
{
	good(0);
	put(1, UINT64_MAX - 100, 512, W | N, 2);
}

static void data_wraps_to_mapped(void)
{
	driver_mem_map(&b.d.mem, 0, 4096, NULL);
	driver_mem_map(&b.d.mem, UINT64_MAX - 4095, 4096, NULL);
	good(0);
	put(1, UINT64_MAX - 255, 512, W | N, 2);
}

/* The very last bytes of the address space are as good as any. */
static void data_ends_the_space(void)
{
	driver_mem_map(&b.d.mem, UINT64_MAX - 4095, 4096, NULL);
	good(0);
	put(1, UINT64_MAX - 511, 512, W | N, 2);
}

static void status_unmapped(void)
{
	good(0);
	put(2, NOWHERE, 1, W, 0);
}

static void status_readonly(void)
{
	good(0);
	driver_mem_map(&b.d.mem, NOWHERE, 4096, NULL)->readonly = true;
	put(2, NOWHERE, 1, W, 0);
}

static void two_maps(void)
{
	driver_mem_map(&b.d.mem, 0x9000000, 256, NULL);
	driver_mem_map(&b.d.mem, 0x9000100, 256, NULL);
	good(0);
	put(1, 0x9000000, 512, W | N, 2);
}

static void sector_out(void)
{
	good(0);
	set_header(VIRTIO_BLK_T_IN, 1ULL << 40);
}

static void sector_wraps(void)
{
	good(0);
	set_header(VIRTIO_BLK_T_IN, UINT64_MAX);
}

static void good_table(void)
{
	tput(0, HDR, 16, N, 1);
	tput(1, DATA, 512, W | N, 2);
	tput(2, STATUS, 1, W, 0);
	put(0, TABLE, 48, I, 0);
}

static void table_writable(void)
{
	good_table();
	put(0, TABLE, 48, I | W, 0);
}

static void table_next(void)
{
	good_table();
	put(0, TABLE, 48, I | N, 1);
}

static void table_empty(void)
{
	good_table();
	put(0, TABLE, 0, I, 0);
}

static void table_odd(void)
{
	good_table();
	put(0, TABLE, 47, I, 0);
}

static void table_huge(void)
{
	good_table();
	put(0, TABLE, 0xfffffff0, I, 0);
}

static void table_over_limit(void)
{
	good_table();
	put(0, TABLE, 16 * 1025, I, 0);
}

/* Longer than the queue: Linux does so when seg_max allows it. */
static void table_longer_than_queue(void)
{
	unsigned i;

	tput(0, HDR, 16, N, 1);
	for (i = 1; i <= 32; i++)
		tput(i, DATA + i * 32, 16, W | N, i + 1);
	tput(i, STATUS, 1, W, 0);
	/* In a packed ring all of it counts. */
	put(0, TABLE, 16 * (packed ? 34 : 64), I, 0);
}

static void table_too_many_pieces(void)
{
	unsigned i;

	tput(0, HDR, 16, N, 1);
	for (i = 1; i <= 512; i++)
		tput(i, DATA + i * 32, 16, W | N, i + 1);
	tput(i, STATUS, 1, W, 0);
	put(0, TABLE, 16 * 1024, I, 0);
}

static void table_nested(void)
{
	good_table();
	tput(1, TABLE, 48, I, 0);
}

static void table_next_out(void)
{
	good_table();
	tput(1, DATA, 512, W | N, 3);
}

static void table_loop(void)
{
	good_table();
	tput(1, DATA, 512, W | N, 0);
}

static void table_unmapped(void)
{
	good_table();
	put(0, NOWHERE, 48, I, 0);
}

static void table_half_mapped(void)
{
	put(0, DRIVER_DATA + DRIVER_DATA_LEN - 16, 48, I, 0);
}

static void table_at_the_end(void)
{
	put(0, UINT64_MAX - 15, 48, I, 0);
}

/* Two mappings, and none of the entries in one piece. */
static void table_in_two(void)
{
	struct vring_desc t[3] = { entry(HDR, 16, N, 1),
				   entry(DATA, 512, W | N, 2),
				   entry(STATUS, 1, W, 0) };

	memcpy(driver_mem_map(&b.d.mem, 0x9000000, 25, NULL)->host, t, 25);
	memcpy(driver_mem_map(&b.d.mem, 0x9000019, 23, NULL)->host,
	       (char *)t + 25, 23);
	put(0, 0x9000000, 48, I, 0);
}

static void table_unaligned(void)
{
	struct vring_desc t[3] = { entry(HDR, 16, N, 1),
				   entry(DATA, 512, W | N, 2),
				   entry(STATUS, 1, W, 0) };

	memcpy(driver_blk_at(&b, TABLE + 3), t, sizeof(t));
	put(0, TABLE + 3, 48, I, 0);
}

static void mixed(void)
{
	tput(0, DATA, 512, W | N, 1);
	tput(1, STATUS, 1, W, 0);
	put(0, HDR, 16, N, 1);
	put(1, TABLE, 32, I, 0);
}

static void mixed_loop(void)
{
	mixed();
	put(1, HDR, 16, N, 0);
}

static void used_event_abuse(void)
{
	good(0);
	if (packed)
		*b.d.packed.driver =
			(struct vring_packed_desc_event){ 0xffff, 2 };
	else
		*(uint16_t *)&b.d.avail->ring[SIZE] = 0x8000;
}

/* Memory that is mapped but not there: an access raises SIGBUS. */
static void *missing(uint64_t iova)
{
	int fd = memfd_create("missing", MFD_CLOEXEC);
	void *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	close(fd);
	driver_mem_map(&b.d.mem, iova, 65536, p);
	return p;
}

static void header_missing(void)
{
	missing(NOWHERE);
	good(0);
	put(0, NOWHERE, 16, N, 1);
}

static void status_missing(void)
{
	missing(NOWHERE);
	good(0);
	put(2, NOWHERE, 1, W, 0);
}

static void table_missing(void)
{
	missing(NOWHERE);
	put(0, NOWHERE, 48, I, 0);
}

/* The data cannot be cleared, but there is room for the status. */
static void failed_data_missing(void)
{
	missing(NOWHERE);
	good(0);
	put(1, NOWHERE, 512, W | N, 2);
	set_header(VIRTIO_BLK_T_IN, 1ULL << 40);
}

static void id_missing(void)
{
	missing(NOWHERE);
	good(0);
	put(1, NOWHERE, 20, W | N, 2);
	set_header(VIRTIO_BLK_T_GET_ID, 0);
}

/* Packed rings alone. */
static void id_out(void)
{
	good(0);
	put(2, STATUS, 1, W, SIZE);
}

static void id_far_out(void)
{
	good(0);
	put(2, STATUS, 1, W, 65535);
}

static void id_in_between(void)
{
	good(0);
	put(0, HDR, 16, N, 65535);
	put(1, DATA, 512, W | N, SIZE);
}

/* A second chain, with the id of the first. */
static void id_twice(void)
{
	hold.hold = true;
	good(0);
	good(3);
}

static void chain_into_itself(void)
{
	hold.hold = true;
	good(0);
	all_from(3);
}

static void table_behind(void)
{
	good_table();
	put(0, HDR, 16, N, 0);
	put(1, TABLE, 48, I, 0);
}

/* Used and available at once mean used; what is left over counts nothing. */
static void odd_flags(void)
{
	good(0);
	put(0, HDR, 16, N | 0x7f78, 1);
	put(1, DATA, 512, W | N | 0x7f78 | 1U << 15, 2);
}

#define CASE(f, split, packed)        \
	{                             \
#f, f,                \
		{                     \
			split, packed \
		}                     \
	}
#define BOTH(f, r)   CASE(f, r, r)
#define SPLIT(f, r)  CASE(f, r, NONE)
#define PACKED(f, r) CASE(f, NONE, r)

static const struct {
	const char *name;
	void (*make)(void);
	int outcome[2]; /* split, packed */
} cases[] = {
	BOTH(is_fine, OK),
	SPLIT(self_loop, BROKEN),
	SPLIT(loop_of_two, BROKEN),
	BOTH(all_and_one, BROKEN),
	SPLIT(next_out, BROKEN),
	SPLIT(next_far_out, BROKEN),
	SPLIT(head_out, BROKEN),
	SPLIT(head_far_out, BROKEN),
	SPLIT(avail_jump, BROKEN),
	SPLIT(avail_back, BROKEN),
	SPLIT(head_twice, BROKEN),
	BOTH(write_first, IOERR),
	BOTH(read_in_between, IOERR),
	BOTH(no_writable, NO_STATUS),
	BOTH(status_of_no_length, NO_STATUS),
	BOTH(no_header, IOERR),
	BOTH(short_header, IOERR),
	BOTH(header_of_no_length, IOERR),
	BOTH(empty_pieces, OK),
	BOTH(nothing_but_empty, NO_STATUS),
	BOTH(sum_too_big, IOERR),
	BOTH(sum_wraps, IOERR),
	BOTH(sum_mapped, IOERR),
	BOTH(sum_wraps_mapped, IOERR),
	BOTH(header_unmapped, IOERR),
	BOTH(data_unmapped, IOERR),
	BOTH(data_half_mapped, IOERR),
	BOTH(data_readonly, IOERR),
	BOTH(data_at_the_end, IOERR),
	BOTH(data_wraps_to_mapped, IOERR),
	BOTH(data_ends_the_space, OK),
	BOTH(status_unmapped, NO_STATUS),
	BOTH(status_readonly, NO_STATUS),
	BOTH(two_maps, OK),
	BOTH(sector_out, IOERR),
	BOTH(sector_wraps, IOERR),
	BOTH(good_table, OK),
	BOTH(table_writable, OK),
	BOTH(table_next, BROKEN),
	BOTH(table_empty, BROKEN),
	BOTH(table_odd, BROKEN),
	BOTH(table_huge, BROKEN),
	BOTH(table_over_limit, BROKEN),
	BOTH(table_longer_than_queue, OK),
	BOTH(table_too_many_pieces, IOERR),
	BOTH(table_nested, BROKEN),
	CASE(table_next_out, BROKEN, OK),
	CASE(table_loop, BROKEN, OK),
	BOTH(table_unmapped, NO_STATUS),
	BOTH(table_half_mapped, NO_STATUS),
	BOTH(table_at_the_end, NO_STATUS),
	BOTH(table_in_two, OK),
	BOTH(table_unaligned, OK),
	CASE(mixed, OK, BROKEN),
	SPLIT(mixed_loop, BROKEN),
	BOTH(used_event_abuse, OK),
	BOTH(header_missing, IOERR),
	BOTH(status_missing, NO_STATUS),
	BOTH(table_missing, NO_STATUS),
	BOTH(failed_data_missing, IOERR),
	BOTH(id_missing, IOERR),
	PACKED(id_out, BROKEN),
	PACKED(id_far_out, BROKEN),
	PACKED(id_in_between, OK),
	PACKED(id_twice, BROKEN),
	PACKED(chain_into_itself, BROKEN),
	PACKED(table_behind, BROKEN),
	PACKED(odd_flags, OK),
};

#define NR_CASES ((int)(sizeof(cases) / sizeof(*cases)))

static void begin(uint64_t without)
{
	hold_init(&hold, 2048, 512);
	hold.fill = 0x5a;
	driver_blk_init_ring(&b, &hold.dev, SIZE, without, packed);
}

/* From a reset on, all is well again. */
static void check_recovers(void)
{
	driver_blk_stop(&b);
	driver_reset(&b.d);
	driver_blk_start(&b);
	ck_assert_uint_eq(b.stats.broken, 0);
	ck_assert_uint_eq(
		driver_blk_run(&b, VIRTIO_BLK_T_IN, 0, 512, true, NULL), OK);
}

static void check_answered(const char *name, int outcome)
{
	uint32_t len;

	b.d.busy[0] = true;
	b.d.packed.count[0] = 1;
	ck_assert_uint_eq(driver_blk_wait(&b, &len), 0);
	if (outcome == NO_STATUS)
		ck_assert_msg(!len, "%s: length %u", name, len);
	else
		ck_assert_msg(*driver_blk_at(&b, STATUS) == outcome,
			      "%s: status %u", name,
			      *driver_blk_at(&b, STATUS));
	ck_assert_uint_eq(b.stats.broken, 0);
}

static void show(void)
{
	if (!packed)
		driver_raw_avail(&b.d, 0);
}

static void kick(void)
{
	driver_publish(&b.d);
	eventfd_write(b.d.setup.kick_fd, 1);
}

/* Each with and without EVENT_IDX, in both formats. */
START_TEST(test_case)
{
	int at = _i % NR_CASES, outcome;

	packed = _i / NR_CASES / 2;
	outcome = cases[at].outcome[packed];
	if (outcome == NONE)
		return;
	begin(_i / NR_CASES % 2 ? 1ULL << VIRTIO_RING_F_EVENT_IDX : 0);
	memset(driver_blk_at(&b, DATA), 0xcc, 32768);
	*driver_blk_at(&b, STATUS) = UNTOUCHED;
	set_header(VIRTIO_BLK_T_IN, 0);
	show();
	cases[at].make();
	kick();
	if (outcome == BROKEN) {
		driver_blk_turns(&b, 5);
		ck_assert_msg(b.stats.broken, "%s", cases[at].name);
		ck_assert_str_ne(b.stats.reason, "");
		hold.hold = false;
		while (hold.nr_held)
			hold_end(&hold, 0, 0);
	} else {
		check_answered(cases[at].name, outcome);
	}
	check_recovers();
	driver_blk_free(&b);
}
END_TEST

/* Features that were not negotiated are not there. */
START_TEST(test_indirect_not_negotiated)
{
	packed = _i;
	begin(1ULL << VIRTIO_RING_F_INDIRECT_DESC);
	show();
	good_table();
	kick();
	driver_blk_turns(&b, 5);
	ck_assert(b.stats.broken);
	check_recovers();
	driver_blk_free(&b);
}
END_TEST

/* A head that the device still has; what it has is finished all the same. */
START_TEST(test_reused_in_flight)
{
	uint16_t head;

	packed = false;
	begin(0);
	hold.hold = true;
	set_header(VIRTIO_BLK_T_IN, 0);
	good(0);
	good(3);
	driver_raw_avail(&b.d, 0);
	driver_raw_avail(&b.d, 3);
	b.d.busy[0] = b.d.busy[3] = true;
	driver_kick(&b.d);
	driver_blk_turns(&b, 5);
	ck_assert_uint_eq(hold.nr_held, 2);
	ck_assert_uint_eq(b.stats.in_flight, 2);
	driver_raw_avail(&b.d, 3);
	driver_kick(&b.d);
	driver_blk_turns(&b, 5);
	ck_assert(b.stats.broken);
	/* Nothing more is taken. */
	good(6);
	driver_raw_avail(&b.d, 6);
	driver_kick(&b.d);
	driver_blk_turns(&b, 5);
	ck_assert_uint_eq(hold.nr_held, 2);
	hold_end(&hold, 1, 0);
	hold_end(&hold, 0, 0);
	ck_assert_uint_eq(driver_blk_wait(&b, NULL), 3);
	ck_assert_uint_eq(driver_blk_wait(&b, NULL), 0);
	ck_assert(!driver_collect(&b.d, &head, NULL));
	hold.hold = false;
	check_recovers();
	driver_blk_free(&b);
}
END_TEST

static void use_area(int area, void *p)
{
	void **at[2][3] = {
		{ (void **)&b.d.desc, (void **)&b.d.avail, (void **)&b.d.used },
		{ (void **)&b.d.packed.desc, (void **)&b.d.packed.driver,
		  (void **)&b.d.packed.device },
	};

	*at[packed][area] = p;
}

/*
 * An area of the ring goes away in mid-flight: descriptors, the driver's, the
 * device's.
 */
START_TEST(test_ring_goes_away)
{
	uint64_t *addr[] = { &b.d.setup.desc_addr, &b.d.setup.driver_addr,
			     &b.d.setup.device_addr };
	int fd = memfd_create("ring", MFD_CLOEXEC);
	static const int restart[2][3] = { { 0, -EFAULT, -EFAULT },
					   { -EFAULT, 0, -EFAULT } };
	static const uint64_t iova[] = { DRIVER_DESC, DRIVER_AVAIL,
					 DRIVER_USED };
	struct virtq_setup setup;
	void *p;
	int i;

	packed = _i / 3;
	_i %= 3;
	begin(0);
	setup = b.d.setup;
	driver_blk_stop(&b);
	driver_reset(&b.d);
	ck_assert_int_eq(ftruncate(fd, 4096), 0);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(p, MAP_FAILED);
	driver_mem_map(&b.d.mem, 0x9000000, 4096, p);
	*addr[_i] = 0x9000000;
	use_area(_i, p);
	hold.hold = true;
	driver_blk_start(&b);
	driver_blk_add(&b, VIRTIO_BLK_T_IN, 0, 512, true);
	driver_kick(&b.d);
	driver_blk_turns(&b, 5);
	ck_assert_uint_eq(hold.nr_held, 1);
	if (_i != 1) {
		driver_blk_add(&b, VIRTIO_BLK_T_IN, 0, 512, true);
		driver_publish(&b.d);
	}
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	hold_end(&hold, 0, 0);
	eventfd_write(b.d.setup.kick_fd, 1);
	driver_blk_turns(&b, 5);
	if (hold.nr_held) {
		hold_end(&hold, 0, 0);
		driver_blk_turns(&b, 5);
	}
	ck_assert(b.stats.broken);
	driver_blk_stop(&b);
	b.d.setup.state = setup.state;
	ck_assert_int_eq(vblk_queue_start(b.queue, &b.d.setup, NULL),
			 restart[packed][_i]);
	if (!restart[packed][_i])
		driver_blk_stop(&b);
	hold.hold = false;
	b.d.setup = setup;
	for (i = 0; i < 3; i++)
		use_area(i, driver_blk_at(&b, iova[i]));
	driver_reset(&b.d);
	driver_blk_start(&b);
	check_recovers();
	driver_blk_free(&b);
	munmap(p, 4096);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtq_hostile");
	TCase *tc = tcase_create("hostile");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_case, 0, 4 * NR_CASES);
	tcase_add_loop_test(tc, test_indirect_not_negotiated, 0, 2);
	tcase_add_test(tc, test_reused_in_flight);
	tcase_add_loop_test(tc, test_ring_goes_away, 0, 6);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
