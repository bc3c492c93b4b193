/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vhost-user: the configuration space, what is said about it, and a front end
 * that does not read its interrupts.
 */
#include <check.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/blk.h"
#include "backend/mem.h"
#include "lib/why.h"
#include "tests/unit/vhost_front.h"
#include "vhost-user/dev.h"
#include "vhost-user/fd.h"
#include "vhost-user/log_mem.h"
#include "vhost-user/ring.h"

#define SECTORS 64

static struct front f;
static struct blk_dev *mem;

static void setup(void)
{
	ck_assert_int_eq(
		mem_blk_new(SECTORS, &(struct mem_blk_options){ 0 }, &mem), 0);
	front_init(&f, mem);
	front_connect(&f);
	front_handshake(&f, FRONT_ALL);
}

static void teardown(void)
{
	front_free(&f);
	blk_close(mem);
}

static void get_config(uint32_t offset, uint32_t size, void *ret)
{
	struct vhost_config c = { .offset = offset, .size = size };

	front_send(&f, VHOST_GET_CONFIG, VHOST_VERSION, &c,
		   VHOST_CONFIG_HEAD + size, NULL, 0);
	ck_assert_uint_eq(front_receive(&f, &c, sizeof(c), NULL),
			  VHOST_CONFIG_HEAD + size);
	ck_assert_uint_eq(c.offset, offset);
	ck_assert_uint_eq(c.size, size);
	memcpy(ret, c.data, size);
}

static uint64_t set_wce(uint8_t value)
{
	struct vhost_config c = {
		.offset = offsetof(struct virtio_blk_config, wce),
		.size = 1,
		.data = { value },
	};

	return front_ask(&f, VHOST_SET_CONFIG, &c, VHOST_CONFIG_HEAD + 1, -1);
}

START_TEST(test_read)
{
	struct virtio_blk_config c;
	uint8_t rest[VHOST_CONFIG_MAX];
	size_t i;

	get_config(0, sizeof(c), &c);
	ck_assert_uint_eq(c.capacity, SECTORS);
	ck_assert_uint_eq(c.num_queues, FRONT_QUEUES);
	ck_assert_uint_eq(c.wce, 1);
	/* A piece of it, and more than there is. */
	get_config(offsetof(struct virtio_blk_config, num_queues), 2, rest);
	ck_assert_uint_eq(rest[0], FRONT_QUEUES);
	get_config(0, VHOST_CONFIG_MAX, rest);
	ck_assert_mem_eq(rest, &c, sizeof(c));
	for (i = sizeof(c); i < sizeof(rest); i++)
		ck_assert_uint_eq(rest[i], 0);
	get_config(VHOST_CONFIG_MAX, 0, rest);
}
END_TEST

START_TEST(test_cache_mode)
{
	struct virtio_blk_config c;

	ck_assert_uint_eq(set_wce(0), 0);
	get_config(0, sizeof(c), &c);
	ck_assert_uint_eq(c.wce, 0);
	ck_assert_uint_eq(set_wce(2), 1);
	ck_assert_uint_eq(set_wce(1), 0);
	get_config(0, sizeof(c), &c);
	ck_assert_uint_eq(c.wce, 1);
	/* The next driver begins where this one did. */
	ck_assert_uint_eq(set_wce(0), 0);
	ck_assert_uint_eq(front_ask(&f, VHOST_RESET_DEVICE, NULL, 0, -1), 0);
	get_config(0, sizeof(c), &c);
	ck_assert_uint_eq(c.wce, 1);
}
END_TEST

/* Which features are offered: addresses are the guest's physical ones. */
START_TEST(test_features)
{
	uint64_t offered = front_get_u64(&f, VHOST_GET_FEATURES);

	ck_assert(!(offered & 1ULL << VIRTIO_F_ACCESS_PLATFORM));
	ck_assert(offered & 1ULL << VIRTIO_F_VERSION_1);
	ck_assert(offered & 1ULL << VIRTIO_F_RING_PACKED);
	ck_assert(offered & 1ULL << VIRTIO_BLK_F_CONFIG_WCE);
	ck_assert(offered & 1ULL << VHOST_F_PROTOCOL_FEATURES);
	ck_assert_uint_eq(front_ask_u64(&f, VHOST_SET_FEATURES,
					1ULL << VIRTIO_BLK_F_FLUSH, -1),
			  1);
}
END_TEST

START_TEST(test_change_is_told)
{
	struct vhost_header head;
	int pair[2];

	/* Nobody to be told. */
	vhost_dev_config_changed(f.dev);
	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_uint_eq(
		front_ask(&f, VHOST_SET_BACKEND_REQ_FD, NULL, 0, pair[1]), 0);
	close(pair[1]);
	vhost_dev_config_changed(f.dev);
	ck_assert_int_eq(recv(pair[0], &head, sizeof(head), MSG_DONTWAIT),
			 sizeof(head));
	ck_assert_uint_eq(head.request, VHOST_BACKEND_CONFIG_CHANGE);
	ck_assert_uint_eq(head.flags, VHOST_VERSION);
	ck_assert_uint_eq(head.size, 0);
	ck_assert_int_lt(recv(pair[0], &head, 1, MSG_DONTWAIT), 0);
	/* It may have gone, or not read: that stops nobody. */
	close(pair[0]);
	vhost_dev_config_changed(f.dev);
	ck_assert_uint_eq(front_get_u64(&f, VHOST_GET_QUEUE_NUM), FRONT_QUEUES);
	/* Another channel takes its place, and goes with the connection. */
	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_uint_eq(
		front_ask(&f, VHOST_SET_BACKEND_REQ_FD, NULL, 0, pair[1]), 0);
	close(pair[1]);
	front_leave(&f);
	front_turns(&f);
	ck_assert_int_eq(recv(pair[0], &head, 1, MSG_DONTWAIT), 0);
	close(pair[0]);
	vhost_dev_config_changed(f.dev);
}
END_TEST

/* A blocking eventfd that can hold no more makes who writes to it wait. */
static void *interrupt(void *arg)
{
	vhost_ring_ops.interrupt(arg);
	return NULL;
}

static void *say_broken(void *arg)
{
	vhost_ring_ops.broken(arg);
	return NULL;
}

static const struct {
	void (*set)(struct vhost_ring *ring, int fd);
	void *(*write)(void *arg);
} events[] = {
	{ vhost_ring_set_call, interrupt },
	{ vhost_ring_set_err, say_broken },
};

START_TEST(test_full_descriptor)
{
	int fd = eventfd(0, EFD_CLOEXEC), mine = dup(fd);
	struct vhost_memory memory = { 0 };
	struct vhost_dirty dirty = { 0 };
	struct vhost_ring ring;
	pthread_t thread;
	int err;

	ck_assert_int_eq(vhost_ring_init(&ring, 0, &memory, &dirty, 4), 0);
	ck_assert_int_eq(eventfd_write(mine, UINT64_MAX - 1), 0);
	events[_i].set(&ring, fd);
	/* One that has room is not read: its interrupts are the driver's. */
	ck_assert_int_eq(pthread_create(&thread, NULL, events[_i].write, &ring),
			 0);
	do {
		vhost_ring_release(&ring);
		err = pthread_tryjoin_np(thread, NULL);
	} while (err == EBUSY);
	ck_assert_int_eq(err, 0);
	vhost_ring_release(&ring);
	ck_assert_int_eq(eventfd_read(mine, &(eventfd_t){ 0 }), 0);
	vhost_ring_free(&ring);
	close(mine);
}
END_TEST

/* This process can have @more descriptors than it has. */
static void allow_fds(unsigned more)
{
	struct rlimit lim;
	int next;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &lim), 0);
	lim.rlim_cur = lim.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lim), 0);
	next = dup(0);
	close(next);
	lim.rlim_cur = (rlim_t)next + more;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lim), 0);
}

START_TEST(test_no_descriptor_left)
{
	const struct vhost_inflight want = { .nr_queues = 1, .queue_size = 8 };
	struct vhost_log_mem log = { 0 };
	struct why why = { "" };
	int fd = -1;

	allow_fds(0);
	ck_assert_int_eq(vhost_log_mem_new(&log, &want, &fd, &why), -EMFILE);
	ck_assert_int_eq(fd, -1);
	ck_assert_ptr_null(log.map);
	ck_assert_int_eq(vhost_fd_ticks(), -EMFILE);
	allow_fds(64);
}
END_TEST

START_TEST(test_new_without_descriptors)
{
	const struct vhost_dev_params params = {
		.listen_fd = f.listen_fd,
		.nr_queues = FRONT_QUEUES,
		.vblk = f.vblk,
	};
	unsigned before, i;
	struct vhost_dev *dev;

	/* A timer, and two for each ring. */
	for (i = 0; i < 1 + 2 * FRONT_QUEUES; i++) {
		before = front_count_fds();
		allow_fds(i);
		ck_assert_int_eq(vhost_dev_new(&params, f.loop, &dev), -EMFILE);
		allow_fds(8);
		ck_assert_uint_eq(front_count_fds(), before);
	}
	ck_assert_int_eq(vhost_dev_new(&params, f.loop, &dev), 0);
	vhost_dev_free(dev);
	vhost_dev_free(NULL);
	allow_fds(64);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vhost_config");
	TCase *tc = tcase_create("config"), *ring = tcase_create("ring");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_no_descriptor_left);
	tcase_add_test(tc, test_new_without_descriptors);
	tcase_add_test(tc, test_read);
	tcase_add_test(tc, test_cache_mode);
	tcase_add_test(tc, test_features);
	tcase_add_test(tc, test_change_is_told);
	suite_add_tcase(s, tc);
	tcase_add_loop_test(ring, test_full_descriptor, 0, 2);
	suite_add_tcase(s, ring);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
