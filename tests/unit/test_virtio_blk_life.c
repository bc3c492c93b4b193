/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The life of a virtio-blk queue: stop with requests in flight, start again,
 * a successor that takes over, and a driver that writes while it is read.
 */
#include <check.h>
#include <errno.h>
#include <liburing.h>
#include <linux/virtio_blk.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/loop.h"
#include "lib/why.h"
#include "tests/unit/driver_blk.h"
#include "tests/unit/driver_hold.h"
#include "virtio/inflight.h"

#define OK    VIRTIO_BLK_S_OK
#define IOERR VIRTIO_BLK_S_IOERR
#define SIZE  64

static struct driver_blk b;
static struct hold hold;
static int stops;

static void begin(void)
{
	hold_init(&hold, 2048, 512);
	hold.fill = 0x5a;
	driver_blk_init(&b, &hold.dev, SIZE, 0);
}

static void end(void)
{
	driver_blk_free(&b);
}

static void count_stop(void *arg)
{
	stops++;
}

static struct driver_req add_read(uint64_t sector)
{
	return driver_blk_add(&b, VIRTIO_BLK_T_IN, sector, 512, true);
}

/* Waits for what is in flight, takes nothing new, answers before the end. */
START_TEST(test_stop_in_flight)
{
	struct driver_req r[4];
	int i;

	begin();
	stops = 0;
	hold.hold = true;
	for (i = 0; i < 3; i++)
		r[i] = add_read((uint64_t)i);
	driver_kick(&b.d);
	driver_blk_turns(&b, 5);
	ck_assert_uint_eq(hold.nr_held, 3);
	vblk_queue_stop(b.queue, count_stop, NULL);
	r[3] = add_read(3);
	driver_publish(&b.d);
	eventfd_write(b.d.setup.kick_fd, 1);
	driver_blk_turns(&b, 20);
	ck_assert_int_eq(stops, 0);
	ck_assert(vblk_queue_runs(b.queue));
	ck_assert_uint_eq(hold.nr_held, 3);
	hold_end(&hold, 2, 0);
	hold_end(&hold, 0, -EIO);
	driver_blk_turns(&b, 20);
	ck_assert_int_eq(stops, 0);
	hold_end(&hold, 0, 0);
	ck_assert_int_eq(stops, 0);
	driver_blk_turns(&b, 20);
	ck_assert_int_eq(stops, 1);
	ck_assert(!vblk_queue_runs(b.queue));
	ck_assert_uint_eq(vblk_queue_state(b.queue).avail_index, 3);
	ck_assert_uint_eq(b.d.used->idx, 3);
	ck_assert_uint_eq(*driver_blk_at(&b, r[0].status), IOERR);
	ck_assert_uint_eq(*driver_blk_at(&b, r[1].status), OK);
	ck_assert_uint_eq(*driver_blk_at(&b, r[2].status), OK);
	/* The kick stayed for whoever comes next, and so did the request. */
	hold.hold = false;
	b.d.setup.state.avail_index = vblk_queue_state(b.queue).avail_index;
	driver_blk_start(&b);
	for (i = 0; i < 4; i++)
		driver_blk_wait(&b, NULL);
	ck_assert_uint_eq(*driver_blk_at(&b, r[3].status), OK);
	end();
}
END_TEST

/* No start, no kick, a start that failed, twice over: a stop always comes. */
START_TEST(test_stop_idle)
{
	struct virtq_setup bad;
	struct why why = { "" };
	int i;

	begin();
	for (i = 0; i < 3; i++) {
		driver_blk_stop(&b);
		driver_blk_stop(&b);
		bad = b.d.setup;
		bad.num = 3;
		ck_assert_int_eq(vblk_queue_start(b.queue, &bad, &why),
				 -EINVAL);
		ck_assert(!vblk_queue_runs(b.queue));
		driver_blk_stop(&b);
		driver_reset(&b.d);
		driver_blk_start(&b);
		ck_assert_int_eq(vblk_queue_start(b.queue, &b.d.setup, &why),
				 -EBUSY);
		ck_assert_uint_eq(driver_blk_run(&b, VIRTIO_BLK_T_IN, 0, 512,
						 true, NULL),
				  OK);
	}
	end();
}
END_TEST

/* After the stop nothing of the driver's memory is touched. */
START_TEST(test_memory_gone)
{
	begin();
	ck_assert_uint_eq(
		driver_blk_run(&b, VIRTIO_BLK_T_IN, 0, 512, true, NULL), OK);
	driver_blk_stop(&b);
	driver_mem_free(&b.d.mem);
	eventfd_write(b.d.setup.kick_fd, 1);
	driver_blk_turns(&b, 5);
	end();
}
END_TEST

static void set_done(struct loop_op *op, int res)
{
	ck_assert_int_eq(res, sizeof(uint64_t));
	op->done = NULL;
}

/* How often the loop turns in 20 ms in which nothing happens. */
static unsigned idle_turns(void)
{
	const struct itimerspec soon = { .it_value.tv_nsec = 20000000 };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct loop_op op = { set_done };
	unsigned nr = 0;
	uint64_t value;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(timerfd_settime(fd, 0, &soon, NULL), 0);
	io_uring_prep_read(loop_sqe(b.loop, &op), fd, &value, sizeof(value), 0);
	for (; op.done; nr++)
		ck_assert_int_eq(loop_turn(b.loop, true), 0);
	close(fd);
	return nr;
}

/*
 * A kick descriptor that is none: the queue says so, is not asked again, and
 * can be stopped.
 */
START_TEST(test_bad_kick_fd)
{
	int fd;

	begin();
	driver_blk_stop(&b);
	fd = b.d.setup.kick_fd;
	b.d.setup.kick_fd = -1;
	driver_reset(&b.d);
	driver_blk_start(&b);
	driver_blk_turns(&b, 5);
	ck_assert(b.stats.broken);
	ck_assert_str_ne(b.stats.reason, "");
	ck_assert_uint_le(idle_turns(), 10);
	driver_blk_stop(&b);
	b.d.setup.kick_fd = fd;
	driver_blk_start(&b);
	ck_assert_uint_eq(
		driver_blk_run(&b, VIRTIO_BLK_T_IN, 0, 512, true, NULL), OK);
	end();
}
END_TEST

/*
 * A device dies with requests in flight, in the second of two lives; the
 * next one does them first, in the order they came, and answers each once.
 */
START_TEST(test_successor)
{
	uint64_t *mem = calloc(1, inflight_size(SIZE));
	struct inflight_queue log, log2;
	struct driver_blk dead;
	struct driver_req r[5];
	struct hold heir;
	uint16_t head;
	int i;

	begin();
	driver_blk_stop(&b);
	driver_reset(&b.d);
	inflight_queue_init(&log, mem, SIZE);
	b.d.setup.inflight = &log;
	driver_blk_start(&b);
	hold.hold = true;
	for (i = 0; i < 4; i++)
		r[i] = add_read((uint64_t)i);
	driver_kick(&b.d);
	driver_blk_turns(&b, 5);
	hold_end(&hold, 1, 0);
	driver_blk_turns(&b, 2);
	ck_assert_uint_eq(driver_blk_wait(&b, NULL), r[1].head);
	r[4] = add_read(4);
	driver_publish(&b.d);

	/* The dead one is left as it is; its driver moves on. */
	dead = b;
	hold_init(&heir, 2048, 512);
	heir.hold = true;
	heir.fill = 0x77;
	driver_blk_init(&b, &heir.dev, SIZE, 0);
	driver_blk_stop(&b);
	driver_free(&b.d);
	b.d = dead.d;
	b.d.setup.host = &b.d.mem;
	inflight_queue_init(&log2, mem, SIZE);
	b.d.setup.inflight = &log2;
	b.d.mem.interrupts = 0;
	driver_blk_start(&b);
	ck_assert_uint_eq(b.stats.replayed, 3);
	ck_assert_uint_eq(heir.nr_held, 4);
	ck_assert_uint_eq(heir.held[0]->sector, 0);
	ck_assert_uint_eq(heir.held[1]->sector, 2);
	ck_assert_uint_eq(heir.held[2]->sector, 3);
	ck_assert_uint_eq(heir.held[3]->sector, 4);
	driver_blk_turns(&b, 2);
	ck_assert_uint_eq(b.d.mem.interrupts, 1);
	while (heir.nr_held)
		hold_end(&heir, heir.nr_held - 1, 0);
	for (i = 0; i < 4; i++)
		driver_blk_wait(&b, NULL);
	ck_assert(!driver_collect(&b.d, &head, NULL));
	ck_assert_uint_eq(*driver_blk_at(&b, r[0].data), 0x77);
	heir.hold = false;
	ck_assert_uint_eq(
		driver_blk_run(&b, VIRTIO_BLK_T_IN, 0, 512, true, NULL), OK);
	/* Bury the dead, while there is still a ring that it can scribble on. */
	while (hold.nr_held)
		hold_end(&hold, 0, 0);
	driver_blk_stop(&dead);
	vblk_queue_free(dead.queue);
	vblk_free(dead.vblk);
	loop_free(dead.loop);
	driver_blk_free(&b);
	free(mem);
}
END_TEST

/* The layer below has no queue to give: nothing is left behind. */
START_TEST(test_no_queue)
{
	struct vblk_queue *queue = NULL;

	begin();
	hold.open_err = -EMFILE;
	ck_assert_int_eq(vblk_queue_new(b.vblk, 1, b.loop, &b.stats, &queue),
			 -EMFILE);
	ck_assert_ptr_null(queue);
	end();
}
END_TEST

/* What the other thread writes into, and for how long. */
struct scribble {
	_Atomic bool stop;
	uint8_t *at[3];
	size_t len[3];
};

__attribute__((no_sanitize("thread"))) static void *scribble(void *arg)
{
	struct scribble *s = arg;
	uint32_t x = 1;

	while (!s->stop) {
		unsigned k;
		volatile uint8_t *p;

		x = x * 1664525 + 1013904223;
		k = x >> 30;
		if (k > 2)
			continue;
		p = s->at[k] + (x >> 8) % s->len[k];
		*p ^= (uint8_t)(1 << (x & 7));
	}
	return NULL;
}

/* The next of eight requests, whatever became of the ring meanwhile. */
static void offer(unsigned i)
{
	uint64_t at = DRIVER_DATA + 1024 + i * 64;
	struct driver_seg seg[3] = {
		{ at, 16, false },
		{ DRIVER_DATA + 8192 + i * 512, 512, true },
		{ at + 32, 1, true },
	};
	struct vring_packed_desc *e;
	unsigned k, nr = i % 2 ? 3 : 1;

	for (k = 0; k < nr; k++) {
		e = &b.d.packed.desc[b.d.packed.next.idx];
		if (nr == 1)
			*e = (struct vring_packed_desc){
				DRIVER_DATA + 4096 + i * 64, 48, (uint16_t)i,
				VRING_DESC_F_INDIRECT
			};
		else
			*e = (struct vring_packed_desc){
				seg[k].iova, seg[k].len, (uint16_t)i,
				(uint16_t)((k < 2 ? VRING_DESC_F_NEXT : 0) |
					   (k ? VRING_DESC_F_WRITE : 0))
			};
		e->flags |= b.d.packed.next.wrap
				    ? 1 << VRING_PACKED_DESC_F_AVAIL
				    : 1 << VRING_PACKED_DESC_F_USED;
		if (++b.d.packed.next.idx == SIZE) {
			b.d.packed.next.idx = 0;
			b.d.packed.next.wrap = !b.d.packed.next.wrap;
		}
	}
}

/* Whatever comes out, nothing outside the mappings is touched; ends clean. */
static void race_round(struct scribble *s)
{
	pthread_t thread;
	int i;

	s->stop = false;
	ck_assert_int_eq(pthread_create(&thread, NULL, scribble, s), 0);
	for (i = 0; i < 300 && !b.stats.broken; i++) {
		if (b.d.packed.desc) {
			offer((unsigned)i % 8);
		} else {
			driver_raw_avail(&b.d, (uint16_t)(i % 8 * 4));
			driver_publish(&b.d);
		}
		eventfd_write(b.d.setup.kick_fd, 1);
		driver_blk_turns(&b, 2);
	}
	s->stop = true;
	pthread_join(thread, NULL);
	driver_blk_stop(&b);
}

static void fill_packed(void)
{
	struct virtio_blk_outhdr h = { .type = VIRTIO_BLK_T_IN, .sector = 1 };
	struct vring_packed_desc *t;
	unsigned i;
	uint64_t at;

	for (i = 0; i < 8; i++) {
		at = DRIVER_DATA + 1024 + i * 64;
		memcpy(driver_blk_at(&b, at), &h, sizeof(h));
		t = (void *)driver_blk_at(&b, DRIVER_DATA + 4096 + i * 64);
		t[0] = (struct vring_packed_desc){ at, 16, 0, 0 };
		t[1] = (struct vring_packed_desc){ DRIVER_DATA + 8192 + i * 512,
						   512, 0, VRING_DESC_F_WRITE };
		t[2] = (struct vring_packed_desc){ at + 32, 1, 0,
						   VRING_DESC_F_WRITE };
	}
}

static void fill_ring(uint64_t headers, uint64_t tables)
{
	struct virtio_blk_outhdr h = { .type = VIRTIO_BLK_T_IN, .sector = 1 };
	struct vring_desc *t;
	unsigned i;

	for (i = 0; i < 8; i++) {
		memcpy(driver_blk_at(&b, headers + i * 16), &h, sizeof(h));
		t = (void *)driver_blk_at(&b, tables + i * 64);
		t[0] = (struct vring_desc){ headers + i * 16, 16,
					    VRING_DESC_F_NEXT, 1 };
		t[1] = (struct vring_desc){ DRIVER_DATA + i * 4096, 512,
					    VRING_DESC_F_WRITE |
						    VRING_DESC_F_NEXT,
					    2 };
		t[2] = (struct vring_desc){ DRIVER_DATA + 40960 + i, 1,
					    VRING_DESC_F_WRITE, 0 };
		if (i % 2)
			memcpy(&b.d.desc[i * 4], t, 48);
		else
			driver_raw_desc(&b.d, i * 4, tables + i * 64, 48,
					VRING_DESC_F_INDIRECT, 0);
		if (i % 2) {
			b.d.desc[i * 4].next = (uint16_t)(i * 4 + 1);
			b.d.desc[i * 4 + 1].next = (uint16_t)(i * 4 + 2);
		}
	}
}

START_TEST(test_scribbling_driver)
{
	uint64_t headers, tables;
	struct timespec now, until;
	struct scribble s;
	uint64_t broken = 0, answered = 0;
	int i;

	hold_init(&hold, 2048, 512);
	driver_blk_init_ring(&b, &hold.dev, SIZE, 0, _i);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 1;
	do {
		driver_blk_stop(&b);
		driver_reset(&b.d);
		b.d.next_data = DRIVER_DATA + 65536;
		headers = driver_alloc(&b.d, 16 * 8, 64);
		tables = driver_alloc(&b.d, 64 * 8, 64);
		s.at[0] = driver_blk_at(&b, DRIVER_DESC);
		s.len[0] = SIZE * 16;
		if (b.d.packed.desc) {
			fill_packed();
			headers = DRIVER_DATA + 1024;
			tables = DRIVER_DATA + 4096;
		} else {
			fill_ring(headers, tables);
		}
		s.at[1] = driver_blk_at(&b, headers);
		s.len[1] = b.d.packed.desc ? 64 * 8 : 16 * 8;
		s.at[2] = driver_blk_at(&b, tables);
		s.len[2] = 64 * 8;
		driver_blk_start(&b);
		race_round(&s);
		broken += b.stats.broken != 0;
		for (i = 0, answered = 0; i < VBLK_NR_OPS; i++)
			answered += b.stats.op[i].requests;
		driver_reset(&b.d);
		driver_blk_start(&b);
		ck_assert_uint_eq(driver_blk_run(&b, VIRTIO_BLK_T_IN, 0, 512,
						 true, NULL),
				  OK);
		clock_gettime(CLOCK_MONOTONIC, &now);
		/* Some time, and until both have come of it. */
	} while (now.tv_sec < until.tv_sec || !broken || !answered);
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtio_blk_life");
	TCase *tc = tcase_create("life");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, test_stop_in_flight);
	tcase_add_test(tc, test_stop_idle);
	tcase_add_test(tc, test_memory_gone);
	tcase_add_test(tc, test_bad_kick_fd);
	tcase_add_test(tc, test_successor);
	tcase_add_test(tc, test_no_queue);
	tcase_add_loop_test(tc, test_scribbling_driver, 0, 2);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
