/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Processes that serve a ring, each killed with requests in flight, and the
 * queue thread that takes up what all of them have left.  The tests run with a
 * split ring (0) and with a packed one (1).
 */
#include <check.h>
#include <linux/virtio_blk.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/blk.h"
#include "backend/mem.h"
#include "daemon/queue.h"
#include "daemon/queue_thread.h"
#include "lib/guard.h"
#include "tests/unit/driver_blk.h"
#include "virtio/blk_stats.h"
#include "virtio/inflight.h"

#define SIZE	64
#define SECTORS 4096
#define STUCK	1000 /* requests from this sector on never end, at first */
#define DEATHS	4
#define ROUND	12 /* requests before each death; a third of them end */

/* What outlives a process. */
struct shared {
	struct vblk_stats stats;
	uint8_t log[16384] __attribute__((aligned(64)));
};

static struct driver_blk b;
static struct shared *shared;
static struct blk_dev *disk;
static struct vblk *vblk;
static struct queue_thread *qt;
static struct queue *q;
static int done_fd, irq_fd;
static unsigned offered;

static void *map(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	return p;
}

static void *host_translate(void *host, uint64_t iova, uint64_t *len,
			    bool write)
{
	return driver_mem_ops.translate(&b.d.mem, iova, len, write);
}

static void host_interrupt(void *host)
{
	eventfd_write(irq_fd, 1);
}

static const struct virtq_host_ops host_ops = {
	.translate = host_translate,
	.interrupt = host_interrupt,
};

/* A disk on which some requests hang; its queue is no memory of its own. */
static int stuck_open_queue(struct blk_dev *dev, struct loop *loop,
			    unsigned depth, struct blk_queue **ret)
{
	static struct blk_queue queue;

	*ret = &queue;
	return 0;
}

static void stuck_submit(struct blk_queue *queue, struct blk_req *req)
{
	if (req->sector < STUCK)
		blk_end(req, 0);
}

static void stuck_close_queue(struct blk_queue *queue)
{
}

static void stuck_close(struct blk_dev *dev)
{
}

static const struct blk_ops stuck_ops = {
	.name = "stuck",
	.open_queue = stuck_open_queue,
	.submit = stuck_submit,
	.close_queue = stuck_close_queue,
	.close = stuck_close,
};

static struct blk_dev stuck = {
	.ops = &stuck_ops,
	.info = { .nr_sectors = SECTORS,
		  .block_size = 512,
		  .phys_block_size = 512,
		  .cache = "none" },
};

/* The driver's memory, where all processes see it. */
static void share(struct driver *d)
{
	struct driver_map *m;
	unsigned i;

	for (i = 0; i < d->mem.nr; i++) {
		m = &d->mem.map[i];
		free(m->host);
		m->host = map(m->len);
		m->borrowed = true;
	}
	if (d->packed.desc) {
		d->packed.desc = driver_at(d, DRIVER_DESC);
		d->packed.driver = driver_at(d, DRIVER_AVAIL);
		d->packed.device = driver_at(d, DRIVER_USED);
	} else {
		d->desc = driver_at(d, DRIVER_DESC);
		d->avail = driver_at(d, DRIVER_AVAIL);
		d->used = driver_at(d, DRIVER_USED);
	}
	driver_reset(d);
}

static void begin(bool packed)
{
	const struct vblk_params params = {
		.nr_queues = 1,
		.queue_size = SIZE,
		.packed = packed,
		.serial = "a",
	};
	struct vblk *any;

	ck_assert_int_eq(guard_install(), 0);
	ck_assert_uint_le(inflight_size(SIZE), sizeof(shared->log));
	shared = map(sizeof(*shared));
	done_fd = eventfd(0, EFD_CLOEXEC);
	irq_fd = eventfd(0, EFD_CLOEXEC);
	ck_assert_int_eq(vblk_new(&stuck, &params, &any, NULL), 0);
	driver_init(&b.d, SIZE, vblk_features(any));
	vblk_free(any);
	share(&b.d);
	b.shape = DRIVER_INDIRECT;
	b.d.setup.ops = &host_ops;
}

/* A queue thread of this process, on @dev. */
static void serve(struct blk_dev *dev)
{
	const struct vblk_params params = {
		.nr_queues = 1,
		.queue_size = SIZE,
		.packed = b.d.packed.desc,
		.serial = "a",
	};
	struct queue_params queue = {
		.stats = &shared->stats,
		.inflight = shared->log,
		.done_fd = done_fd,
	};
	eventfd_t n;

	if (vblk_new(dev, &params, &vblk, NULL))
		_exit(2);
	queue.vblk = vblk;
	if (queue_thread_new(&queue, 1, &qt, &q))
		_exit(3);
	queue_start(q, &b.d.setup);
	do
		if (eventfd_read(done_fd, &n))
			_exit(4);
	while (queue_busy(q));
}

static void offer(unsigned nr)
{
	struct driver_req r;

	while (nr--) {
		r = driver_blk_add(&b, VIRTIO_BLK_T_OUT,
				   offered % 3 ? STUCK + offered % 4 : 0, 512,
				   false);
		memset(driver_at(&b.d, r.data), (int)++offered, 512);
	}
	driver_publish(&b.d);
}

static void collect(unsigned n)
{
	uint16_t head;
	eventfd_t irq;

	for (;;) {
		while (n && driver_collect(&b.d, &head, NULL))
			n--;
		if (!n)
			return;
		driver_want_interrupt(&b.d, true);
		if (!driver_has_used(&b.d))
			ck_assert_int_eq(eventfd_read(irq_fd, &irq), 0);
	}
}

/* A process that serves, until it has @stuck_requests in flight: killed. */
static void live_and_die(unsigned ends, unsigned stuck_requests)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		serve(&stuck);
		for (;;)
			pause();
	}
	collect(ends);
	while (vblk_stat_get(&shared->stats.in_flight) != stuck_requests) {
		ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0);
		usleep(1000);
	}
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
}

static void end(void)
{
	eventfd_t n;

	queue_stop(q);
	/* A predecessor may have died between an order and reading this. */
	do
		ck_assert_int_eq(eventfd_read(done_fd, &n), 0);
	while (queue_busy(q));
	queue_thread_free(qt);
	vblk_free(vblk);
	blk_close(disk);
	driver_free(&b.d);
	close(done_fd);
	close(irq_fd);
}

START_TEST(test_successor)
{
	const struct mem_blk_options options = { 0 };
	unsigned i, left = 0, last[4] = { 0 };

	begin(_i);
	for (i = 0; i < DEATHS; i++) {
		offer(ROUND);
		left += ROUND * 2 / 3;
		live_and_die(ROUND / 3, left);
	}
	ck_assert_int_eq(mem_blk_new(SECTORS, &options, &disk), 0);
	offer(1);
	serve(disk);
	collect(left + 1);
	ck_assert_uint_eq(vblk_stat_get(&shared->stats.in_flight), 0);
	/* Each death left more than the one before. */
	ck_assert_uint_eq(vblk_stat_get(&shared->stats.replayed),
			  left * (DEATHS + 1) / 2);
	/* In their order: the later one of two writes is what is there. */
	for (i = 0; i < offered; i++)
		if (i % 3)
			last[i % 4] = i + 1;
	for (i = 0; i < 4; i++)
		ck_assert_uint_eq(mem_blk_data(disk)[(STUCK + i) * 512],
				  last[i]);
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_successor");
	TCase *tc = tcase_create("queue_successor");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, test_successor, 0, 2);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
