/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* What hostile drivers have in common: see hostile.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/hostile.h"

#define UNTOUCHED 0xee

struct hostile hostile;

#define VARIANTS  8 /* format, EVENT_IDX, direct or in a table */
#define MAX_CASES 64

/* The variants that there are, of all cases. */
static struct {
	const struct hostile_case *c;
	bool packed, no_event, in_table;
} todo[MAX_CASES * VARIANTS];

void h_put(unsigned i, uint64_t addr, uint32_t len, unsigned flags,
	   unsigned next)
{
	if (hostile.in_table) {
		h_tput(i, addr, len, flags, next);
		if (i >= hostile.nr_table)
			hostile.nr_table = i + 1;
		return;
	}
	if (hostile.packed)
		driver_packed_raw(&hostile.b.d, i, addr, len, (uint16_t)flags,
				  (uint16_t)next);
	else
		driver_raw_desc(&hostile.b.d, i, addr, len, (uint16_t)flags,
				(uint16_t)next);
}

/* The last two are the other way round in a packed ring. */
struct vring_desc h_entry(uint64_t addr, uint32_t len, unsigned flags,
			  unsigned next)
{
	return (struct vring_desc){ addr, len,
				    (uint16_t)(hostile.packed ? next : flags),
				    (uint16_t)(hostile.packed ? flags : next) };
}

void h_tput(unsigned i, uint64_t addr, uint32_t len, unsigned flags,
	    unsigned next)
{
	struct vring_desc *t = (void *)driver_blk_at(&hostile.b, TABLE);

	t[i] = h_entry(addr, len, flags, next);
}

void h_header(uint32_t type, uint64_t sector)
{
	struct virtio_blk_outhdr h = { .type = type, .sector = sector };

	memcpy(driver_blk_at(&hostile.b, HDR), &h, sizeof(h));
}

void h_good(unsigned i)
{
	h_put(i, HDR, 16, N, i + 1);
	h_put(i + 1, DATA, 512, W | N, i + 2);
	h_put(i + 2, STATUS, 1, W, 0);
}

void *h_huge(void)
{
	void *p = mmap(NULL, 1ULL << 32, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	driver_mem_map(&hostile.b.d.mem, NOWHERE, 1ULL << 32, p);
	return p;
}

void *h_missing(uint64_t iova)
{
	int fd = memfd_create("missing", MFD_CLOEXEC);
	void *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	close(fd);
	driver_mem_map(&hostile.b.d.mem, iova, 65536, p);
	return p;
}

void h_good_table(void)
{
	h_tput(0, HDR, 16, N, 1);
	h_tput(1, DATA, 512, W | N, 2);
	h_tput(2, STATUS, 1, W, 0);
	h_put(0, TABLE, 48, I, 0);
}

void hostile_begin(bool packed, uint64_t without)
{
	hostile.packed = packed;
	hostile.in_table = false;
	hostile.nr_table = 0;
	hold_init(&hostile.hold, 2048, 512);
	hostile.hold.fill = 0x5a;
	driver_blk_init_ring(&hostile.b, &hostile.hold.dev, H_SIZE, without,
			     packed);
	memset(driver_blk_at(&hostile.b, DATA), 0xcc, 32768);
	*driver_blk_at(&hostile.b, STATUS) = UNTOUCHED;
	h_header(VIRTIO_BLK_T_IN, 0);
}

void hostile_end(void)
{
	driver_blk_free(&hostile.b);
}

void hostile_recovers(void)
{
	hostile.hold.hold = false;
	driver_blk_stop(&hostile.b);
	driver_reset(&hostile.b.d);
	driver_blk_start(&hostile.b);
	ck_assert_uint_eq(hostile.b.stats.broken, 0);
	ck_assert_uint_eq(driver_blk_run(&hostile.b, VIRTIO_BLK_T_IN, 0, 512,
					 true, NULL),
			  OK);
}

void hostile_answered(const char *name, int outcome)
{
	struct driver_blk *b = &hostile.b;
	uint8_t status;
	uint32_t len;

	b->d.busy[0] = true;
	b->d.packed.count[0] = 1;
	ck_assert_uint_eq(driver_blk_wait(b, &len), 0);
	status = *driver_blk_at(b, STATUS);
	if (outcome == NO_STATUS)
		ck_assert_msg(!len && status == UNTOUCHED,
			      "%s: length %u, status %u", name, len, status);
	else
		ck_assert_msg(status == outcome, "%s: status %u", name, status);
	ck_assert_uint_eq(b->stats.broken, 0);
}

void hostile_show(void)
{
	if (!hostile.packed)
		driver_raw_avail(&hostile.b.d, 0);
}

void hostile_kick(void)
{
	driver_publish(&hostile.b.d);
	eventfd_write(hostile.b.d.setup.kick_fd, 1);
}

static void make(const struct hostile_case *c, bool in_table)
{
	hostile_show();
	hostile.in_table = in_table;
	c->make();
	hostile.in_table = false;
	if (in_table)
		h_put(0, TABLE, 16 * hostile.nr_table, I, 0);
}

START_TEST(test_case)
{
	const struct hostile_case *c = todo[_i].c;
	int outcome = c->outcome[todo[_i].packed];

	hostile_begin(todo[_i].packed,
		      todo[_i].no_event ? 1ULL << VIRTIO_RING_F_EVENT_IDX : 0);
	make(c, todo[_i].in_table);
	hostile_kick();
	if (outcome == BROKEN) {
		driver_blk_turns(&hostile.b, 5);
		ck_assert_msg(hostile.b.stats.broken, "%s", c->name);
		ck_assert_str_ne(hostile.b.stats.reason, "");
		while (hostile.hold.nr_held)
			hold_end(&hostile.hold, 0, 0);
	} else {
		hostile_answered(c->name, outcome);
	}
	hostile_recovers();
	hostile_end();
}
END_TEST

static int list_variants(const struct hostile_case *c, int nr)
{
	int v;

	for (v = 0; v < VARIANTS; v++) {
		if (c->outcome[v & 1] == NONE || (v & 4 && !c->chain))
			continue;
		todo[nr].c = c;
		todo[nr].packed = v & 1;
		todo[nr].no_event = v & 2;
		todo[nr++].in_table = v & 4;
	}
	return nr;
}

int hostile_main(const char *name, const struct hostile_case *cases,
		 unsigned nr, TCase *more)
{
	Suite *s = suite_create(name);
	TCase *tc = more ? more : tcase_create(name);
	SRunner *sr = srunner_create(s);
	int failed, nr_todo = 0;
	unsigned i;

	for (i = 0; i < nr && i < MAX_CASES; i++)
		nr_todo = list_variants(&cases[i], nr_todo);
	if (i < nr)
		return EXIT_FAILURE;
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_case, 0, nr_todo);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
