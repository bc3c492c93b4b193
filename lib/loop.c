/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The event loop: see loop.h.
 */
#include <errno.h>
#include <liburing.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/loop.h"
#include "lib/loop_poll.h"

#define MAX_FILES 8

struct loop {
	struct io_uring ring;
	struct loop_task *tasks, **tasks_end;
	struct loop_poll poll;
	int files[MAX_FILES];
	unsigned nr_files;
	struct iovec mem; /* registered, or of no length */
	bool stop;
};

/*
 * What the ring may do once it is sealed.  None of these opens a file or a
 * socket.
 */
static const uint8_t allowed_ops[] = {
	IORING_OP_READ,		IORING_OP_WRITE,      IORING_OP_READV,
	IORING_OP_WRITEV,	IORING_OP_READ_FIXED, IORING_OP_WRITE_FIXED,
	IORING_OP_FSYNC,	IORING_OP_FALLOCATE,  IORING_OP_POLL_ADD,
	IORING_OP_ASYNC_CANCEL,
};

/*
 * DEFER_TASKRUN (Linux 6.1) runs completions in our own thread when it asks
 * for them; older kernels refuse the flags and work without.
 */
static int setup_ring(unsigned entries, struct io_uring *ring)
{
	unsigned flags = IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER |
			 IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
	int err;

	err = io_uring_queue_init(entries, ring, flags);
	if (err == -EINVAL)
		err = io_uring_queue_init(entries, ring,
					  IORING_SETUP_R_DISABLED);
	return err;
}

/* Completions, or what is to become some as soon as it is asked for. */
static bool poll_ready(void *arg)
{
	const struct loop *loop = arg;

	return loop->tasks || io_uring_cq_ready(&loop->ring) ||
	       (__atomic_load_n(loop->ring.sq.kflags, __ATOMIC_RELAXED) &
		IORING_SQ_TASKRUN);
}

static void poll_submit(void *arg)
{
	struct loop *loop = arg;

	if (io_uring_sq_ready(&loop->ring))
		io_uring_submit(&loop->ring);
}

static const struct loop_poll_ops poll_ops = { poll_ready, poll_submit };

int loop_new(unsigned entries, struct loop **ret)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int err;

	if (!loop)
		return -ENOMEM;
	err = setup_ring(entries, &loop->ring);
	if (err) {
		free(loop);
		return err;
	}
	loop->tasks_end = &loop->tasks;
	loop->poll.ops = &poll_ops;
	loop->poll.arg = loop;
	*ret = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	io_uring_queue_exit(&loop->ring);
	free(loop);
}

int loop_add_file(struct loop *loop, int fd)
{
	unsigned i;

	for (i = 0; i < loop->nr_files; i++)
		if (loop->files[i] == fd)
			return (int)i;
	if (i == MAX_FILES)
		return -EMFILE;
	loop->files[loop->nr_files++] = fd;
	return (int)i;
}

int loop_add_memory(struct loop *loop, void *base, size_t len)
{
	const struct iovec iov = { .iov_base = base, .iov_len = len };
	int err;

	err = io_uring_register_buffers(&loop->ring, &iov, 1);
	if (!err)
		loop->mem = iov;
	return err;
}

bool loop_has_memory(const struct loop *loop)
{
	return loop->mem.iov_len;
}

bool loop_memory_holds(const struct loop *loop, const void *p, size_t len)
{
	size_t at = (size_t)((const char *)p - (char *)loop->mem.iov_base);

	return at < loop->mem.iov_len && len <= loop->mem.iov_len - at;
}

void loop_forget_memory(struct loop *loop, const void *base)
{
	if (loop->mem.iov_base == base)
		loop->mem = (struct iovec){ 0 };
}

/* liburing 2.3 (Debian 12) declares these two calls but does not export them. */
static int ring_register(struct loop *loop, unsigned what, void *arg,
			 unsigned nr)
{
	long n = syscall(SYS_io_uring_register, loop->ring.ring_fd, what, arg,
			 nr);

	return n < 0 ? -errno : 0;
}

static int restrict_ring(struct loop *loop)
{
	enum {
		NR_OPS = sizeof(allowed_ops),
		NR = NR_OPS + 1
	};
	struct io_uring_restriction res[NR] = { 0 };
	int i;

	for (i = 0; i < NR_OPS; i++) {
		res[i].opcode = IORING_RESTRICTION_SQE_OP;
		res[i].sqe_op = allowed_ops[i];
	}
	res[i].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
	res[i].sqe_flags = IOSQE_FIXED_FILE | IOSQE_IO_LINK | IOSQE_ASYNC;
	return ring_register(loop, IORING_REGISTER_RESTRICTIONS, res, NR);
}

/*
 * What the kernel cannot do at once it does in threads of its own, which run
 * on any CPU.  They shall keep to those of this thread: on another, an idle
 * CPU has to be woken twice for each of them.  A hint (Linux 5.14).
 */
static void bind_helpers(struct loop *loop)
{
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		return;
	io_uring_register_iowq_aff(&loop->ring, sizeof(cpus), &cpus);
}

int loop_seal(struct loop *loop)
{
	int err = 0;

	bind_helpers(loop);
	if (loop->nr_files)
		err = io_uring_register_files(&loop->ring, loop->files,
					      loop->nr_files);
	if (!err)
		err = restrict_ring(loop);
	if (!err)
		err = ring_register(loop, IORING_REGISTER_ENABLE_RINGS, NULL,
				    0);
	return err;
}

struct io_uring_sqe *loop_sqe(struct loop *loop, struct loop_op *op)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = io_uring_get_sqe(&loop->ring)))
		io_uring_submit(&loop->ring);
	/* The io_uring_prep_ functions leave the user data alone. */
	io_uring_sqe_set_data(sqe, op);
	return sqe;
}

void loop_submit(struct loop *loop)
{
	io_uring_submit(&loop->ring);
}

void loop_defer(struct loop *loop, struct loop_task *task)
{
	if (task->queued)
		return;
	task->queued = true;
	task->next = NULL;
	*loop->tasks_end = task;
	loop->tasks_end = &task->next;
}

/* A batch.  The rest, and what comes now, is the next turn's: answers go first. */
static void reap(struct loop *loop)
{
	unsigned left = loop_poll_batch(&loop->poll);
	struct io_uring_cqe *cqe;

	for (; left && io_uring_cq_ready(&loop->ring) &&
	       !io_uring_peek_cqe(&loop->ring, &cqe);
	     left--) {
		struct loop_op *op = io_uring_cqe_get_data(cqe);
		int res = cqe->res;

		io_uring_cqe_seen(&loop->ring, cqe);
		op->done(op, res);
	}
}

static void run_tasks(struct loop *loop)
{
	struct loop_task *task = loop->tasks, *next;

	/* What these defer runs in the next turn. */
	loop->tasks = NULL;
	loop->tasks_end = &loop->tasks;
	for (; task; task = next) {
		next = task->next;
		task->queued = false;
		task->run(task);
	}
}

void loop_add_source(struct loop *loop, struct loop_source *source)
{
	loop_poll_add(&loop->poll, source);
}

void loop_remove_source(struct loop *loop, struct loop_source *source)
{
	loop_poll_remove(&loop->poll, source);
}

void loop_set_poll(struct loop *loop, uint64_t ns)
{
	loop_poll_set(&loop->poll, ns);
}

/* Completions that are there already need no call. */
static int enter(struct loop *loop, bool wait)
{
	if (loop_poll_run(&loop->poll, wait && !loop->tasks))
		return io_uring_submit_and_wait(&loop->ring, 1);
	if (io_uring_cq_ready(&loop->ring) && !io_uring_sq_ready(&loop->ring))
		return 0;
	return io_uring_submit_and_get_events(&loop->ring);
}

int loop_turn(struct loop *loop, bool wait)
{
	int n = enter(loop, wait);

	/* EBUSY: completions overflowed and are flushed by reaping. */
	if (n < 0 && n != -EINTR && n != -EBUSY && n != -EAGAIN)
		return n;
	reap(loop);
	run_tasks(loop);
	return 0;
}

int loop_run(struct loop *loop)
{
	int err = 0;

	loop->stop = false;
	while (!loop->stop && !err)
		err = loop_turn(loop, true);
	return err;
}

void loop_stop(struct loop *loop)
{
	loop->stop = true;
}
