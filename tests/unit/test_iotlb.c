/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The IOTLB: regions asked, checked, mapped and dropped. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <linux/vduse.h>

#include "vduse/iotlb.h"

#define FILE_LEN (64 * 1024)

/* Regions of one file, each of whose bytes is its number of 4 KiB page. */
struct space {
	int fd;
	const struct vduse_iotlb_entry *entries;
	unsigned nr, asked, opened;
	bool liar; /* answers with entry 0, whatever was asked */
};

static struct iotlb tlb;
static struct space space;

static int ask(void *arg, struct vduse_iotlb_entry *entry)
{
	struct space *s = arg;
	unsigned i;

	s->asked++;
	ck_assert_uint_eq(entry->start, entry->last);
	for (i = 0; i < s->nr; i++) {
		const struct vduse_iotlb_entry *e = &s->entries[i];

		if (!s->liar &&
		    (entry->start < e->start || entry->start > e->last))
			continue;
		*entry = *e;
		s->opened++;
		return fcntl(s->fd, F_DUPFD_CLOEXEC, 3);
	}
	return -EINVAL;
}

static void setup(void)
{
	unsigned char page[4096];
	int i, j;

	space = (struct space){ .fd = memfd_create("t", MFD_CLOEXEC) };
	for (i = 0; i < FILE_LEN / 4096; i++) {
		for (j = 0; j < 4096; j++)
			page[j] = (unsigned char)i;
		ck_assert_int_eq(write(space.fd, page, 4096), 4096);
	}
	iotlb_init(&tlb, ask, &space);
}

static int count_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void teardown(void)
{
	iotlb_drop(&tlb, 0, UINT64_MAX);
	ck_assert_uint_eq(tlb.nr, 0);
	close(space.fd);
}

#define SET(table) \
	(space.entries = (table), space.nr = sizeof(table) / sizeof((table)[0]))

#define RO VDUSE_ACCESS_RO
#define WO VDUSE_ACCESS_WO
#define RW VDUSE_ACCESS_RW

static const struct vduse_iotlb_entry three[] = {
	{ .offset = 0, .start = 0x10000, .last = 0x11fff, .perm = RW },
	{ .offset = 0x4000, .start = 0x12000, .last = 0x12803, .perm = RW },
	{ .offset = 0x8000, .start = 0x40000, .last = 0x43fff, .perm = RW },
};

/* What is asked for, and what comes of it; page -1: it is not mapped. */
static const struct {
	uint64_t iova, len, got;
	int page;
} lookups[] = {
	{ 0x10000, 1, 1, 0 },
	{ 0x10000, 0x2000, 0x2000, 0 },
	{ 0x11fff, 1, 1, 1 },
	/* Over the border of two regions: piece by piece. */
	{ 0x11fff, 2, 1, 1 },
	{ 0x11000, 0x10000, 0x1000, 1 },
	{ 0x12000, 0x10000, 0x804, 4 },
	{ 0x12803, 0x10000, 1, 4 },
	/* A length that reaches beyond the end of the address space. */
	{ 0x42000, UINT64_MAX, 0x2000, 10 },
	{ 0x43fff, UINT64_MAX, 1, 11 },
	/* Gaps. */
	{ 0xffff, 2, 0, -1 },
	{ 0x12804, 1, 0, -1 },
	{ 0x44000, 1, 0, -1 },
	{ 0, UINT64_MAX, 0, -1 },
	{ UINT64_MAX, 1, 0, -1 },
};

START_TEST(test_lookup)
{
	uint64_t len = lookups[_i].len;
	unsigned char *p;
	int i;

	SET(three);
	/* From the kernel, then from the table. */
	for (i = 0; i < 2; i++) {
		len = lookups[_i].len;
		p = iotlb_translate(&tlb, lookups[_i].iova, &len, i);
		if (lookups[_i].page < 0) {
			ck_assert_ptr_null(p);
			continue;
		}
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq(len, lookups[_i].got);
		ck_assert_int_eq(p[0], lookups[_i].page);
		ck_assert_int_eq(p[len - 1],
				 lookups[_i].page + (int)((len - 1) / 4096));
		ck_assert_uint_eq(space.asked, 1);
	}
}
END_TEST

START_TEST(test_many_regions)
{
	uint64_t len;
	int i;

	SET(three);
	for (i = 0; i < 12; i++) {
		const struct vduse_iotlb_entry *e = &three[i % 3];
		unsigned char *p;

		len = 1;
		p = iotlb_translate(&tlb, e->start + (i & 1), &len, false);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq(p[0], e->offset / 4096);
	}
	ck_assert_uint_eq(space.asked, 3);
	ck_assert_uint_eq(tlb.nr, 3);
}
END_TEST

static const struct {
	uint8_t perm;
	bool write, allowed;
} perms[] = {
	{ RO, false, true }, { RO, true, false }, { WO, false, false },
	{ WO, true, true },  { RW, false, true }, { RW, true, true },
	{ 0, false, false }, { 0, true, false },
};

START_TEST(test_permission)
{
	const struct vduse_iotlb_entry one[] = {
		{ .last = 0xfff, .perm = perms[_i].perm },
	};
	uint64_t len = 1;
	char *p;

	SET(one);
	p = iotlb_translate(&tlb, 5, &len, perms[_i].write);
	ck_assert_int_eq(p != NULL, perms[_i].allowed);
	if (p && perms[_i].write)
		*p = 1;
}
END_TEST

START_TEST(test_offset_within_a_page)
{
	static const struct vduse_iotlb_entry one[] = {
		{ .offset = 0x2ffe,
		  .start = 0x1001,
		  .last = 0x1006,
		  .perm = RW },
	};
	static const unsigned char expect[] = { 2, 2, 3, 3, 3, 3 };
	uint64_t len = 100;
	unsigned char *p;

	SET(one);
	p = iotlb_translate(&tlb, 0x1001, &len, false);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(len, 6);
	ck_assert_mem_eq(p, expect, 6);
}
END_TEST

/* At both ends of the address space; what lies in between does not exist. */
START_TEST(test_ends_of_the_space)
{
	static const struct vduse_iotlb_entry two[] = {
		{ .start = UINT64_MAX - 0xfff, .last = UINT64_MAX, .perm = RW },
		{ .offset = 0x1000, .start = 0, .last = 0xfff, .perm = RW },
	};
	uint64_t len = UINT64_MAX;
	unsigned char *p;

	SET(two);
	p = iotlb_translate(&tlb, UINT64_MAX - 1, &len, false);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(len, 2);
	ck_assert_int_eq(p[1], 0);
	len = UINT64_MAX;
	p = iotlb_translate(&tlb, 0, &len, false);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(len, 0x1000);
	ck_assert_int_eq(p[0], 1);
	iotlb_drop(&tlb, UINT64_MAX, UINT64_MAX);
	ck_assert_uint_eq(tlb.nr, 1);
	iotlb_drop(&tlb, 0, 0);
	ck_assert_uint_eq(tlb.nr, 0);
}
END_TEST

/* Answers that are of no use for address 0x5000. */
static const struct vduse_iotlb_entry lies[] = {
	/* The region that comes next. */
	{ .start = 0x5001, .last = 0x5fff, .perm = RW },
	{ .start = 0x4000, .last = 0x4fff, .perm = RW },
	/* It ends before it starts. */
	{ .start = 0x5000, .last = 0x4fff, .perm = RW },
	{ .start = 0x6000, .last = 0x4000, .perm = RW },
	/* More than can be mapped. */
	{ .start = 0, .last = UINT64_MAX, .perm = RW },
	{ .offset = 0xfff, .start = 0, .last = UINT64_MAX - 1, .perm = RW },
	{ .offset = 0xfff,
	  .start = 1,
	  .last = UINT64_MAX - 0x1000,
	  .perm = RW },
	{ .start = 0, .last = 1ULL << 62, .perm = RW },
	{ .offset = UINT64_MAX, .start = 0x5000, .last = 0x5fff, .perm = RW },
	{ .offset = 1ULL << 63, .start = 0x5000, .last = 0x5fff, .perm = RW },
};

START_TEST(test_answer_is_checked)
{
	int fds = count_fds();
	uint64_t len = 1;

	space.entries = &lies[_i];
	space.nr = 1;
	space.liar = true;
	ck_assert_ptr_null(iotlb_translate(&tlb, 0x5000, &len, false));
	ck_assert_uint_eq(space.opened, 1);
	ck_assert_uint_eq(tlb.nr, 0);
	ck_assert_int_eq(count_fds(), fds);
}
END_TEST

START_TEST(test_no_descriptor_is_kept)
{
	int fds = count_fds();
	uint64_t len = 1;

	SET(three);
	ck_assert_ptr_nonnull(iotlb_translate(&tlb, 0x10000, &len, false));
	ck_assert_int_eq(count_fds(), fds);
}
END_TEST

#define MANY 2048 /* as many as the kernel has at the most */

static struct vduse_iotlb_entry many[MANY + 1];

static void make_many(void)
{
	unsigned i;

	for (i = 0; i <= MANY; i++)
		many[i] = (struct vduse_iotlb_entry){
			.offset = i % 16 * 0x1000ULL,
			.start = i * 0x2000ULL,
			.last = i * 0x2000ULL + 0xfff,
			.perm = RW,
		};
	SET(many);
}

/* In no order, and what was found first stays where it is. */
START_TEST(test_table_grows)
{
	static unsigned char *first[MANY];
	uint64_t len = 1;
	unsigned char *p;
	unsigned i, k;

	make_many();
	for (i = 0; i < 2 * MANY; i++) {
		k = i * 1237 % MANY;
		p = iotlb_translate(&tlb, many[k].start + 0xfff, &len, i & 1);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq(*p, k % 16);
		if (i < MANY)
			first[k] = p;
		ck_assert_ptr_eq(p, first[k]);
		ck_assert_ptr_null(iotlb_translate(&tlb, many[k].start + 0x1000,
						   &len, false));
	}
	ck_assert_uint_eq(space.opened, MANY);
	ck_assert_uint_eq(tlb.nr, MANY);
	for (i = 1; i < MANY; i++)
		ck_assert_uint_lt(tlb.regions[i - 1].last,
				  tlb.regions[i].start);
	/* From the middle, and all. */
	iotlb_drop(&tlb, 0x3000, MANY * 0x2000ULL - 0x2001);
	ck_assert_uint_eq(tlb.nr, 3);
	ck_assert_uint_eq(tlb.regions[2].start, (MANY - 1) * 0x2000ULL);
	iotlb_drop(&tlb, 0, UINT64_MAX);
	ck_assert_ptr_null(tlb.regions);
	ck_assert_ptr_nonnull(iotlb_translate(&tlb, 0, &len, false));
}
END_TEST

/* The driver's memory changes, and the news of it have not come yet. */
START_TEST(test_answer_overlaps)
{
	static const struct vduse_iotlb_entry old[] = {
		{ .offset = 0x1000, .start = 0x4000, .last = 0x4fff, RW },
		{ .offset = 0x2000, .start = 0x8000, .last = 0x8fff, RW },
	};
	static const struct vduse_iotlb_entry all[] = {
		{ .offset = 0x3000, .start = 0x3000, .last = 0xafff, RW },
	};
	/* The pages from 0x3000 on; the old ones stay until they are told. */
	static const int expect[] = { 3, 1, 5, 6, 7, 2, 9, 10 };
	uint64_t len = 1;
	unsigned char *p;
	int i;

	SET(old);
	iotlb_translate(&tlb, 0x4000, &len, true);
	iotlb_translate(&tlb, 0x8000, &len, true);
	SET(all);
	for (i = 0; i < 16; i++) {
		/* From both ends. */
		int page = i & 1 ? 7 - i / 2 : i / 2;

		len = 0x10000;
		p = iotlb_translate(&tlb, 0x3000 + page * 0x1000ULL + 5, &len,
				    true);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq(*p, expect[page]);
		ck_assert_uint_eq(p[len - 1] - *p, (len - 1 + 5) / 0x1000);
	}
	ck_assert_uint_eq(tlb.nr, 5);
	iotlb_drop(&tlb, 0, UINT64_MAX);
	len = UINT64_MAX;
	ck_assert_ptr_nonnull(iotlb_translate(&tlb, 0x3000, &len, true));
	ck_assert_uint_eq(len, 0x8000);
}
END_TEST

/* The sanitizers' allocators end the process when there is no memory. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static void *translate_without_memory(uint64_t iova)
{
	const struct rlimit none = { 0, RLIM_INFINITY };
	struct rlimit old;
	uint64_t len = 1;
	void *p;

	ck_assert_int_eq(getrlimit(RLIMIT_AS, &old), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
	p = iotlb_translate(&tlb, iova, &len, false);
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &old), 0);
	return p;
}

START_TEST(test_no_memory_for_mapping)
{
	int fds = count_fds();
	uint64_t len = 1;

	SET(three);
	ck_assert_ptr_null(translate_without_memory(0x10000));
	ck_assert_uint_eq(space.opened, 1);
	ck_assert_int_eq(count_fds(), fds);
	ck_assert_uint_eq(tlb.nr, 0);
	ck_assert_ptr_nonnull(iotlb_translate(&tlb, 0x10000, &len, false));
}
END_TEST

START_TEST(test_no_memory_for_table)
{
	uint64_t len = 1;
	unsigned i;

	make_many();
	for (i = 0; i < MANY; i++)
		iotlb_translate(&tlb, many[i].start, &len, false);
	ck_assert_uint_eq(tlb.nr, tlb.room);
	ck_assert_ptr_null(translate_without_memory(many[MANY].start));
	ck_assert_uint_eq(space.opened, MANY);
	ck_assert_ptr_nonnull(
		iotlb_translate(&tlb, many[5].start, &len, false));
	ck_assert_ptr_nonnull(
		iotlb_translate(&tlb, many[MANY].start, &len, false));
}
END_TEST
#endif

/* What is left of three regions after a drop. */
static const struct {
	uint64_t start, last;
	bool left[3];
} drops[] = {
	{ 0, UINT64_MAX, { false, false, false } },
	{ 0, 0xffff, { true, true, true } },
	{ 0, 0x10000, { false, true, true } },
	{ 0x11fff, 0x12000, { false, false, true } },
	{ 0x12001, 0x12001, { true, false, true } },
	{ 0x12804, 0x3ffff, { true, true, true } },
	{ 0x43fff, UINT64_MAX, { true, true, false } },
	{ 0x44000, UINT64_MAX, { true, true, true } },
};

START_TEST(test_drop)
{
	uint64_t len = 1;
	unsigned i, asked;

	SET(three);
	for (i = 0; i < 3; i++)
		iotlb_translate(&tlb, three[i].start, &len, false);
	iotlb_drop(&tlb, drops[_i].start, drops[_i].last);
	for (i = 0; i < 3; i++) {
		asked = space.asked;
		ck_assert_ptr_nonnull(
			iotlb_translate(&tlb, three[i].start, &len, false));
		ck_assert_int_eq(space.asked == asked, drops[_i].left[i]);
	}
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

#define HUGE (2U << 20)

/*
 * A file of huge pages: regions that begin within one, and do not fill one,
 * are mapped, found and taken away again.
 */
START_TEST(test_huge_pages)
{
	static const struct vduse_iotlb_entry entries[] = {
		{ .start = 0, .last = 0x9ffff, .perm = VDUSE_ACCESS_RW },
		{ .start = 0x100000,
		  .last = 0x100000 + HUGE - 1,
		  .offset = 0xc0000,
		  .perm = VDUSE_ACCESS_RW },
	};
	uint64_t len = 1;
	char *p, *q;

	close(space.fd);
	space.fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);
	ck_assert_int_ge(space.fd, 0);
	ck_assert_int_eq(ftruncate(space.fd, 2 * HUGE), 0);
	p = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, space.fd,
		 0);
	ck_assert_ptr_ne(p, MAP_FAILED);
	p[0x1000] = 'a';
	p[0xc0000 + HUGE - 1] = 'b';
	SET(entries);
	q = iotlb_translate(&tlb, 0x1000, &len, false);
	ck_assert_ptr_nonnull(q);
	ck_assert_int_eq(*q, 'a');
	q = iotlb_translate(&tlb, 0x100000 + HUGE - 1, &len, true);
	ck_assert_ptr_nonnull(q);
	ck_assert_int_eq(*q, 'b');
	iotlb_drop(&tlb, 0, UINT64_MAX);
	/* mincore tells whether the address is mapped at all. */
	ck_assert_int_eq(mincore((void *)((uintptr_t)q & ~4095UL), 4096,
				 (unsigned char[1]){ 0 }),
			 -1);
	ck_assert_int_eq(errno, ENOMEM);
	munmap(p, 2 * HUGE);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("iotlb");
	TCase *tc = tcase_create("iotlb");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_lookup, 0, COUNT(lookups));
	tcase_add_test(tc, test_many_regions);
	tcase_add_loop_test(tc, test_permission, 0, COUNT(perms));
	tcase_add_test(tc, test_offset_within_a_page);
	tcase_add_test(tc, test_ends_of_the_space);
	tcase_add_loop_test(tc, test_answer_is_checked, 0, COUNT(lies));
	tcase_add_test(tc, test_no_descriptor_is_kept);
	tcase_add_test(tc, test_table_grows);
	tcase_add_test(tc, test_answer_overlaps);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	tcase_add_test(tc, test_no_memory_for_mapping);
	tcase_add_test(tc, test_no_memory_for_table);
#endif
	tcase_add_loop_test(tc, test_drop, 0, COUNT(drops));
	suite_add_tcase(s, tc);
	/* Where there are such pages: see tests/vm/test_vhost_vdpa.sh. */
	if (getenv("HUGE_PAGES")) {
		tc = tcase_create("huge pages");
		tcase_add_checked_fixture(tc, setup, teardown);
		tcase_add_test(tc, test_huge_pages);
		suite_add_tcase(s, tc);
	}
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
