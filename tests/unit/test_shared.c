/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* NAME.shm: what a worker leaves, which it could have written anything to. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/shared.h"
#include "daemon/volume.h"
#include "virtio/blk_dev.h"
#include "virtio/inflight.h"

#define QUEUES 3
#define SIZE   64

static int fd;

static void setup(void)
{
	struct shared s;

	fd = memfd_create("t", MFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(fd, (off_t)shared_size(QUEUES, SIZE)), 0);
	ck_assert_int_eq(shared_create(fd, QUEUES, SIZE, &s), 0);
	shared_unmap(&s);
}

static void teardown(void)
{
	close(fd);
}

START_TEST(test_layout)
{
	size_t log = inflight_size(SIZE);
	struct shared s;
	char *first;
	unsigned i;

	ck_assert_int_eq(shared_open(fd, &s), 0);
	ck_assert_uint_eq(s.nr_queues, QUEUES);
	ck_assert_uint_eq(s.queue_size, SIZE);
	ck_assert_uint_eq(s.head->status, 0);
	first = shared_inflight(&s, 0);
	ck_assert(first >= (char *)&s.stats[QUEUES]);
	ck_assert_uint_eq((uintptr_t)first % 64, 0);
	for (i = 0; i < QUEUES; i++)
		ck_assert_ptr_eq(shared_inflight(&s, i), first + i * log);
	ck_assert_ptr_eq(first + QUEUES * log, (char *)s.map + s.len);
	/* All of it may be touched. */
	memset(s.stats, 1, QUEUES * sizeof(*s.stats));
	memset(first, 1, QUEUES * log);
	shared_unmap(&s);
	shared_unmap(&s);
}
END_TEST

START_TEST(test_two_views)
{
	struct shared a, b;

	ck_assert_int_eq(shared_open(fd, &a), 0);
	ck_assert_int_eq(shared_open(fd, &b), 0);
	a.head->status = 0xf;
	*(char *)shared_inflight(&a, 2) = 'x';
	ck_assert_uint_eq(b.head->status, 0xf);
	ck_assert_int_eq(*(char *)shared_inflight(&b, 2), 'x');
	shared_unmap(&a);
	shared_unmap(&b);
}
END_TEST

static const struct {
	uint64_t magic; /* 0: the right one */
	uint32_t nr_queues, queue_size;
} heads[] = {
	{ 1, QUEUES, SIZE },
	{ 0, 0, SIZE },
	{ 0, QUEUES, 0 },
	{ 0, QUEUES + 1, SIZE },
	{ 0, QUEUES, SIZE * 2 },
	{ 0, VOLUME_MAX_QUEUES + 1, 1 },
	{ 0, 1, VBLK_MAX_QUEUE_SIZE + 1 },
	{ 0, UINT32_MAX, UINT32_MAX },
	{ 0, UINT32_MAX, 1 },
	{ 0, 1, UINT32_MAX },
	{ 0, 1U << 31, 1U << 31 },
};

START_TEST(test_head_is_checked)
{
	struct shared s = { NULL };
	struct shared_head head;

	ck_assert_int_eq(pread(fd, &head, sizeof(head), 0), sizeof(head));
	if (heads[_i].magic)
		head.magic = heads[_i].magic;
	head.nr_queues = heads[_i].nr_queues;
	head.queue_size = heads[_i].queue_size;
	ck_assert_int_eq(pwrite(fd, &head, sizeof(head), 0), sizeof(head));
	ck_assert_int_eq(shared_open(fd, &s), -EINVAL);
	ck_assert_ptr_null(s.map);
}
END_TEST

START_TEST(test_length_is_checked)
{
	off_t len = (off_t)shared_size(QUEUES, SIZE);
	off_t lens[] = { 0, 1, sizeof(struct shared_head) - 1,
			 sizeof(struct shared_head), len - 1 };
	struct shared s = { NULL };
	size_t i;

	for (i = sizeof(lens) / sizeof(lens[0]); i--;) {
		ck_assert_int_eq(ftruncate(fd, lens[i]), 0);
		ck_assert_int_eq(shared_open(fd, &s), -EINVAL);
		ck_assert_ptr_null(s.map);
	}
}
END_TEST

START_TEST(test_longer_is_fine)
{
	struct shared s;

	ck_assert_int_eq(ftruncate(fd, (off_t)shared_size(QUEUES, SIZE) + 4096),
			 0);
	ck_assert_int_eq(shared_open(fd, &s), 0);
	shared_unmap(&s);
}
END_TEST

/* A worker that changes the head later does not move the others' logs. */
START_TEST(test_changed_after_it_was_opened)
{
	struct shared s;
	char *last;

	ck_assert_int_eq(shared_open(fd, &s), 0);
	last = shared_inflight(&s, QUEUES - 1);
	s.head->queue_size = UINT32_MAX;
	s.head->nr_queues = UINT32_MAX;
	ck_assert_ptr_eq(shared_inflight(&s, QUEUES - 1), last);
	shared_unmap(&s);
}
END_TEST

START_TEST(test_no_file)
{
	struct shared s = { NULL };

	ck_assert_int_eq(shared_open(-1, &s), -EBADF);
	ck_assert_int_eq(shared_create(-1, QUEUES, SIZE, &s), -EBADF);
	ck_assert_ptr_null(s.map);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("shared");
	TCase *tc = tcase_create("shared");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_layout);
	tcase_add_test(tc, test_two_views);
	tcase_add_loop_test(tc, test_head_is_checked, 0,
			    sizeof(heads) / sizeof(heads[0]));
	tcase_add_test(tc, test_length_is_checked);
	tcase_add_test(tc, test_longer_is_fine);
	tcase_add_test(tc, test_changed_after_it_was_opened);
	tcase_add_test(tc, test_no_file);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
