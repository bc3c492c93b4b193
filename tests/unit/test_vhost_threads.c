/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vhost-user with queues in threads of their own, as a worker has them: the
 * front end changes everything while requests are under way, cuts its memory,
 * or leaves.  Each test runs with a split ring (0) and with a packed one (1).
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/blk.h"
#include "backend/mem.h"
#include "daemon/serve.h"
#include "daemon/shared.h"
#include "lib/loop.h"
#include "tests/unit/blk_help.h"
#include "tests/unit/vhost_front.h"
#include "virtio/blk_dev.h"

#define SECTORS 4096
#define PACKED	(1ULL << VIRTIO_F_RING_PACKED)
#define LOG_ALL (1ULL << VHOST_F_LOG_ALL)
#define PIECE	8192U
#define BATCH	4U
#define ROUNDS	60U

/* The worker: its main thread, and what ends it. */
static struct {
	struct serve serve;
	struct shared shared;
	struct loop *loop;
	struct loop_op done, end;
	uint64_t done_count, end_count;
	int done_fd, end_fd;
	pthread_t thread;
} worker;

static struct front f;
static struct blk_dev *mem;

static void await_done(void)
{
	io_uring_prep_read(loop_sqe(worker.loop, &worker.done), worker.done_fd,
			   &worker.done_count, 8, 0);
}

static void on_done(struct loop_op *op, int res)
{
	serve_on_done(&worker.serve);
	await_done();
}

static void on_end(struct loop_op *op, int res)
{
	worker.serve.transport->end(&worker.serve);
}

static void on_running(void *arg)
{
}

static void on_ended(void *arg)
{
	loop_stop(worker.loop);
}

static void make_shared(void)
{
	int fd = memfd_create("shared", MFD_CLOEXEC);

	ck_assert_int_eq(
		ftruncate(fd, (off_t)shared_size(FRONT_QUEUES, FRONT_SIZE)), 0);
	ck_assert_int_eq(
		shared_create(fd, FRONT_QUEUES, FRONT_SIZE, &worker.shared), 0);
	close(fd);
}

static void make_queues(void)
{
	const struct vblk_params params = {
		.nr_queues = FRONT_QUEUES,
		.queue_size = FRONT_SIZE,
		.packed = true,
		.physical = true,
	};
	struct serve *s = &worker.serve;

	*s = (struct serve){
		.transport = &serve_vhost,
		.nr_queues = FRONT_QUEUES,
		.shared = &worker.shared,
		.running = on_running,
		.ended = on_ended,
	};
	ck_assert_int_eq(vblk_new(mem, &params, &s->vblk, NULL), 0);
	ck_assert_int_eq(serve_make_queues(s, worker.done_fd), 0);
}

/* A loop is its thread's. */
static void *run_worker(void *arg)
{
	const int *listen_fd = arg;
	struct serve *s = &worker.serve;

	make_queues();
	ck_assert_int_eq(loop_new(16, &worker.loop), 0);
	ck_assert_int_eq(loop_seal(worker.loop), 0);
	ck_assert_int_eq(s->transport->make(s, worker.loop, *listen_fd), 0);
	worker.done.done = on_done;
	worker.end.done = on_end;
	await_done();
	io_uring_prep_read(loop_sqe(worker.loop, &worker.end), worker.end_fd,
			   &worker.end_count, 8, 0);
	s->transport->start(s);
	ck_assert_int_eq(loop_run(worker.loop), 0);
	ck_assert(serve_is_idle(s));
	serve_free(s);
	vblk_free(s->vblk);
	loop_free(worker.loop);
	return NULL;
}

static void setup(void)
{
	const struct mem_blk_options options = { .deferred = true };

	ck_assert_int_eq(mem_blk_new(SECTORS, &options, &mem), 0);
	front_init_alone(&f);
	memset(&worker, 0, sizeof(worker));
	make_shared();
	worker.done_fd = eventfd(0, EFD_CLOEXEC);
	worker.end_fd = eventfd(0, EFD_CLOEXEC);
	ck_assert_int_eq(pthread_create(&worker.thread, NULL, run_worker,
					&f.listen_fd),
			 0);
}

static void teardown(void)
{
	eventfd_write(worker.end_fd, 1);
	ck_assert_int_eq(pthread_join(worker.thread, NULL), 0);
	shared_unmap(&worker.shared);
	close(worker.done_fd);
	close(worker.end_fd);
	front_free(&f);
	blk_close(mem);
}

static void begin(int packed)
{
	front_start(&f, packed ? FRONT_ALL & ~LOG_ALL : ~(PACKED | LOG_ALL));
	f.b.shape = DRIVER_INDIRECT;
}

/* Put a batch of requests into the ring, writes with bytes of their own. */
static void submit(struct driver_req *r, uint32_t type, unsigned round)
{
	bool in = type == VIRTIO_BLK_T_GET_ID;

	unsigned i;

	/* Nothing is in flight: memory begins anew. */
	f.b.d.next_data = DRIVER_DATA;
	for (i = 0; i < BATCH; i++) {
		r[i] = driver_blk_add(&f.b, type, i * 16, PIECE, in);
		fill_bytes(driver_blk_at(&f.b, r[i].data), PIECE, round + i);
	}
	driver_want_interrupt(&f.b.d, true);
	driver_publish(&f.b.d);
	eventfd_write(f.b.d.setup.kick_fd, 1);
}

/* As many answers as there were requests; interrupts may be lost on the way. */
static void collect(const struct driver_req *r)
{
	struct pollfd p = { .fd = f.call_fd, .events = POLLIN };
	unsigned nr = 0, i;
	eventfd_t count;

	while (nr < BATCH) {
		if (driver_collect(&f.b.d, &(uint16_t){ 0 }, NULL)) {
			nr++;
			continue;
		}
		driver_want_interrupt(&f.b.d, true);
		if (driver_collect(&f.b.d, &(uint16_t){ 0 }, NULL)) {
			nr++;
			continue;
		}
		ck_assert_int_eq(poll(&p, 1, 100000), 1);
		eventfd_read(f.call_fd, &count);
	}
	for (i = 0; i < BATCH; i++)
		ck_assert_uint_eq(*driver_blk_at(&f.b, r[i].status),
				  VIRTIO_BLK_S_OK);
}

static void add_and_remove_memory(void)
{
	const struct vhost_one_region extra = {
		.region = { 0x70000000, 4096, 0x10000, 0 },
	};

	ck_assert_uint_eq(front_ask(&f, VHOST_ADD_MEM_REG, &extra,
				    sizeof(extra), f.mem_fd),
			  0);
	ck_assert_uint_eq(
		front_ask(&f, VHOST_REM_MEM_REG, &extra, sizeof(extra), -1), 0);
}

static void share_again(void)
{
	front_share_memory(&f);
}

static void other_descriptors(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_VRING_CALL, 0, fd), 0);
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_VRING_ERR, 0, fd), 0);
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_VRING_CALL, 0, f.call_fd),
			  0);
	close(fd);
}

static void disable_and_enable(void)
{
	ck_assert_uint_eq(front_ask_ring(&f, VHOST_SET_VRING_ENABLE, 0), 0);
	ck_assert_uint_eq(front_ask_ring(&f, VHOST_SET_VRING_ENABLE, 1), 0);
}

static void stop_and_start(void)
{
	front_setup_ring(&f, front_get_base(&f));
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_VRING_KICK, 0,
					f.b.d.setup.kick_fd),
			  0);
}

/* Logging of dirty pages begins, or ends. */
static void log_or_not(void)
{
	const struct vhost_log log = { 4096, 0 };
	int fd = memfd_create("dirty", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint64_t answer;

	ck_assert_int_eq(ftruncate(fd, 4096), 0);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	front_send(&f, VHOST_SET_LOG_BASE, VHOST_VERSION, &log, sizeof(log),
		   &fd, 1);
	front_receive(&f, &answer, sizeof(answer), NULL);
	f.features ^= LOG_ALL;
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_FEATURES, f.features, -1),
			  0);
	close(fd);
}

static void (*const changes[])(void) = {
	add_and_remove_memory, share_again,    other_descriptors,
	disable_and_enable,    stop_and_start, log_or_not,
};

#define NR_CHANGES (sizeof(changes) / sizeof(changes[0]))

START_TEST(test_changes_under_load)
{
	struct driver_req r[BATCH];
	uint8_t want[PIECE];
	unsigned round, i;

	begin(_i);
	for (round = 0; round < ROUNDS; round++) {
		submit(r, VIRTIO_BLK_T_OUT, round);
		changes[round % NR_CHANGES]();
		collect(r);
	}
	for (i = 0; i < BATCH; i++) {
		fill_bytes(want, sizeof(want), ROUNDS - 1 + i);
		ck_assert_mem_eq(mem_blk_data(mem) + i * 16UL * 512, want,
				 PIECE);
	}
}
END_TEST

/*
 * The memory goes, whatever is in flight; the next front end is served.  The
 * disk has no guard for data, so these are written by the device model.
 */
START_TEST(test_cut_under_load)
{
	struct driver_req r[BATCH];
	struct pollfd p = { .events = POLLIN };
	unsigned round;

	p.fd = eventfd(0, EFD_CLOEXEC);
	for (round = 0; round < 10; round++) {
		begin(_i);
		ck_assert_uint_eq(
			front_ask_u64(&f, VHOST_SET_VRING_ERR, 0, p.fd), 0);
		submit(r, VIRTIO_BLK_T_GET_ID, round);
		ck_assert_int_eq(ftruncate(f.mem_fd, 0), 0);
		eventfd_write(f.b.d.setup.kick_fd, 1);
		ck_assert_int_eq(poll(&p, 1, 100000), 1);
		eventfd_read(p.fd, &(eventfd_t){ 0 });
		ck_assert_int_eq(ftruncate(f.mem_fd, FRONT_MEM), 0);
		front_leave(&f);
	}
	begin(_i);
	submit(r, VIRTIO_BLK_T_GET_ID, round);
	collect(r);
	close(p.fd);
}
END_TEST

START_TEST(test_leave_under_load)
{
	struct driver_req r[BATCH];
	unsigned round;

	for (round = 0; round < 30; round++) {
		begin(_i);
		submit(r, VIRTIO_BLK_T_OUT, round);
		if (round % 2)
			collect(r);
		front_leave(&f);
	}
	begin(_i);
	submit(r, VIRTIO_BLK_T_OUT, round);
	collect(r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vhost_threads");
	TCase *tc = tcase_create("threads");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_changes_under_load, 0, 2);
	tcase_add_loop_test(tc, test_cut_under_load, 0, 2);
	tcase_add_loop_test(tc, test_leave_under_load, 0, 2);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
