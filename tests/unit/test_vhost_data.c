/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* vhost-user: requests through both ring formats, stops, resumes, reconnects. */
#include <check.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/blk.h"
#include "backend/mem.h"
#include "lib/loop.h"
#include "tests/unit/blk_help.h"
#include "tests/unit/driver_hold.h"
#include "tests/unit/vhost_front.h"
#include "vhost-user/dev.h"
#include "virtio/inflight.h"

#define SECTORS	 2048
#define PACKED	 (1ULL << VIRTIO_F_RING_PACKED)
#define NO_EVENT (1ULL << VIRTIO_RING_F_EVENT_IDX)
#define PIECE	 8192U

static const uint64_t formats[] = {
	~PACKED,
	FRONT_ALL,
	~(PACKED | NO_EVENT),
	~NO_EVENT,
};

#define NR_FORMATS (sizeof(formats) / sizeof(formats[0]))

static struct front f;
static struct blk_dev *mem;
static struct hold hold;

static void setup(void)
{
	ck_assert_int_eq(
		mem_blk_new(SECTORS, &(struct mem_blk_options){ 0 }, &mem), 0);
	front_init(&f, mem);
}

static void teardown(void)
{
	front_free(&f);
	blk_close(mem);
}

static void setup_hold(void)
{
	hold_init(&hold, SECTORS, 512);
	hold.hold = true;
	front_init(&f, &hold.dev);
}

static void teardown_hold(void)
{
	while (hold.nr_held)
		hold_end(&hold, 0, 0);
	front_free(&f);
}

static void write_and_read(unsigned seed)
{
	struct driver_req r;
	uint8_t want[PIECE];

	fill_bytes(want, sizeof(want), seed);
	r = driver_blk_add(&f.b, VIRTIO_BLK_T_OUT, seed, PIECE, false);
	memcpy(driver_blk_at(&f.b, r.data), want, PIECE);
	driver_kick(&f.b.d);
	ck_assert_uint_eq(driver_blk_wait(&f.b, &r.used), r.head);
	ck_assert_uint_eq(*driver_blk_at(&f.b, r.status), VIRTIO_BLK_S_OK);
	ck_assert_mem_eq(mem_blk_data(mem) + 512UL * seed, want, PIECE);
	ck_assert_uint_eq(driver_blk_run(&f.b, VIRTIO_BLK_T_IN, seed, PIECE,
					 true, &r),
			  VIRTIO_BLK_S_OK);
	ck_assert_mem_eq(driver_blk_at(&f.b, r.data), want, PIECE);
}

START_TEST(test_data)
{
	unsigned i;

	front_start(&f, formats[_i]);
	ck_assert_uint_eq(f.status, 0xf);
	for (i = 0; i < 3 * FRONT_SIZE; i++) {
		f.b.shape = i % DRIVER_NR_SHAPES;
		write_and_read(i);
	}
	/* Nobody but the front end's own descriptor was told. */
	ck_assert_uint_gt(vblk_stat_get(&f.stats[0].interrupts), 0);
}
END_TEST

START_TEST(test_interrupts_arrive)
{
	struct driver_req r;
	eventfd_t count;

	front_start(&f, formats[_i]);
	while (!eventfd_read(f.call_fd, &count))
		;
	ck_assert_uint_eq(driver_blk_run(&f.b, VIRTIO_BLK_T_IN, 0, 512, true,
					 &r),
			  VIRTIO_BLK_S_OK);
	ck_assert_int_eq(eventfd_read(f.call_fd, &count), 0);
}
END_TEST

START_TEST(test_another_call_descriptor)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	eventfd_t count;

	front_start(&f, formats[_i]);
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_VRING_CALL, 0, fd), 0);
	/* What the old one was told may have been missed. */
	ck_assert_int_eq(eventfd_read(fd, &count), 0);
	while (!eventfd_read(f.call_fd, &count))
		;
	driver_blk_run(&f.b, VIRTIO_BLK_T_IN, 0, 512, true, NULL);
	ck_assert_int_ne(eventfd_read(f.call_fd, &count), 0);
	ck_assert_int_eq(eventfd_read(fd, &count), 0);
	/* None at all: the front end looks at the ring itself. */
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_VRING_CALL,
					VHOST_VRING_NOFD, -1),
			  0);
	driver_blk_run(&f.b, VIRTIO_BLK_T_IN, 0, 512, true, NULL);
	ck_assert_int_ne(eventfd_read(fd, &count), 0);
	close(fd);
}
END_TEST

START_TEST(test_no_kick_descriptor)
{
	struct driver_req r;
	uint32_t len;
	uint16_t head;

	front_connect(&f);
	front_handshake(&f, formats[_i]);
	front_new_driver(&f, f.features);
	front_share_memory(&f);
	front_setup_ring(&f, f.features & PACKED ? 0x80008000 : 0);
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_VRING_KICK,
					VHOST_VRING_NOFD, -1),
			  0);
	ck_assert_uint_eq(front_ask_ring(&f, VHOST_SET_VRING_ENABLE, 1), 0);
	front_turns(&f);
	r = driver_blk_add(&f.b, VIRTIO_BLK_T_IN, 0, 512, true);
	driver_publish(&f.b.d);
	while (!driver_collect(&f.b.d, &head, &len))
		ck_assert_int_eq(loop_turn(f.loop, true), 0);
	ck_assert_uint_eq(head, r.head);
}
END_TEST

START_TEST(test_enabled_before_the_kick)
{
	front_connect(&f);
	front_handshake(&f, formats[_i]);
	front_new_driver(&f, f.features);
	ck_assert_uint_eq(front_ask_ring(&f, VHOST_SET_VRING_ENABLE, 1), 0);
	front_share_memory(&f);
	front_setup_ring(&f, f.features & PACKED ? 0x80008000 : 0);
	ck_assert(!vblk_queue_runs(f.queue[0]));
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_VRING_KICK, 0,
					f.b.d.setup.kick_fd),
			  0);
	ck_assert(vblk_queue_runs(f.queue[0]));
	write_and_read(1);
}
END_TEST

/* Without the bit there are no messages to enable it. */
START_TEST(test_enabled_by_the_features)
{
	uint64_t features;

	front_connect(&f);
	features = front_get_u64(&f, VHOST_GET_FEATURES) & formats[_i] &
		   ~(1ULL << VHOST_F_PROTOCOL_FEATURES);
	front_handshake(&f, features);
	front_new_driver(&f, f.features);
	front_share_memory(&f);
	front_setup_ring(&f, f.features & PACKED ? 0x80008000 : 0);
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_VRING_KICK, 0,
					f.b.d.setup.kick_fd),
			  0);
	write_and_read(1);
}
END_TEST

START_TEST(test_stop_and_start)
{
	uint32_t base;

	front_start(&f, formats[_i]);
	write_and_read(1);
	ck_assert_uint_eq(front_ask_ring(&f, VHOST_SET_VRING_ENABLE, 0), 0);
	ck_assert(!vblk_queue_runs(f.queue[0]));
	ck_assert_uint_eq(front_ask_ring(&f, VHOST_SET_VRING_ENABLE, 1), 0);
	write_and_read(2);
	base = front_get_base(&f);
	ck_assert(!vblk_queue_runs(f.queue[0]));
	/* Four requests, of three descriptors each or an index. */
	ck_assert_uint_eq(base, f.features & PACKED ? 0x00040004 : 4);
	/* It stands where it stood. */
	ck_assert_uint_eq(front_get_base(&f), base);
	ck_assert_uint_eq(f.status, 0);
	front_setup_ring(&f, base);
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_VRING_KICK, 0,
					f.b.d.setup.kick_fd),
			  0);
	write_and_read(3);
}
END_TEST

START_TEST(test_memory_changes_while_it_runs)
{
	struct vhost_one_region extra = {
		.region = { .guest = 0x70000000,
			    .size = 4096,
			    .user = 0x10000,
			    .offset = 0 },
	};

	front_start(&f, formats[_i]);
	write_and_read(1);
	ck_assert_uint_eq(front_ask(&f, VHOST_ADD_MEM_REG, &extra,
				    sizeof(extra), f.mem_fd),
			  0);
	write_and_read(2);
	ck_assert_uint_eq(front_ask(&f, VHOST_REM_MEM_REG, &extra,
				    sizeof(extra), f.mem_fd),
			  0);
	write_and_read(3);
	front_share_memory(&f);
	write_and_read(4);
}
END_TEST

/* Its rings are gone: there is nothing to go on with. */
START_TEST(test_memory_goes_while_it_runs)
{
	const struct vhost_table none = { 0 };

	front_start(&f, formats[_i]);
	front_send(&f, VHOST_SET_MEM_TABLE, VHOST_VERSION | VHOST_NEED_REPLY,
		   &none, 8, NULL, 0);
	front_expect_end(&f);
	ck_assert(!vblk_queue_runs(f.queue[0]));
}
END_TEST

START_TEST(test_reconnect)
{
	unsigned fds = front_count_fds();

	front_start(&f, formats[_i]);
	write_and_read(1);
	front_leave(&f);
	front_turns(&f);
	ck_assert_uint_eq(f.status, 0);
	ck_assert(!vblk_queue_runs(f.queue[0]));
	ck_assert_uint_eq(front_count_fds(), fds);
	front_start(&f, formats[_i]);
	write_and_read(2);
}
END_TEST

START_TEST(test_one_at_a_time)
{
	int first;

	front_start(&f, formats[_i]);
	first = f.sock;
	front_connect(&f);
	front_send(&f, VHOST_GET_FEATURES, VHOST_VERSION, NULL, 0, NULL, 0);
	front_turns(&f);
	write_and_read(1);
	/* The second is served when the first has gone. */
	ck_assert_uint_eq(f.status, 0xf);
	close(first);
	ck_assert_uint_gt(front_receive(&f, &(uint64_t){ 0 }, 8, NULL), 0);
}
END_TEST

/* The front end cuts its memory: an error of the request, and no more. */
START_TEST(test_memory_cut)
{
	struct driver_seg seg[2];
	uint64_t status;
	uint32_t len;

	front_start(&f, formats[_i]);
	status = driver_alloc(&f.b.d, 64, 4096);
	*driver_blk_at(&f.b, status) = 0xee;
	driver_alloc(&f.b.d, 1 << 20, 4096);
	/* The header is missing; cryptdev's tests have data that are. */
	seg[0] = (struct driver_seg){ driver_alloc(&f.b.d, 16, 4096), 16,
				      false };
	seg[1] = (struct driver_seg){ status, 1, true };
	driver_add(&f.b.d, DRIVER_DIRECT, seg, 2);
	ck_assert_int_eq(
		ftruncate(f.mem_fd,
			  (char *)driver_blk_at(&f.b, status) - f.mem + 4096),
		0);
	driver_kick(&f.b.d);
	driver_blk_wait(&f.b, &len);
	ck_assert_uint_eq(*driver_blk_at(&f.b, status), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(ftruncate(f.mem_fd, FRONT_MEM), 0);
	write_and_read(2);
	/* Now the rings as well. */
	ck_assert_int_eq(ftruncate(f.mem_fd, 0), 0);
	eventfd_write(f.b.d.setup.kick_fd, 1);
	front_turns(&f);
	ck_assert_uint_eq(vblk_stat_get(&f.stats[0].broken), 1);
	ck_assert_int_eq(ftruncate(f.mem_fd, FRONT_MEM), 0);
	front_leave(&f);
	front_turns(&f);
	front_start(&f, formats[_i]);
	write_and_read(3);
}
END_TEST

/* Whoever asked for it is told that a ring is broken, and nobody else. */
START_TEST(test_broken_ring)
{
	int fd[2] = { eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		      eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	eventfd_t count;

	front_start(&f, formats[_i]);
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_VRING_ERR, 0, fd[0]), 0);
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_VRING_ERR, 0, fd[1]), 0);
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_VRING_ERR, 1, fd[0]), 0);
	write_and_read(1);
	ck_assert_int_ne(eventfd_read(fd[1], &count), 0);
	ck_assert_int_eq(ftruncate(f.mem_fd, 0), 0);
	eventfd_write(f.b.d.setup.kick_fd, 1);
	front_turns(&f);
	ck_assert_int_eq(eventfd_read(fd[1], &count), 0);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_ne(eventfd_read(fd[0], &count), 0);
	ck_assert_int_eq(ftruncate(f.mem_fd, FRONT_MEM), 0);
	/* A ring without one says it to nobody. */
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_VRING_ERR,
					VHOST_VRING_NOFD, -1),
			  0);
	close(fd[0]);
	close(fd[1]);
}
END_TEST

static void get_log(void)
{
	const struct vhost_inflight want = { .nr_queues = FRONT_QUEUES,
					     .queue_size = FRONT_SIZE };

	front_send(&f, VHOST_GET_INFLIGHT_FD, VHOST_VERSION, &want,
		   VHOST_INFLIGHT_LEN, NULL, 0);
	ck_assert_uint_eq(front_receive(&f, &f.inflight, sizeof(f.inflight),
					&f.log_fd),
			  VHOST_INFLIGHT_LEN);
}

static void start_ring(void)
{
	front_share_memory(&f);
	front_setup_ring(&f, f.features & PACKED ? 0x80008000 : 0);
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_VRING_KICK, 0,
					f.b.d.setup.kick_fd),
			  0);
	ck_assert_uint_eq(front_ask_ring(&f, VHOST_SET_VRING_ENABLE, 1), 0);
}

static void begin_held(uint64_t features)
{
	front_connect(&f);
	front_handshake(&f, features);
	get_log();
	front_new_driver(&f, f.features);
	start_ring();
}

/*
 * A server dies with requests in flight: the log and the memory are what it
 * left at that moment.  The next one does them again, in their order.
 */
START_TEST(test_resume)
{
	static char left_mem[65536], left_log[65536];
	struct driver_req r[2];
	uint32_t len;
	unsigned i;

	begin_held(formats[_i]);
	for (i = 0; i < 2; i++)
		r[i] = driver_blk_add(&f.b, VIRTIO_BLK_T_IN, 8 + i, 512, true);
	driver_kick(&f.b.d);
	front_turns(&f);
	ck_assert_uint_eq(hold.nr_held, 2);
	memcpy(left_mem, f.mem, sizeof(left_mem));
	ck_assert_int_gt(pread(f.log_fd, left_log, sizeof(left_log), 0), 0);
	front_leave(&f);
	front_turns(&f);
	while (hold.nr_held)
		hold_end(&hold, 0, 0);
	front_kill_back(&f);
	memcpy(f.mem, left_mem, sizeof(left_mem));
	ck_assert_int_gt(pwrite(f.log_fd, left_log, f.inflight.size, 0), 0);

	front_connect(&f);
	front_handshake(&f, formats[_i]);
	ck_assert_uint_eq(front_ask(&f, VHOST_SET_INFLIGHT_FD, &f.inflight,
				    sizeof(f.inflight), f.log_fd),
			  0);
	start_ring();
	front_turns(&f);
	ck_assert_uint_eq(hold.nr_held, 2);
	ck_assert_uint_eq(f.stats[0].replayed, 2);
	for (i = 0; i < 2; i++) {
		ck_assert_uint_eq(hold.held[0]->sector, 8 + i);
		hold_end(&hold, 0, 0);
		ck_assert_uint_eq(driver_blk_wait(&f.b, &len), r[i].head);
	}
	hold.hold = false;
	ck_assert_uint_eq(driver_blk_run(&f.b, VIRTIO_BLK_T_IN, 0, 512, true,
					 NULL),
			  VIRTIO_BLK_S_OK);
}
END_TEST

/* GET_VRING_BASE answers when what is in flight has ended, and not before. */
START_TEST(test_drain)
{
	struct vhost_vring_state s = { 0, 0 };
	uint32_t len;

	begin_held(formats[_i]);
	driver_blk_add(&f.b, VIRTIO_BLK_T_IN, 8, 512, true);
	driver_kick(&f.b.d);
	front_turns(&f);
	ck_assert_uint_eq(hold.nr_held, 1);
	front_send(&f, VHOST_GET_VRING_BASE, VHOST_VERSION, &s, sizeof(s), NULL,
		   0);
	front_turns(&f);
	ck_assert_int_lt(recv(f.sock, &s, 1, MSG_DONTWAIT), 0);
	hold_end(&hold, 0, 0);
	ck_assert_uint_eq(front_receive(&f, &s, sizeof(s), NULL), sizeof(s));
	ck_assert(driver_collect(&f.b.d, &(uint16_t){ 0 }, &len));
}
END_TEST

static uint64_t set_wce(uint8_t wce)
{
	const struct vhost_config c = {
		.offset = offsetof(struct virtio_blk_config, wce),
		.size = 1,
		.data = { wce },
	};

	return front_ask(&f, VHOST_SET_CONFIG, &c, VHOST_CONFIG_HEAD + 1, -1);
}

static bool writes_through(void)
{
	ck_assert_uint_eq(driver_blk_run(&f.b, VIRTIO_BLK_T_OUT, 0, 512, false,
					 NULL),
			  VIRTIO_BLK_S_OK);
	return hold.last.flags & BLK_FUA;
}

/* The server is made anew; the front end gives it the log before or after. */
static void resume(bool log_first)
{
	front_leave(&f);
	front_turns(&f);
	front_kill_back(&f);
	front_connect(&f);
	if (!log_first)
		front_handshake(&f, FRONT_ALL);
	else
		front_send(&f, VHOST_SET_PROTOCOL_FEATURES, VHOST_VERSION,
			   &(uint64_t){ 1ULL << VHOST_PF_INFLIGHT_SHMFD |
					1ULL << VHOST_PF_REPLY_ACK },
			   8, NULL, 0);
	ck_assert_uint_eq(front_ask(&f, VHOST_SET_INFLIGHT_FD, &f.inflight,
				    sizeof(f.inflight), f.log_fd),
			  0);
	if (log_first)
		front_handshake(&f, FRONT_ALL);
	front_new_driver(&f, f.features);
	ck_assert_int_eq(pwrite(f.log_fd, (char[64]){ 0 }, 64, 0), 64);
	start_ring();
}

/*
 * The cache mode outlives the server: a guest that writes through does not
 * flush, and nobody tells the next server.
 */
START_TEST(test_resume_cache_mode)
{
	off_t at = (off_t)(FRONT_QUEUES * inflight_size(FRONT_SIZE));

	hold.hold = false;
	begin_held(FRONT_ALL);
	ck_assert(!writes_through());
	resume(_i);
	ck_assert(!writes_through());
	ck_assert_uint_eq(set_wce(0), 0);
	ck_assert(writes_through());
	resume(_i);
	ck_assert(writes_through());
	ck_assert_uint_eq(set_wce(1), 0);
	resume(_i);
	ck_assert(!writes_through());
	/* What is none is not believed. */
	ck_assert_int_eq(pwrite(f.log_fd, "x", 1, at), 1);
	resume(_i);
	ck_assert(!writes_through());
	/* Another driver begins with its own. */
	ck_assert_uint_eq(set_wce(0), 0);
	ck_assert_uint_eq(front_ask(&f, VHOST_RESET_DEVICE, NULL, 0, -1), 0);
	resume(_i);
	ck_assert(!writes_through());
	/* One of a server that keeps no mode. */
	ck_assert_uint_eq(set_wce(0), 0);
	f.inflight.size = (uint64_t)at;
	resume(_i);
	ck_assert(!writes_through());
}
END_TEST

/* A reset forgets what was in flight, there as well. */
START_TEST(test_reset)
{
	static const uint32_t how[] = { VHOST_RESET_DEVICE, VHOST_SET_STATUS };
	uint32_t request = how[_i];

	hold.hold = false;
	begin_held(FRONT_ALL);
	ck_assert_uint_eq(driver_blk_run(&f.b, VIRTIO_BLK_T_IN, 0, 512, true,
					 NULL),
			  VIRTIO_BLK_S_OK);
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_STATUS, 0xf, -1), 0);
	ck_assert_uint_eq(front_get_u64(&f, VHOST_GET_STATUS), 0xf);
	ck_assert_uint_eq(request == VHOST_RESET_DEVICE
				  ? front_ask(&f, request, NULL, 0, -1)
				  : front_ask_u64(&f, request, 0, -1),
			  0);
	ck_assert(!vblk_queue_runs(f.queue[0]));
	ck_assert_uint_eq(front_get_u64(&f, VHOST_GET_STATUS), 0);
	ck_assert_uint_eq(f.features, 0);
	/* Features have to be accepted again. */
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_STATUS, 0xb, -1), 0);
	ck_assert_uint_eq(front_get_u64(&f, VHOST_GET_STATUS), 0x3);
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_FEATURES,
					front_get_u64(&f, VHOST_GET_FEATURES),
					-1),
			  0);
	driver_reset(&f.b.d);
	start_ring();
	ck_assert_uint_eq(driver_blk_run(&f.b, VIRTIO_BLK_T_IN, 0, 512, true,
					 NULL),
			  VIRTIO_BLK_S_OK);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vhost_data");
	TCase *tc = tcase_create("data"), *held = tcase_create("held");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_data, 0, NR_FORMATS);
	tcase_add_loop_test(tc, test_interrupts_arrive, 0, NR_FORMATS);
	tcase_add_loop_test(tc, test_another_call_descriptor, 0, NR_FORMATS);
	tcase_add_loop_test(tc, test_no_kick_descriptor, 0, NR_FORMATS);
	tcase_add_loop_test(tc, test_enabled_before_the_kick, 0, NR_FORMATS);
	tcase_add_loop_test(tc, test_enabled_by_the_features, 0, NR_FORMATS);
	tcase_add_loop_test(tc, test_stop_and_start, 0, NR_FORMATS);
	tcase_add_loop_test(tc, test_memory_changes_while_it_runs, 0,
			    NR_FORMATS);
	tcase_add_loop_test(tc, test_memory_goes_while_it_runs, 0, NR_FORMATS);
	tcase_add_loop_test(tc, test_reconnect, 0, NR_FORMATS);
	tcase_add_loop_test(tc, test_one_at_a_time, 0, NR_FORMATS);
	tcase_add_loop_test(tc, test_memory_cut, 0, NR_FORMATS);
	tcase_add_loop_test(tc, test_broken_ring, 0, NR_FORMATS);
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(held, setup_hold, teardown_hold);
	tcase_add_loop_test(held, test_resume, 0, NR_FORMATS);
	tcase_add_loop_test(held, test_drain, 0, NR_FORMATS);
	tcase_add_loop_test(held, test_reset, 0, 2);
	tcase_add_loop_test(held, test_resume_cache_mode, 0, 2);
	suite_add_tcase(s, held);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
