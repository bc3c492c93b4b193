/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vhost-user: front ends that do not keep to the protocol.  Each is
 * disconnected, leaves no descriptor behind, and the next one is served.
 */
#include <check.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/blk.h"
#include "backend/mem.h"
#include "lib/loop.h"
#include "tests/unit/vhost_front.h"
#include "vhost-user/memory.h"

static struct front f;
static struct blk_dev *mem;
static unsigned fds_before;

static void setup(void)
{
	ck_assert_int_eq(mem_blk_new(64, &(struct mem_blk_options){ 0 }, &mem),
			 0);
	front_init(&f, mem);
	fds_before = front_count_fds();
}

/* After whatever happened: nothing leaks, and an honest one is served. */
static void teardown(void)
{
	front_leave(&f);
	front_turns(&f);
	ck_assert_uint_eq(front_count_fds(), fds_before);
	ck_assert(!vblk_queue_runs(f.queue[0]));
	front_start(&f, FRONT_ALL);
	ck_assert_uint_eq(driver_blk_run(&f.b, VIRTIO_BLK_T_IN, 0, 512, true,
					 NULL),
			  VIRTIO_BLK_S_OK);
	front_free(&f);
	blk_close(mem);
}

/* Descriptors that a front end may have. */
enum kind {
	NOTHING,
	EVENT,
	MEMORY,	   /* the front end's, FRONT_MEM bytes */
	READ_ONLY, /* the same, and it cannot be written */
	PIPE,
	PLAIN_FILE,
	SEALED, /* a memfd of 4096 bytes with F_SEAL_SHRINK */
	SEALED_READ_ONLY,
};

static int make_fd(enum kind kind)
{
	int fds[2], fd;
	char path[64];

	switch (kind) {
	case NOTHING:
		return -1;
	case EVENT:
		return eventfd(0, EFD_CLOEXEC);
	case MEMORY:
		return dup(f.mem_fd);
	case READ_ONLY:
	case SEALED_READ_ONLY:
		fds[0] = make_fd(kind == READ_ONLY ? MEMORY : SEALED);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
		fd = open(path, O_RDONLY);
		close(fds[0]);
		return fd;
	case PIPE:
		ck_assert_int_eq(pipe(fds), 0);
		close(fds[1]);
		return fds[0];
	case PLAIN_FILE:
		return open("/proc/self/exe", O_RDONLY);
	case SEALED:
		fds[0] = memfd_create("sealed", MFD_ALLOW_SEALING);
		ck_assert_int_eq(ftruncate(fds[0], 4096), 0);
		fcntl(fds[0], F_ADD_SEALS, F_SEAL_SHRINK);
		return fds[0];
	}
	return -1;
}

/* How far an honest front end has come before. */
enum stage {
	FRESH,	 /* connected */
	SHAKEN,	 /* features and protocol features */
	RUNNING, /* ring 0 runs */
};

#define U64(value)   .len = 8, .payload.u64 = (value)
#define STATE(i, n)  .len = 8, .payload.state = { (i), (n) }
#define ADDR(...)    .len = 40, .payload.addr = { __VA_ARGS__ }
#define REGION(...)  .len = 40, .payload.one.region = { __VA_ARGS__ }
#define CONFIG(o, n) .len = 12 + (n), .payload.config = { (o), (n), 0, { 0 } }
#define DIRTY(...)   .len = 16, .payload.log = { __VA_ARGS__ }
#define LOG(...)     .len = 24, .payload.inflight = { __VA_ARGS__ }

static const struct {
	enum stage stage;
	uint32_t request;
	uint32_t len;
	union vhost_payload payload;
	enum kind kind;
	unsigned nr_fds; /* of that kind; 0: one, if it is not NOTHING */
} breaches[] = {
	/* Unknown, or not for this device. */
	{ SHAKEN, 0 },
	{ SHAKEN, VHOST_SET_LOG_BASE, U64(0) },
	{ SHAKEN, 28 },
	{ SHAKEN, VHOST_NR_REQUESTS },
	{ SHAKEN, UINT32_MAX },
	/* Too early. */
	{ FRESH, VHOST_GET_QUEUE_NUM },
	{ FRESH, VHOST_GET_CONFIG, CONFIG(0, 8) },
	{ FRESH, VHOST_ADD_MEM_REG, REGION(0, 4096, 0, 0), MEMORY },
	{ FRESH, VHOST_GET_INFLIGHT_FD, LOG(0, 0, 1, 8) },
	{ FRESH, VHOST_RESET_DEVICE },
	{ FRESH, VHOST_SET_STATUS, U64(1) },
	{ FRESH, VHOST_SET_VRING_KICK, U64(0), EVENT },
	{ SHAKEN, VHOST_SET_VRING_ENABLE, STATE(0, 2) },
	/* Wrong sizes. */
	{ SHAKEN, VHOST_GET_FEATURES, .len = 8 },
	{ SHAKEN, VHOST_SET_FEATURES, .len = 4 },
	{ SHAKEN, VHOST_SET_VRING_NUM, .len = 0 },
	{ SHAKEN, VHOST_SET_VRING_ADDR, .len = 32 },
	{ SHAKEN, VHOST_SET_MEM_TABLE, .len = 4 },
	{ SHAKEN, VHOST_SET_MEM_TABLE, .len = 8, .payload.table.nr = 1 },
	{ SHAKEN, VHOST_SET_MEM_TABLE, .len = 8, .payload.table.nr = 9 },
	{ SHAKEN, VHOST_SET_MEM_TABLE, .len = 8,
	  .payload.table.nr = 0x08000000 },
	{ SHAKEN, VHOST_SET_MEM_TABLE, .len = 264, .payload.table.nr = 7 },
	{ SHAKEN, VHOST_GET_CONFIG, .len = 8 },
	{ SHAKEN, VHOST_GET_CONFIG, .len = 20, .payload.config.size = 16 },
	{ SHAKEN, VHOST_GET_CONFIG, CONFIG(250, 8) },
	{ SHAKEN, VHOST_GET_CONFIG, CONFIG(UINT32_MAX, 8) },
	{ SHAKEN, VHOST_GET_CONFIG, .len = 12, .payload.config.size = 257 },
	{ SHAKEN, VHOST_GET_CONFIG, .len = 11,
	  .payload.config.size = UINT32_MAX },
	{ SHAKEN, VHOST_GET_INFLIGHT_FD, .len = 16 },
	/* Missing or extra descriptors. */
	{ SHAKEN, VHOST_GET_FEATURES, .kind = EVENT },
	{ SHAKEN, VHOST_SET_OWNER, .kind = EVENT, .nr_fds = 8 },
	{ SHAKEN, VHOST_SET_OWNER, .kind = EVENT, .nr_fds = 9 },
	{ SHAKEN, VHOST_SET_OWNER, .kind = EVENT, .nr_fds = 16 },
	{ SHAKEN, VHOST_SET_VRING_CALL, U64(0) },
	{ SHAKEN, VHOST_SET_VRING_CALL, U64(0), EVENT, 2 },
	{ SHAKEN, VHOST_SET_VRING_CALL, U64(VHOST_VRING_NOFD), EVENT },
	{ SHAKEN, VHOST_SET_VRING_KICK, U64(0) },
	{ SHAKEN, VHOST_SET_VRING_ERR, U64(0) },
	{ SHAKEN, VHOST_SET_MEM_TABLE, .len = 40, .kind = NOTHING,
	  .payload.table = { .nr = 1, .region = { { 0, 4096, 0, 0 } } } },
	{ SHAKEN, VHOST_SET_MEM_TABLE, .len = 40, .kind = MEMORY, .nr_fds = 2,
	  .payload.table = { .nr = 1, .region = { { 0, 4096, 0, 0 } } } },
	{ SHAKEN, VHOST_ADD_MEM_REG, REGION(0, 4096, 0, 0) },
	{ SHAKEN, VHOST_ADD_MEM_REG, REGION(0, 4096, 0, 0), MEMORY, 2 },
	{ SHAKEN, VHOST_SET_BACKEND_REQ_FD },
	{ SHAKEN, VHOST_SET_INFLIGHT_FD, LOG(4096, 0, 1, 8) },
	/* Descriptors that are something else. */
	{ SHAKEN, VHOST_SET_VRING_CALL, U64(0), PIPE },
	{ SHAKEN, VHOST_SET_VRING_KICK, U64(0), PIPE },
	{ SHAKEN, VHOST_SET_VRING_KICK, U64(0), MEMORY },
	{ SHAKEN, VHOST_SET_VRING_ERR, U64(0), PLAIN_FILE },
	{ SHAKEN, VHOST_SET_BACKEND_REQ_FD, .kind = PIPE },
	{ SHAKEN, VHOST_ADD_MEM_REG, REGION(0, 4096, 0, 0), PIPE },
	{ SHAKEN, VHOST_ADD_MEM_REG, REGION(0, 4096, 0, 0), EVENT },
	{ SHAKEN, VHOST_ADD_MEM_REG, REGION(0, 4096, 0, 0), PLAIN_FILE },
	{ SHAKEN, VHOST_ADD_MEM_REG, REGION(0, 4096, 0, 0), READ_ONLY },
	{ SHAKEN, VHOST_SET_INFLIGHT_FD, LOG(4096, 0, 1, 8), EVENT },
	/* The front end's memory has no seal. */
	{ SHAKEN, VHOST_SET_INFLIGHT_FD, LOG(4096, 0, 1, 8), MEMORY },
	/* Memory that cannot be. */
	{ SHAKEN, VHOST_ADD_MEM_REG, REGION(0, 0, 0, 0), MEMORY },
	{ SHAKEN, VHOST_ADD_MEM_REG, REGION(0, FRONT_MEM + 1, 0, 0), MEMORY },
	{ SHAKEN, VHOST_ADD_MEM_REG, REGION(0, 4096, 0, FRONT_MEM - 4095),
	  MEMORY },
	{ SHAKEN, VHOST_ADD_MEM_REG, REGION(0, 4096, 0, UINT64_MAX - 4095),
	  MEMORY },
	{ SHAKEN, VHOST_ADD_MEM_REG, REGION(0, UINT64_MAX, 0, 4096), MEMORY },
	{ SHAKEN, VHOST_ADD_MEM_REG, REGION(UINT64_MAX, 4096, 0, 0), MEMORY },
	{ SHAKEN, VHOST_ADD_MEM_REG, REGION(0, 4096, UINT64_MAX, 0), MEMORY },
	{ SHAKEN, VHOST_ADD_MEM_REG, REGION(0, INT64_MAX, 0, 0), MEMORY },
	{ SHAKEN, VHOST_REM_MEM_REG, REGION(0, 4096, 0, 0) },
	{ SHAKEN, VHOST_SET_MEM_TABLE, .len = 72, .kind = MEMORY, .nr_fds = 2,
	  .payload.table = { .nr = 2,
			     .region = { { 0, 8192, 0, 0 },
					 { 8191, 4096, 16384, 0 } } } },
	{ SHAKEN, VHOST_SET_MEM_TABLE, .len = 72, .kind = MEMORY, .nr_fds = 2,
	  .payload.table = { .nr = 2,
			     .region = { { 0, 8192, 0, 0 },
					 { 16384, 4096, 8191, 0 } } } },
	/* Rings that cannot be. */
	{ SHAKEN, VHOST_SET_VRING_NUM, STATE(FRONT_QUEUES, 8) },
	{ SHAKEN, VHOST_SET_VRING_NUM, STATE(UINT32_MAX, 8) },
	{ SHAKEN, VHOST_SET_VRING_NUM, STATE(0, 0) },
	{ SHAKEN, VHOST_SET_VRING_NUM, STATE(0, FRONT_SIZE + 1) },
	{ SHAKEN, VHOST_SET_VRING_BASE, STATE(FRONT_QUEUES, 0) },
	{ SHAKEN, VHOST_GET_VRING_BASE, STATE(FRONT_QUEUES, 0) },
	{ SHAKEN, VHOST_SET_VRING_ENABLE, STATE(FRONT_QUEUES, 1) },
	{ SHAKEN, VHOST_SET_VRING_ADDR, ADDR(FRONT_QUEUES) },
	{ SHAKEN, VHOST_SET_VRING_ADDR, ADDR(0, VHOST_VRING_F_LOG << 1) },
	{ SHAKEN, VHOST_SET_VRING_KICK, U64(FRONT_QUEUES), EVENT },
	{ SHAKEN, VHOST_SET_VRING_CALL, U64(0xff), EVENT },
	{ SHAKEN, VHOST_SET_VRING_CALL, U64(0x200), EVENT },
	{ SHAKEN, VHOST_SET_VRING_CALL, U64(1ULL << 32), EVENT },
	/* Features. */
	{ SHAKEN, VHOST_SET_FEATURES, U64(1) },
	{ SHAKEN, VHOST_SET_FEATURES, U64(UINT64_MAX) },
	{ SHAKEN, VHOST_SET_FEATURES,
	  U64(1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM) },
	{ SHAKEN, VHOST_SET_PROTOCOL_FEATURES, U64(1ULL << 2) },
	{ SHAKEN, VHOST_SET_PROTOCOL_FEATURES, U64(UINT64_MAX) },
	/* Configuration, logs, status. */
	{ SHAKEN, VHOST_SET_CONFIG, CONFIG(0, 8) },
	{ SHAKEN, VHOST_SET_CONFIG, CONFIG(32, 2) },
	{ SHAKEN, VHOST_GET_INFLIGHT_FD, LOG(0, 0, 0, 8) },
	{ SHAKEN, VHOST_GET_INFLIGHT_FD, LOG(0, 0, 3, 8) },
	{ SHAKEN, VHOST_GET_INFLIGHT_FD, LOG(0, 0, 1, 0) },
	{ SHAKEN, VHOST_GET_INFLIGHT_FD, LOG(0, 0, 1, FRONT_SIZE + 1) },
	{ SHAKEN, VHOST_SET_INFLIGHT_FD, LOG(8, 0, 1, 8), SEALED },
	{ SHAKEN, VHOST_SET_INFLIGHT_FD, LOG(4096, 4096, 1, 8), SEALED },
	{ SHAKEN, VHOST_SET_INFLIGHT_FD, LOG(4096, 8, 1, 8), SEALED },
	{ SHAKEN, VHOST_SET_INFLIGHT_FD, LOG(UINT64_MAX, 0, 1, 8), SEALED },
	{ SHAKEN, VHOST_SET_INFLIGHT_FD, LOG(4096, 1ULL << 63, 1, 8), SEALED },
	{ SHAKEN, VHOST_SET_INFLIGHT_FD, LOG(4096, 0, 1, 8), SEALED_READ_ONLY },
	{ SHAKEN, VHOST_SET_STATUS, U64(256) },
	/* Logs of dirty pages. */
	{ FRESH, VHOST_SET_LOG_BASE, DIRTY(4096, 0), SEALED },
	{ SHAKEN, VHOST_SET_LOG_BASE, DIRTY(4096, 0) },
	{ SHAKEN, VHOST_SET_LOG_BASE, DIRTY(0, 0), SEALED },
	{ SHAKEN, VHOST_SET_LOG_BASE, DIRTY(4096, 0), MEMORY },
	{ SHAKEN, VHOST_SET_LOG_BASE, DIRTY(4096, 0), PIPE },
	{ SHAKEN, VHOST_SET_LOG_BASE, DIRTY(4097, 0), SEALED },
	{ SHAKEN, VHOST_SET_LOG_BASE, DIRTY(1, 4096), SEALED },
	{ SHAKEN, VHOST_SET_LOG_BASE, DIRTY(8, 8), SEALED },
	{ SHAKEN, VHOST_SET_LOG_BASE, DIRTY(UINT64_MAX, 0), SEALED },
	{ SHAKEN, VHOST_SET_LOG_BASE, DIRTY(4096, 1ULL << 63), SEALED },
	{ SHAKEN, VHOST_SET_LOG_BASE, DIRTY(4096, 0), SEALED_READ_ONLY },
	{ SHAKEN, VHOST_SET_LOG_FD },
	/* While a ring runs. */
	{ RUNNING, VHOST_SET_VRING_NUM, STATE(0, 8) },
	{ RUNNING, VHOST_SET_VRING_BASE, STATE(0, 0) },
	{ RUNNING, VHOST_SET_VRING_ADDR, ADDR(0) },
	{ RUNNING, VHOST_SET_VRING_ADDR, ADDR(0, VHOST_VRING_F_LOG) },
	{ RUNNING, VHOST_SET_LOG_BASE, DIRTY(4096, 0), MEMORY },
	{ RUNNING, VHOST_SET_VRING_KICK, U64(0), EVENT },
	{ RUNNING, VHOST_SET_VRING_KICK, U64(VHOST_VRING_NOFD) },
	{ RUNNING, VHOST_SET_FEATURES, U64(1ULL << VIRTIO_F_VERSION_1) },
	{ RUNNING, VHOST_GET_INFLIGHT_FD, LOG(0, 0, 1, 8) },
	{ RUNNING, VHOST_SET_INFLIGHT_FD, LOG(4096, 0, 1, 8), SEALED },
	{ RUNNING, VHOST_SET_MEM_TABLE, .len = 8 },
	{ RUNNING, VHOST_SET_VRING_ENABLE, STATE(0, 2) },
	{ RUNNING, 99 },
};

#define NR_BREACHES (sizeof(breaches) / sizeof(breaches[0]))

static void come_to(enum stage stage)
{
	if (stage == RUNNING) {
		front_start(&f, FRONT_ALL);
		return;
	}
	front_connect(&f);
	if (stage == SHAKEN)
		front_handshake(&f, FRONT_ALL);
}

START_TEST(test_breach)
{
	int fds[16];
	unsigned i, nr = breaches[_i].nr_fds;

	if (!nr)
		nr = breaches[_i].kind != NOTHING;
	come_to(breaches[_i].stage);
	for (i = 0; i < nr; i++)
		fds[i] = make_fd(breaches[_i].kind);
	front_send(&f, breaches[_i].request, VHOST_VERSION,
		   &breaches[_i].payload, breaches[_i].len, fds, nr);
	for (i = 0; i < nr; i++)
		close(fds[i]);
	front_expect_end(&f);
}
END_TEST

START_TEST(test_bad_flags)
{
	static const uint32_t flags[] = { 0, 2, 3,
					  VHOST_VERSION | VHOST_REPLY };

	come_to(SHAKEN);
	front_send(&f, VHOST_GET_FEATURES, flags[_i], NULL, 0, NULL, 0);
	front_expect_end(&f);
}
END_TEST

START_TEST(test_too_long)
{
	static const uint32_t sizes[] = { sizeof(union vhost_payload) + 1,
					  UINT32_MAX };
	const struct vhost_header head = { VHOST_SET_OWNER, VHOST_VERSION,
					   sizes[_i] };

	come_to(SHAKEN);
	front_send_raw(&f, &head, sizeof(head), NULL, 0);
	front_expect_end(&f);
}
END_TEST

/* In pieces, it is as good as whole; and half of one is none. */
START_TEST(test_pieces)
{
	struct __attribute__((packed)) {
		struct vhost_header head;
		uint64_t value;
	} msg = { { VHOST_SET_STATUS, VHOST_VERSION | VHOST_NEED_REPLY, 8 },
		  1 };
	const char *p = (const char *)&msg;
	uint64_t ack = 1;
	unsigned i;

	come_to(SHAKEN);
	for (i = 0; i < 20; i++) {
		front_send_raw(&f, p + i, 1, NULL, 0);
		front_turns(&f);
	}
	ck_assert_uint_eq(front_receive(&f, &ack, sizeof(ack), NULL), 8);
	ck_assert_uint_eq(ack, 0);
	front_send_raw(&f, p, (size_t)_i, NULL, 0);
	front_turns(&f);
}
END_TEST

/* Descriptors with every piece, none of which is kept. */
START_TEST(test_descriptors_with_pieces)
{
	const struct vhost_header head = { VHOST_SET_VRING_CALL, VHOST_VERSION,
					   8 };
	const uint64_t value = 0;
	int fds[5], i;

	come_to(SHAKEN);
	for (i = 0; i < 5; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC);
	front_send_raw(&f, &head, sizeof(head), fds, 5);
	front_turns(&f);
	if (_i)
		front_send_raw(&f, &value, 4, fds, 5);
	for (i = 0; i < 5; i++)
		close(fds[i]);
	if (_i)
		front_expect_end(&f);
}
END_TEST

/* Who can be told is told, and stays. */
START_TEST(test_refused)
{
	come_to(SHAKEN);
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_FEATURES, 1, -1), 1);
	ck_assert_uint_eq(front_ask_ring(&f, VHOST_SET_VRING_NUM, 0), 1);
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_VRING_KICK, 0,
					f.b.d.setup.kick_fd),
			  0);
	/* Nothing of the ring is known. */
	ck_assert_uint_eq(front_ask_ring(&f, VHOST_SET_VRING_ENABLE, 1), 1);
	ck_assert_uint_eq(front_get_u64(&f, VHOST_GET_QUEUE_NUM), FRONT_QUEUES);
}
END_TEST

/* Addresses of rings: beyond memory, across its end, not aligned. */
START_TEST(test_ring_places)
{
	static const struct {
		int64_t desc, avail, used;
	} moved[] = {
		{ 1LL << 40, 0, 0 },
		{ 0, 1LL << 40, 0 },
		{ 0, 0, 1LL << 40 },
		{ 8, 0, 0 },
		{ 0, 1, 0 },
		{ 0, 0, 2 },
		{ FRONT_SIZE * 16, 0, 0 },
		{ -4096, 0, 0 },
		{ 0, 2, 0 },
		{ 0, 0, 4 },
	};
	struct vhost_vring_addr addr;

	front_connect(&f);
	front_handshake(&f, ~(1ULL << VIRTIO_F_RING_PACKED));
	front_new_driver(&f, f.features);
	front_share_memory(&f);
	front_setup_ring(&f, 0);
	addr = (struct vhost_vring_addr){
		.desc = (uintptr_t)f.b.d.desc + (uint64_t)moved[_i].desc,
		.avail = (uintptr_t)f.b.d.avail + (uint64_t)moved[_i].avail,
		.used = (uintptr_t)f.b.d.used + (uint64_t)moved[_i].used,
	};
	ck_assert_uint_eq(front_ask(&f, VHOST_SET_VRING_ADDR, &addr,
				    sizeof(addr), -1),
			  0);
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_VRING_KICK, 0,
					f.b.d.setup.kick_fd),
			  0);
	ck_assert_uint_eq(front_ask_ring(&f, VHOST_SET_VRING_ENABLE, 1), 1);
	ck_assert(!vblk_queue_runs(f.queue[0]));
}
END_TEST

START_TEST(test_many_regions)
{
	struct vhost_one_region one = { .region = { .size = 4096 } };
	unsigned i;

	come_to(SHAKEN);
	ck_assert_uint_eq(front_get_u64(&f, VHOST_GET_MAX_MEM_SLOTS),
			  VHOST_MAX_SLOTS);
	/* From above, so that every one goes in front of the others. */
	for (i = VHOST_MAX_SLOTS; i; i--) {
		one.region.guest = one.region.user = i * 8192UL;
		ck_assert_uint_eq(front_ask(&f, VHOST_ADD_MEM_REG, &one,
					    sizeof(one), f.mem_fd),
				  0);
	}
	one.region.guest = one.region.user = 0;
	front_send(&f, VHOST_ADD_MEM_REG, VHOST_VERSION, &one, sizeof(one),
		   &f.mem_fd, 1);
	front_expect_end(&f);
}
END_TEST

/* Who does not take his answers has no room for more of them. */
START_TEST(test_answers_not_taken)
{
	const struct vhost_header head = { VHOST_GET_FEATURES, VHOST_VERSION,
					   0 };
	char rest[4096];
	ssize_t n;
	int i;

	come_to(SHAKEN);
	for (i = 0; i < 100000; i++) {
		if (send(f.sock, &head, sizeof(head),
			 MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
		    i % 64)
			break;
		ck_assert_int_eq(loop_turn(f.loop, false), 0);
	}
	ck_assert_int_lt(i, 100000);
	do {
		front_turns(&f);
		n = recv(f.sock, rest, sizeof(rest), MSG_DONTWAIT);
	} while (n > 0);
}
END_TEST

/* It dies in the middle of a message that waits. */
START_TEST(test_leaves_at_once)
{
	struct vhost_vring_state s = { 0, 0 };

	come_to(RUNNING);
	front_send(&f, VHOST_GET_VRING_BASE, VHOST_VERSION, &s, sizeof(s), NULL,
		   0);
	front_leave(&f);
	front_turns(&f);
	ck_assert_uint_eq(f.status, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vhost_hostile");
	TCase *tc = tcase_create("hostile");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_breach, 0, NR_BREACHES);
	tcase_add_loop_test(tc, test_bad_flags, 0, 4);
	tcase_add_loop_test(tc, test_too_long, 0, 2);
	tcase_add_loop_test(tc, test_pieces, 0, 20);
	tcase_add_loop_test(tc, test_descriptors_with_pieces, 0, 2);
	tcase_add_test(tc, test_refused);
	tcase_add_loop_test(tc, test_ring_places, 0, 10);
	tcase_add_test(tc, test_many_regions);
	tcase_add_test(tc, test_answers_not_taken);
	tcase_add_test(tc, test_leaves_at_once);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
