/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Queues in a thread of their own, ordered about by another.  Each test runs
 * with a split ring (0) and with a packed one (1).
 */
#include <check.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "backend/blk.h"
#include "backend/mem.h"
#include "daemon/queue.h"
#include "daemon/queue_thread.h"
#include "lib/guard.h"
#include "tests/unit/driver_split.h"
#include "virtio/blk_dev.h"
#include "virtio/blk_stats.h"
#include "virtio/inflight.h"

#define SIZE	64
#define SECTORS 4096

static struct blk_dev *disk;
static struct vblk *vblk;
static struct queue_thread *qt;
static struct queue *q;
static struct vblk_stats stats;
static struct driver d;
static void *inflight;
static int done_fd, irq_fd;

/* The driver sleeps on a descriptor, since the queue is another thread's. */
static void *host_translate(void *host, uint64_t iova, uint64_t *len,
			    bool write)
{
	return driver_mem_ops.translate(&d.mem, iova, len, write);
}

static void host_interrupt(void *host)
{
	eventfd_write(irq_fd, 1);
}

static const struct virtq_host_ops host_ops = {
	.translate = host_translate,
	.interrupt = host_interrupt,
};

static void begin(bool packed)
{
	const struct mem_blk_options options = { .deferred = true };
	const struct vblk_params params = {
		.nr_queues = 1,
		.queue_size = SIZE,
		.packed = packed,
		.serial = "a",
	};
	struct queue_params queue = { .stats = &stats };

	ck_assert_int_eq(guard_install(), 0);
	done_fd = eventfd(0, EFD_CLOEXEC);
	irq_fd = eventfd(0, EFD_CLOEXEC);
	inflight = aligned_alloc(64, inflight_size(SIZE));
	memset(inflight, 0, inflight_size(SIZE));
	ck_assert_int_eq(mem_blk_new(SECTORS, &options, &disk), 0);
	ck_assert_int_eq(vblk_new(disk, &params, &vblk, NULL), 0);
	queue.vblk = vblk;
	queue.inflight = inflight;
	queue.done_fd = done_fd;
	ck_assert_int_eq(queue_thread_new(&queue, 1, &qt, &q), 0);
	driver_init(&d, SIZE, vblk_features(vblk));
	close(d.setup.kick_fd);
	d.setup.ops = &host_ops;
	d.setup.kick_fd = queue_kick_fd(q);
}

static void teardown(void)
{
	queue_thread_free(qt);
	queue_thread_free(NULL);
	d.setup.kick_fd = -1;
	driver_free(&d);
	vblk_free(vblk);
	blk_close(disk);
	free(inflight);
	close(done_fd);
	close(irq_fd);
}

/* The queue has stopped: where it goes on, as the driver must see it. */
static void check_state(unsigned requests)
{
	const struct virtq_state state = queue_state(q);

	/* An indirect request is one descriptor of the ring. */
	if (d.packed.desc) {
		ck_assert_uint_eq(state.last_avail_idx, requests % SIZE);
		ck_assert_uint_eq(state.last_used_idx, requests % SIZE);
		ck_assert_uint_eq(state.last_avail_counter,
				  !(requests / SIZE % 2));
		ck_assert_uint_eq(state.last_used_counter,
				  !(requests / SIZE % 2));
	} else {
		ck_assert_uint_eq(state.avail_index, requests);
	}
}

static bool is_readable(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ms) == 1;
}

static void await(int fd)
{
	eventfd_t n;

	ck_assert_int_eq(eventfd_read(fd, &n), 0);
}

static void start(void)
{
	queue_start(q, &d.setup);
	await(done_fd);
	ck_assert(!queue_busy(q));
}

static void stop(void)
{
	queue_stop(q);
	await(done_fd);
	ck_assert(!queue_busy(q));
}

/* A write of one sector, or of none: a flush.  Returns where the status is. */
static uint64_t add(uint32_t type, uint64_t sector)
{
	struct virtio_blk_outhdr hdr = {
		.type = htole32(type),
		.sector = htole64(sector),
	};
	struct driver_seg seg[3] = {
		{ driver_alloc(&d, sizeof(hdr), 1), sizeof(hdr), false },
		{ driver_alloc(&d, 512, 1), 512, type == VIRTIO_BLK_T_IN },
		{ driver_alloc(&d, 1, 1), 1, true },
	};

	memcpy(driver_at(&d, seg[0].iova), &hdr, sizeof(hdr));
	memset(driver_at(&d, seg[1].iova), (int)sector, 512);
	*(uint8_t *)driver_at(&d, seg[2].iova) = 0xff;
	driver_add(&d, DRIVER_INDIRECT, seg, 3);
	return seg[2].iova;
}

static void collect(unsigned n)
{
	uint16_t head;

	while (n) {
		while (n && driver_collect(&d, &head, NULL))
			n--;
		driver_want_interrupt(&d, true);
		if (n && !driver_collect(&d, &head, NULL))
			await(irq_fd);
		else if (n)
			n--;
	}
}

static uint8_t status_at(uint64_t iova)
{
	return *(uint8_t *)driver_at(&d, iova);
}

START_TEST(test_nothing_to_do)
{
	begin(_i);
	ck_assert(!queue_busy(q));
	/* A queue that never ran stops as well. */
	stop();
	start();
	stop();
	start();
	stop();
	check_state(0);
}
END_TEST

START_TEST(test_requests)
{
	uint64_t status[8];
	int i, round;

	begin(_i);
	start();
	for (round = 0; round < 50; round++) {
		for (i = 0; i < 8; i++)
			status[i] = add(VIRTIO_BLK_T_OUT, (uint64_t)i);
		driver_kick(&d);
		collect(8);
		for (i = 0; i < 8; i++)
			ck_assert_uint_eq(status_at(status[i]),
					  VIRTIO_BLK_S_OK);
	}
	stop();
	check_state(400);
	ck_assert_uint_eq(vblk_stat_get(&stats.op[VBLK_WRITE].requests), 400);
	ck_assert_int_eq(mem_blk_data(disk)[7 * 512], 7);
}
END_TEST

/* Requests that were made while it did not run, and no kick for them. */
START_TEST(test_start_looks_at_the_ring)
{
	uint64_t status;

	begin(_i);
	status = add(VIRTIO_BLK_T_OUT, 3);
	driver_publish(&d);
	start();
	collect(1);
	ck_assert_uint_eq(status_at(status), VIRTIO_BLK_S_OK);
	stop();
}
END_TEST

/* A stop under load: all that was taken is answered, no more is touched. */
START_TEST(test_stop_drains)
{
	unsigned round, i, used = 0;
	uint16_t head;

	begin(_i);
	for (round = 0; round < 100; round++) {
		start();
		for (i = 0; i < 4; i++)
			add(VIRTIO_BLK_T_OUT, i);
		driver_publish(&d);
		eventfd_write(d.setup.kick_fd, 1);
		stop();
		while (driver_collect(&d, &head, NULL))
			used++;
		check_state(used);
		ck_assert_uint_ge(used, round * 4);
		d.setup.state = queue_state(q);
		/* What is left is served in the next round. */
		start();
		collect((round + 1) * 4 - used);
		used = (round + 1) * 4;
		stop();
		check_state(used);
		d.setup.state = queue_state(q);
		if (round % 16 == 15)
			d.next_data = DRIVER_DATA;
	}
}
END_TEST

START_TEST(test_reset)
{
	begin(_i);
	start();
	add(VIRTIO_BLK_T_FLUSH, 0);
	driver_kick(&d);
	collect(1);
	stop();
	queue_reset(q);
	driver_reset(&d);
	start();
	add(VIRTIO_BLK_T_OUT, 0);
	driver_kick(&d);
	collect(1);
	stop();
	check_state(1);
}
END_TEST

/* One request, which is served if the queue runs. */
static bool serves(void)
{
	uint16_t head;
	bool served;

	/* A start looks at the ring. */
	add(VIRTIO_BLK_T_OUT, 0);
	driver_publish(&d);
	start();
	stop();
	served = driver_collect(&d, &head, NULL);
	if (!served)
		driver_reset(&d);
	return served;
}

/*
 * A ring that cannot be: the order is done all the same, status says why, and
 * the queue stands still until the device is reset.
 */
START_TEST(test_start_fails)
{
	struct virtq_setup good;
	int i;

	begin(_i);
	good = d.setup;
	for (i = 0; i < 2; i++) {
		if (i)
			d.setup.num = 2 * SIZE;
		else
			d.setup.desc_addr = 0xdead0000;
		start();
		ck_assert_uint_eq(vblk_stat_get(&stats.broken), 1);
		ck_assert_str_ne(stats.reason, "");
		stop();
		d.setup = good;
		ck_assert(!serves());
		ck_assert_uint_eq(vblk_stat_get(&stats.broken), 1);
		queue_reset(q);
		ck_assert(serves());
		ck_assert_uint_eq(vblk_stat_get(&stats.broken), 0);
		queue_reset(q);
		driver_reset(&d);
		good = d.setup;
	}
}
END_TEST

/* A ring that breaks its queue, which stands still over a pause. */
START_TEST(test_broken_stands)
{
	begin(_i);
	/* An indirect table that claims to go on. */
	if (d.packed.desc)
		driver_packed_raw(&d, 0, DRIVER_DATA, 16,
				  VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT |
					  1 << VRING_PACKED_DESC_F_AVAIL,
				  0);
	else
		driver_raw_avail(&d, 2 * SIZE);
	driver_publish(&d);
	start();
	stop();
	ck_assert_uint_eq(vblk_stat_get(&stats.broken), 1);
	driver_reset(&d);
	ck_assert(!serves());
	ck_assert_uint_eq(vblk_stat_get(&stats.broken), 1);
	queue_reset(q);
	ck_assert(serves());
}
END_TEST

/*
 * Three queues of one thread: each has its orders, and its requests, while
 * another runs.
 */
START_TEST(test_shared_thread)
{
	struct vblk_stats all_stats[3] = { 0 };
	struct queue_params params[3];
	struct queue *queues[3];
	uint64_t status;
	int i;

	begin(_i);
	queue_thread_free(qt);
	for (i = 0; i < 3; i++)
		params[i] = (struct queue_params){
			.vblk = vblk,
			.index = (unsigned)i,
			.stats = &all_stats[i],
			.inflight = inflight,
			.done_fd = done_fd,
		};
	ck_assert_int_eq(queue_thread_new(params, 3, &qt, queues), 0);
	for (i = 2; i >= 0; i--) {
		q = queues[i];
		d.setup.kick_fd = queue_kick_fd(q);
		start();
		ck_assert(queue_runs(queues[i]));
		ck_assert(!queue_runs(queues[(i + 1) % 3]));
		status = add(VIRTIO_BLK_T_OUT, 9);
		driver_kick(&d);
		collect(1);
		ck_assert_uint_eq(status_at(status), VIRTIO_BLK_S_OK);
		ck_assert_uint_eq(all_stats[i].op[VBLK_WRITE].requests, 1);
		stop();
		queue_reset(q);
		driver_reset(&d);
	}
}
END_TEST

START_TEST(test_no_descriptors)
{
	struct queue_params queue = { .stats = &stats };
	struct rlimit lim, old;
	struct queue_thread *other = NULL;
	struct queue *none = NULL;
	int next, room;

	begin(_i);
	queue.vblk = vblk;
	queue.inflight = inflight;
	queue.done_fd = done_fd;
	next = dup(done_fd);
	close(next);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	/* Two eventfds and the ring: none of the three may be missing. */
	for (room = 0; room < 3; room++) {
		lim = (struct rlimit){ (rlim_t)(next + room), old.rlim_max };
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lim), 0);
		ck_assert_int_eq(queue_thread_new(&queue, 1, &other, &none),
				 -EMFILE);
		ck_assert_ptr_null(other);
	}
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	ck_assert_int_eq(dup(done_fd), next);
	close(next);
	ck_assert(!is_readable(done_fd, 0));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_thread");
	TCase *tc = tcase_create("queue_thread");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_nothing_to_do, 0, 2);
	tcase_add_loop_test(tc, test_requests, 0, 2);
	tcase_add_loop_test(tc, test_shared_thread, 0, 2);
	tcase_add_loop_test(tc, test_start_looks_at_the_ring, 0, 2);
	tcase_add_loop_test(tc, test_stop_drains, 0, 2);
	tcase_add_loop_test(tc, test_reset, 0, 2);
	tcase_add_loop_test(tc, test_start_fails, 0, 2);
	tcase_add_loop_test(tc, test_broken_stands, 0, 2);
	tcase_add_loop_test(tc, test_no_descriptors, 0, 2);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
