/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The loop: completions, deferred tasks, registered memory, restrictions. */
#include <check.h>
#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/loop.h"
#include "lib/loop_poll.h"

struct probe {
	struct loop_op op;
	struct loop_task task;
	struct loop *loop;
	int res, calls, runs;
};

static void probe_done(struct loop_op *op, int res)
{
	struct probe *p = (struct probe *)op;

	p->res = res;
	p->calls++;
	loop_defer(p->loop, &p->task);
	loop_defer(p->loop, &p->task);
}

static void probe_run(struct loop_task *task)
{
	struct probe *p =
		(struct probe *)((char *)task - offsetof(struct probe, task));

	p->runs++;
	loop_stop(p->loop);
}

static struct probe make_probe(struct loop *loop)
{
	return (struct probe){ .op.done = probe_done,
			       .task.run = probe_run,
			       .loop = loop };
}

START_TEST(test_read_wakes_the_loop)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct io_uring_sqe *sqe;
	struct loop *loop;
	struct probe p;
	uint64_t v;
	int i;

	ck_assert_int_eq(loop_new(8, &loop), 0);
	i = loop_add_file(loop, fd);
	ck_assert_int_eq(i, 0);
	ck_assert_int_eq(loop_add_file(loop, fd), 0);
	ck_assert_int_eq(loop_seal(loop), 0);
	p = make_probe(loop);
	sqe = loop_sqe(loop, &p.op);
	io_uring_prep_read(sqe, i, &v, sizeof(v), 0);
	sqe->flags |= IOSQE_FIXED_FILE;
	ck_assert_int_eq(loop_turn(loop, false), 0);
	ck_assert_int_eq(p.calls, 0);
	eventfd_write(fd, 3);
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_int_eq(p.res, 8);
	ck_assert_uint_eq(v, 3);
	ck_assert_int_eq(p.calls, 1);
	ck_assert_int_eq(p.runs, 1);
	loop_free(loop);
	close(fd);
}
END_TEST

START_TEST(test_more_than_fits)
{
	enum {
		N = 100
	};
	struct probe p[N];
	struct loop *loop;
	int i, calls = 0;

	ck_assert_int_eq(loop_new(4, &loop), 0);
	ck_assert_int_eq(loop_seal(loop), 0);
	for (i = 0; i < N; i++) {
		p[i] = make_probe(loop);
		io_uring_prep_fsync(loop_sqe(loop, &p[i].op), -1, 0);
	}
	for (i = 0; i < N; i++) {
		ck_assert_int_eq(loop_turn(loop, calls < N), 0);
		for (calls = 0; calls < N && p[calls].calls; calls++)
			ck_assert_int_eq(p[calls].res, -EBADF);
		if (calls == N)
			break;
	}
	ck_assert_int_eq(calls, N);
	loop_free(loop);
}
END_TEST

/* What has ended is not lost, but has its end in the next turn. */
START_TEST(test_batch)
{
	enum {
		N = 2 * LOOP_BATCH + 1
	};
	int fd = eventfd(N, EFD_CLOEXEC | EFD_SEMAPHORE);
	uint64_t v[N];
	struct probe p[N];
	struct loop *loop;
	int i, calls, turn;

	ck_assert_int_eq(loop_new(N, &loop), 0);
	ck_assert_int_eq(loop_seal(loop), 0);
	for (i = 0; i < N; i++) {
		p[i] = make_probe(loop);
		io_uring_prep_read(loop_sqe(loop, &p[i].op), fd, &v[i],
				   sizeof(v[i]), 0);
	}
	for (turn = 1; turn <= 3; turn++) {
		ck_assert_int_eq(loop_turn(loop, true), 0);
		for (calls = i = 0; i < N; i++)
			calls += p[i].calls;
		ck_assert_int_eq(calls, turn < 3 ? turn * LOOP_BATCH : N);
	}
	loop_free(loop);
	close(fd);
}
END_TEST

START_TEST(test_sealed_ring_opens_nothing)
{
	struct loop *loop;
	struct probe p;

	ck_assert_int_eq(loop_new(4, &loop), 0);
	ck_assert_int_eq(loop_seal(loop), 0);
	p = make_probe(loop);
	io_uring_prep_openat(loop_sqe(loop, &p.op), -1, "/", O_RDONLY, 0);
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_int_eq(p.res, -EACCES);
	loop_free(loop);
}
END_TEST

/* One piece, found as a whole, until it goes. */
START_TEST(test_registered_memory)
{
	enum {
		LEN = 8192
	};
	struct loop *loop;
	char *mem;

	ck_assert_int_eq(posix_memalign((void **)&mem, 4096, 2 * LEN), 0);
	ck_assert_int_eq(loop_new(4, &loop), 0);
	ck_assert(!loop_has_memory(loop));
	ck_assert(!loop_memory_holds(loop, mem, 1));
	ck_assert_int_eq(loop_add_memory(loop, mem, LEN), 0);
	ck_assert(loop_has_memory(loop));
	ck_assert(loop_memory_holds(loop, mem, LEN));
	ck_assert(loop_memory_holds(loop, mem + LEN - 1, 1));
	ck_assert(!loop_memory_holds(loop, mem + 1, LEN));
	ck_assert(!loop_memory_holds(loop, mem - 1, 1));
	ck_assert(!loop_memory_holds(loop, mem + LEN, 0));
	ck_assert_int_eq(loop_add_memory(loop, mem + LEN, LEN), -EBUSY);
	ck_assert(!loop_memory_holds(loop, mem + LEN, 1));
	loop_forget_memory(loop, mem + LEN);
	ck_assert(loop_memory_holds(loop, mem, LEN));
	loop_forget_memory(loop, mem);
	ck_assert(!loop_has_memory(loop));
	ck_assert(!loop_memory_holds(loop, mem, 1));
	ck_assert_int_eq(loop_add_memory(loop, mem, LEN), -EBUSY);
	ck_assert(!loop_has_memory(loop));
	ck_assert_int_eq(loop_seal(loop), 0);
	loop_free(loop);
	free(mem);
}
END_TEST

struct step {
	struct loop_task task;
	struct loop *loop;
	struct step *then;
	int runs;
};

static void step_run(struct loop_task *task)
{
	struct step *s = (struct step *)task;

	s->runs++;
	if (s->then)
		loop_defer(s->loop, &s->then->task);
}

/* Twice queued runs once, and what that defers has the next turn. */
START_TEST(test_tasks_of_a_turn)
{
	struct step a = { .task.run = step_run }, b = a;
	struct loop *loop;

	ck_assert_int_eq(loop_new(8, &loop), 0);
	ck_assert_int_eq(loop_seal(loop), 0);
	a.loop = b.loop = loop;
	a.then = &b;
	loop_defer(loop, &a.task);
	loop_defer(loop, &a.task);
	ck_assert_int_eq(loop_turn(loop, true), 0);
	ck_assert_int_eq(a.runs, 1);
	ck_assert_int_eq(b.runs, 0);
	ck_assert_int_eq(loop_turn(loop, true), 0);
	ck_assert_int_eq(a.runs, 1);
	ck_assert_int_eq(b.runs, 1);
	loop_free(loop);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("loop");
	TCase *tc = tcase_create("loop");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_read_wakes_the_loop);
	tcase_add_test(tc, test_more_than_fits);
	tcase_add_test(tc, test_batch);
	tcase_add_test(tc, test_sealed_ring_opens_nothing);
	tcase_add_test(tc, test_registered_memory);
	tcase_add_test(tc, test_tasks_of_a_turn);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
