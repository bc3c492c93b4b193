/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The event loop: one io_uring per thread, and nothing else that waits.
 *
 * A loop belongs to the thread that runs it.  Other threads reach it through
 * an eventfd that it reads.  Submissions are collected and enter the kernel
 * once per turn.  A turn is: submit, wait for completions, call what a batch of
 * them belongs to (see loop_poll.h; the next turn has the others), call what
 * was deferred.
 *
 * A loop is made disabled: its files and memory are registered first, then
 * loop_seal restricts the ring to the operations that this program uses, so
 * that it is no way around a seccomp filter, and enables it.
 */
#ifndef LIB_LOOP_H
#define LIB_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct io_uring_sqe;
struct loop;
struct loop_source;

/* One operation in flight.  Embedded in its owner; stays put until done. */
struct loop_op {
	/* @res: the result of the operation, or -errno. */
	void (*done)(struct loop_op *op, int res);
};

/* Something to do once, at the end of this turn. */
struct loop_task {
	void (*run)(struct loop_task *task);
	struct loop_task *next;
	bool queued;
};

/*
 * @entries: how many submissions fit into one turn without an extra system
 * call; more in flight than that is allowed.  Errors: those of
 * io_uring_setup(2), among them -ENOMEM and -EPERM (io_uring is disabled).
 */
int loop_new(unsigned entries, struct loop **ret);
void loop_free(struct loop *loop);

/*
 * Register @fd with the ring, before loop_seal.  Returns an index for
 * sqe->fd with IOSQE_FIXED_FILE, or -errno.
 */
int loop_add_file(struct loop *loop, int fd);

/*
 * Register memory for READ_FIXED and WRITE_FIXED, as buffer 0, before
 * loop_seal.  -ENOMEM when RLIMIT_MEMLOCK is too small, -EBUSY if the ring has
 * had some: go on without.
 */
int loop_add_memory(struct loop *loop, void *base, size_t len);
bool loop_has_memory(const struct loop *loop);

/* Whether @len bytes at @p are registered. */
bool loop_memory_holds(const struct loop *loop, const void *p, size_t len);

/*
 * Memory at @base, which may be the registered one, is about to go: what comes
 * to stand there is not it.  The ring keeps the pages until it ends.
 */
void loop_forget_memory(struct loop *loop, const void *base);

/* Restrict and enable the ring, in the thread that will run it. */
int loop_seal(struct loop *loop);

/*
 * A cleared entry that will call @op->done.  Never NULL: a full queue is
 * submitted first.  The caller fills it with io_uring_prep_* before it asks
 * for another one; the user data is the loop's own.
 */
struct io_uring_sqe *loop_sqe(struct loop *loop, struct loop_op *op);

/*
 * Submit now what is prepared, for a caller that goes on with long work of
 * its own.  A failure comes back in the next turn.
 */
void loop_submit(struct loop *loop);

/*
 * Run @task at the end of this turn; twice queued runs once.  What a task
 * defers runs in the next turn.
 */
void loop_defer(struct loop *loop, struct loop_task *task);

/*
 * Work that may be found by looking before the loop sleeps (see loop_poll.h),
 * until it is removed.
 */
void loop_add_source(struct loop *loop, struct loop_source *source);
void loop_remove_source(struct loop *loop, struct loop_source *source);

/* How long to look, in nanoseconds; 0, as at first: once. */
void loop_set_poll(struct loop *loop, uint64_t ns);

/*
 * One turn.  With @wait it sleeps until something completes, unless a task
 * is queued.  Returns 0 or -errno of io_uring_enter(2), which is fatal.
 */
int loop_turn(struct loop *loop, bool wait);

/* Turns until loop_stop. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
