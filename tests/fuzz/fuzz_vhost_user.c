/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Fuzz a vhost-user device with its queues: messages, descriptors and shared
 * memory of a front end.  The input is a list of steps, each a byte and what
 * the step takes.  However it ends: nothing runs and no descriptor is left
 * when the front end has gone.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "backend/blk.h"
#include "backend/dead.h"
#include "lib/guard.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/why.h"
#include "vhost-user/dev.h"
#include "vhost-user/proto.h"
#include "virtio/blk_dev.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define QUEUES 2
#define SIZE   8
#define MEMORY 0x4000
#define USER   0x100000ULL

static struct {
	const uint8_t *p, *end;
} in;

static struct {
	struct loop *loop;
	struct blk_dev *disk;
	struct vblk *vblk;
	struct vblk_queue *queue[QUEUES];
	struct vblk_stats stats[QUEUES];
	struct vhost_dev *dev;
	unsigned stopping;
	bool waiting;
	int listen_fd, sock, event, memory, sealed, pipe;
	struct sockaddr_un addr;
	socklen_t addr_len;
	unsigned nr_fds;
	uint64_t features; /* of the last handshake */
} world;

static uint64_t take(unsigned bytes)
{
	uint64_t n = 0;

	if ((size_t)(in.end - in.p) < bytes) {
		in.p = in.end;
		return 0;
	}
	memcpy(&n, in.p, bytes);
	in.p += bytes;
	return n;
}

static void check(bool good)
{
	if (!good)
		abort();
}

static void go_on(void)
{
	if (world.stopping || !world.waiting)
		return;
	world.waiting = false;
	vhost_dev_continue(world.dev);
}

static void on_stopped(void *arg)
{
	world.stopping--;
	go_on();
}

static void start_queue(void *owner, unsigned index,
			const struct virtq_setup *setup)
{
	struct why why;

	check(!vblk_queue_runs(world.queue[index]));
	vblk_queue_start(world.queue[index], setup, &why);
}

static void stop_queue(void *owner, unsigned index)
{
	check(vblk_queue_runs(world.queue[index]));
	world.stopping++;
	vblk_queue_stop(world.queue[index], on_stopped, NULL);
}

static void wait_for_queues(void *owner)
{
	check(!world.waiting);
	world.waiting = true;
	go_on();
}

static void reset_queue(void *owner, unsigned index)
{
	check(!vblk_queue_runs(world.queue[index]));
}

static bool queue_runs(void *owner, unsigned index)
{
	return vblk_queue_runs(world.queue[index]);
}

static struct virtq_state queue_state(void *owner, unsigned index)
{
	check(!vblk_queue_runs(world.queue[index]));
	return vblk_queue_state(world.queue[index]);
}

static void note_status(void *owner, uint8_t status, uint64_t features)
{
}

static void note_ended(void *owner)
{
	abort();
}

static const struct vhost_owner_ops ops = {
	.start_queue = start_queue,
	.stop_queue = stop_queue,
	.wait = wait_for_queues,
	.reset_queue = reset_queue,
	.queue_runs = queue_runs,
	.queue_state = queue_state,
	.status = note_status,
	.ended = note_ended,
};

static unsigned count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned nr = 0;

	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

static void turns(void)
{
	int i;

	for (i = 0; i < 8; i++)
		check(!loop_turn(world.loop, false));
}

static void make_device(void)
{
	const struct blk_info info = {
		.nr_sectors = 64,
		.block_size = 512,
		.phys_block_size = 4096,
		.cache = "none",
	};
	struct vblk_params params = {
		.nr_queues = QUEUES,
		.queue_size = SIZE,
		.packed = true,
		.physical = true,
		.config_writes = true,
	};
	struct vhost_dev_params dev = { .nr_queues = QUEUES, .ops = &ops };
	struct why why;
	unsigned i;

	check(!dead_blk_new(&info, &world.disk));
	check(!vblk_new(world.disk, &params, &world.vblk, &why));
	check(!loop_new(64, &world.loop));
	for (i = 0; i < QUEUES; i++)
		check(!vblk_queue_new(world.vblk, i, world.loop,
				      &world.stats[i], &world.queue[i]));
	check(!loop_seal(world.loop));
	dev.listen_fd = world.listen_fd;
	dev.vblk = world.vblk;
	check(!vhost_dev_new(&dev, world.loop, &world.dev));
	vhost_dev_start(world.dev);
}

static void make_world(void)
{
	int fds[2];

	log_setup("fuzz", LOG_ERROR);
	check(!guard_install());
	world.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	world.addr.sun_family = AF_UNIX;
	check(!bind(world.listen_fd, (struct sockaddr *)&world.addr,
		    sizeof(sa_family_t)));
	world.addr_len = sizeof(world.addr);
	check(!getsockname(world.listen_fd, (struct sockaddr *)&world.addr,
			   &world.addr_len));
	check(!listen(world.listen_fd, 4));
	world.event = eventfd(0, EFD_NONBLOCK);
	world.memory = memfd_create("memory", 0);
	world.sealed = memfd_create("sealed", MFD_ALLOW_SEALING);
	check(!ftruncate(world.sealed, MEMORY));
	check(!fcntl(world.sealed, F_ADD_SEALS, F_SEAL_SHRINK));
	check(!pipe(fds));
	world.pipe = fds[0];
	make_device();
	turns();
}

/* Whether it is still connected. */
static bool send_bytes(const void *bytes, size_t len, uint8_t what)
{
	const int kinds[] = { world.event, world.memory, world.sealed,
			      world.pipe };
	unsigned i, nr = what >> 2 & 15;
	struct iovec iov = { (void *)bytes, len };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(16 * sizeof(int))];
	} control = { .buf = { 0 } };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (!len)
		return true;
	if (nr) {
		hdr.msg_control = &control;
		hdr.msg_controllen = CMSG_SPACE(nr * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(nr * sizeof(int));
	}
	for (i = 0; i < nr; i++)
		memcpy(CMSG_DATA(&control.align) + i * sizeof(int),
		       &kinds[what & 3], sizeof(int));
	return sendmsg(world.sock, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
}

/* One descriptor of a kind, in the terms of send_bytes. */
#define ONE(kind) (4 | (kind))

static bool send_message(uint32_t request, uint32_t flags, const void *payload,
			 uint32_t len, uint8_t what)
{
	struct vhost_header head = { request, flags, len };
	char buf[sizeof(head) + 512];

	memcpy(buf, &head, sizeof(head));
	memcpy(buf + sizeof(head), payload, len);
	return send_bytes(buf, sizeof(head) + len, what);
}

static bool send_u64(uint32_t request, uint64_t value, uint8_t what)
{
	return send_message(request, VHOST_VERSION, &value, 8, what);
}

/* A message as the input has it. */
static bool step_message(void)
{
	uint32_t request = (uint32_t)take(1) % 48;
	uint32_t flags = (uint32_t)take(1);
	uint8_t what = (uint8_t)take(1);
	uint32_t len = (uint32_t)take(1), i;
	char payload[512] = { 0 };

	for (i = 0; i < len; i++)
		payload[i] = (char)take(1);
	return send_message(request, flags, payload, len, what);
}

static bool step_bytes(void)
{
	uint8_t what = (uint8_t)take(1);
	uint64_t bytes = take(8);

	return send_bytes(&bytes, take(1) % 9, what);
}

/* As an honest front end begins; the memory is the input's. */
static bool step_handshake(void)
{
	const struct vhost_table table = {
		.nr = 1,
		.region = { { 0, MEMORY, USER, 0 } },
	};

	world.features = (vblk_features(world.vblk) & ~take(8)) | 1ULL << 32;
	return send_u64(VHOST_SET_PROTOCOL_FEATURES,
			1 << 0 | 1 << 1 | 1 << 3 | 1 << 5 | 1 << 9 | 7 << 12 |
				1 << 16,
			0) &&
	       send_u64(VHOST_SET_FEATURES, world.features, 0) &&
	       send_message(VHOST_SET_MEM_TABLE, VHOST_VERSION, &table, 40,
			    ONE(1));
}

static bool step_ring(void)
{
	uint32_t index = (uint32_t)take(1) % QUEUES;
	struct vhost_vring_state num = { index, SIZE };
	struct vhost_vring_addr addr = { .index = index };

	addr.desc = USER + take(2);
	addr.avail = USER + take(2);
	addr.used = USER + take(2);
	return send_message(VHOST_SET_VRING_NUM, VHOST_VERSION, &num, 8, 0) &&
	       send_message(VHOST_SET_VRING_ADDR, VHOST_VERSION, &addr, 40,
			    0) &&
	       send_u64(VHOST_SET_VRING_CALL, index, ONE(0)) &&
	       send_u64(VHOST_SET_VRING_KICK, index, ONE(0));
}

static bool step_log(void)
{
	struct vhost_inflight log = { MEMORY, 0, QUEUES, SIZE };
	uint8_t byte = (uint8_t)take(1);

	if (pwrite(world.sealed, &byte, 1, (off_t)(take(2) % MEMORY)) != 1)
		abort();
	return send_message(VHOST_SET_INFLIGHT_FD, VHOST_VERSION, &log, 24,
			    ONE(2));
}

/* Dirty pages are logged from now on, or no longer. */
static bool step_dirty(void)
{
	uint32_t what = (uint32_t)take(1);
	struct vhost_log log = { what >> 2 ? what >> 2 : MEMORY, 0 };

	world.features ^= (uint64_t)(what & 1) << VHOST_F_LOG_ALL;
	return (what & 2 || send_message(VHOST_SET_LOG_BASE, VHOST_VERSION,
					 &log, sizeof(log), ONE(2))) &&
	       send_u64(VHOST_SET_FEATURES, world.features, 0);
}

static bool step_memory(void)
{
	uint64_t bytes = take(8);

	if (pwrite(world.memory, &bytes, 8, (off_t)(take(2) % MEMORY)) != 8)
		abort();
	return true;
}

static bool step_cut(void)
{
	check(!ftruncate(world.memory, (off_t)(take(2) % (MEMORY + 1))));
	return true;
}

static bool step_kick(void)
{
	eventfd_write(world.event, 1);
	return true;
}

static bool (*const steps[])(void) = {
	step_message, step_handshake, step_ring, step_memory, step_kick,
	step_bytes,   step_log,	      step_cut,	 step_dirty,
};

static void leave(void)
{
	int i;

	close(world.sock);
	for (i = 0; i < 1000 && count_fds() != world.nr_fds; i++)
		turns();
	check(count_fds() == world.nr_fds);
	for (i = 0; i < QUEUES; i++)
		check(!vblk_queue_runs(world.queue[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char answers[4096];

	if (!world.loop)
		make_world();
	in.p = data;
	in.end = data + len;
	check(!ftruncate(world.memory, 0));
	check(!ftruncate(world.memory, MEMORY));
	world.nr_fds = count_fds();
	world.sock = socket(AF_UNIX, SOCK_STREAM, 0);
	check(!connect(world.sock, (struct sockaddr *)&world.addr,
		       world.addr_len));
	while (in.p < in.end) {
		if (!steps[take(1) % (sizeof(steps) / sizeof(steps[0]))]())
			break;
		turns();
		while (recv(world.sock, answers, sizeof(answers),
			    MSG_DONTWAIT) > 0)
			;
	}
	leave();
	return 0;
}
