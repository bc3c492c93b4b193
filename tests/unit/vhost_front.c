/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* A vhost-user device and a front end for it: see vhost_front.h. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/guard.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/why.h"
#include "tests/unit/vhost_front.h"
#include "vhost-user/dev.h"

/* The owner: queues that run on the loop of the device. */

static void start_queue(void *owner, unsigned index,
			const struct virtq_setup *setup)
{
	struct front *f = owner;
	struct why why = { "" };

	if (!f->stands[index] &&
	    vblk_queue_start(f->queue[index], setup, &why)) {
		log_warn("%s", why.text);
		f->stands[index] = true;
	}
}

static void go_on(struct front *f)
{
	if (f->stopping || !f->waiting)
		return;
	f->waiting = false;
	vhost_dev_continue(f->dev);
}

static void on_stopped(void *arg)
{
	struct front *f = arg;

	f->stopping--;
	go_on(f);
}

static void stop_queue(void *owner, unsigned index)
{
	struct front *f = owner;

	f->stopping++;
	f->stands[index] = vblk_stat_get(&f->stats[index].broken);
	vblk_queue_stop(f->queue[index], on_stopped, f);
}

static void wait_for_queues(void *owner)
{
	struct front *f = owner;

	f->waiting = true;
	go_on(f);
}

static void reset_queue(void *owner, unsigned index)
{
	struct front *f = owner;

	f->stands[index] = false;
}

static bool queue_runs(void *owner, unsigned index)
{
	struct front *f = owner;

	return vblk_queue_runs(f->queue[index]);
}

static struct virtq_state queue_state(void *owner, unsigned index)
{
	struct front *f = owner;

	return vblk_queue_state(f->queue[index]);
}

static void note_status(void *owner, uint8_t status, uint64_t features)
{
	struct front *f = owner;

	f->status = status;
	f->features = features;
}

static void note_ended(void *owner)
{
	struct front *f = owner;

	f->ended = true;
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

static void make_back(struct front *f)
{
	const struct vblk_params params = {
		.nr_queues = FRONT_QUEUES,
		.queue_size = FRONT_SIZE,
		.packed = true,
		.physical = true,
		.config_writes = true,
	};
	const struct vhost_dev_params dev = {
		.listen_fd = f->listen_fd,
		.nr_queues = FRONT_QUEUES,
		.ops = &ops,
		.owner = f,
	};
	struct vhost_dev_params with = dev;
	struct why why = { "" };
	unsigned i;

	ck_assert_int_eq(vblk_new(f->blk, &params, &f->vblk, &why), 0);
	ck_assert_int_eq(loop_new(64, &f->loop), 0);
	for (i = 0; i < FRONT_QUEUES; i++)
		ck_assert_int_eq(vblk_queue_new(f->vblk, i, f->loop,
						&f->stats[i], &f->queue[i]),
				 0);
	ck_assert_int_eq(loop_seal(f->loop), 0);
	with.vblk = f->vblk;
	ck_assert_int_eq(vhost_dev_new(&with, f->loop, &f->dev), 0);
	vhost_dev_start(f->dev);
	f->ended = false;
	f->b.loop = f->loop;
}

void front_init_alone(struct front *f)
{
	struct sockaddr_un any = { .sun_family = AF_UNIX };

	memset(f, 0, sizeof(*f));
	log_setup("test", LOG_WARN);
	ck_assert_int_eq(guard_install(), 0);
	f->sock = f->log_fd = -1;
	f->listen_fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* A name without a file, of the kernel's choice. */
	ck_assert_int_eq(bind(f->listen_fd, (struct sockaddr *)&any,
			      sizeof(any.sun_family)),
			 0);
	ck_assert_int_eq(listen(f->listen_fd, 4), 0);
	f->mem_fd = memfd_create("front", MFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(f->mem_fd, FRONT_MEM), 0);
	f->mem = mmap(NULL, FRONT_MEM, PROT_READ | PROT_WRITE, MAP_SHARED,
		      f->mem_fd, 0);
	ck_assert_ptr_ne(f->mem, MAP_FAILED);
	f->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void front_init(struct front *f, struct blk_dev *blk)
{
	front_init_alone(f);
	f->blk = blk;
	make_back(f);
	front_new_driver(f, 0);
}

static void free_back(struct front *f)
{
	unsigned i;

	vhost_dev_free(f->dev);
	for (i = 0; i < FRONT_QUEUES; i++)
		vblk_queue_free(f->queue[i]);
	vblk_free(f->vblk);
	loop_free(f->loop);
}

static void end_back(struct front *f)
{
	int i;

	vhost_dev_end(f->dev);
	for (i = 0; i < 1000 && !f->ended; i++)
		ck_assert_int_eq(loop_turn(f->loop, true), 0);
	ck_assert(f->ended);
	free_back(f);
}

void front_free(struct front *f)
{
	if (f->loop)
		end_back(f);
	front_leave(f);
	driver_free(&f->b.d);
	munmap(f->mem, FRONT_MEM);
	close(f->mem_fd);
	close(f->call_fd);
	if (f->log_fd >= 0)
		close(f->log_fd);
	close(f->listen_fd);
}

void front_kill_back(struct front *f)
{
	end_back(f);
	make_back(f);
}

void front_connect(struct front *f)
{
	struct sockaddr_un addr;
	socklen_t len = sizeof(addr);

	ck_assert_int_eq(
		getsockname(f->listen_fd, (struct sockaddr *)&addr, &len), 0);
	f->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(f->sock, (struct sockaddr *)&addr, len), 0);
}

void front_leave(struct front *f)
{
	if (f->sock >= 0)
		close(f->sock);
	f->sock = -1;
}

void front_send_raw(struct front *f, const void *bytes, size_t len,
		    const int *fds, unsigned nr)
{
	struct iovec iov = { (void *)bytes, len };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(16 * sizeof(int))];
	} control = { .buf = { 0 } };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nr) {
		hdr.msg_control = &control;
		hdr.msg_controllen = CMSG_SPACE(nr * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(nr * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fds, nr * sizeof(int));
	}
	ck_assert_int_eq(sendmsg(f->sock, &hdr, MSG_NOSIGNAL), (ssize_t)len);
}

void front_send(struct front *f, uint32_t request, uint32_t flags,
		const void *payload, uint32_t len, const int *fds, unsigned nr)
{
	struct vhost_header head = { request, flags, len };
	char buf[1024];

	memcpy(buf, &head, sizeof(head));
	if (len)
		memcpy(buf + sizeof(head), payload, len);
	front_send_raw(f, buf, sizeof(head) + len, fds, nr);
}

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static void turn_until_readable(struct front *f)
{
	if (!f->loop)
		ck_assert(readable(f->sock, 100000));
	while (!readable(f->sock, 0))
		ck_assert_int_eq(loop_turn(f->loop, true), 0);
}

size_t front_receive(struct front *f, void *payload, size_t room, int *ret_fd)
{
	struct vhost_header head;
	struct iovec iov = { &head, sizeof(head) };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;

	turn_until_readable(f);
	ck_assert_int_eq(recvmsg(f->sock, &hdr, MSG_CMSG_CLOEXEC),
			 sizeof(head));
	ck_assert_uint_eq(head.flags, VHOST_VERSION | VHOST_REPLY);
	ck_assert_uint_le(head.size, room);
	c = CMSG_FIRSTHDR(&hdr);
	ck_assert_int_eq(!c, !ret_fd);
	if (c)
		memcpy(ret_fd, CMSG_DATA(c), sizeof(*ret_fd));
	if (head.size)
		ck_assert_int_eq(recv(f->sock, payload, head.size, MSG_WAITALL),
				 head.size);
	return head.size;
}

void front_expect_end(struct front *f)
{
	char byte;

	turn_until_readable(f);
	ck_assert_int_le(recv(f->sock, &byte, 1, 0), 0);
	front_leave(f);
}

void front_turns(struct front *f)
{
	int i;

	for (i = 0; i < 50; i++)
		ck_assert_int_eq(loop_turn(f->loop, false), 0);
}

uint64_t front_ask(struct front *f, uint32_t request, const void *payload,
		   uint32_t len, int fd)
{
	uint64_t ack = 99;

	front_send(f, request, VHOST_VERSION | VHOST_NEED_REPLY, payload, len,
		   &fd, fd >= 0);
	ck_assert_uint_eq(front_receive(f, &ack, sizeof(ack), NULL), 8);
	return ack;
}

uint64_t front_ask_u64(struct front *f, uint32_t request, uint64_t value,
		       int fd)
{
	return front_ask(f, request, &value, sizeof(value), fd);
}

uint64_t front_ask_ring(struct front *f, uint32_t request, uint32_t num)
{
	const struct vhost_vring_state s = { 0, num };

	return front_ask(f, request, &s, sizeof(s), -1);
}

uint64_t front_get_u64(struct front *f, uint32_t request)
{
	uint64_t value = 0;

	front_send(f, request, VHOST_VERSION, NULL, 0, NULL, 0);
	ck_assert_uint_eq(front_receive(f, &value, sizeof(value), NULL), 8);
	return value;
}

uint32_t front_get_base(struct front *f)
{
	struct vhost_vring_state s = { 0, 0 };

	front_send(f, VHOST_GET_VRING_BASE, VHOST_VERSION, &s, sizeof(s), NULL,
		   0);
	ck_assert_uint_eq(front_receive(f, &s, sizeof(s), NULL), sizeof(s));
	ck_assert_uint_eq(s.index, 0);
	return s.num;
}

void front_handshake(struct front *f, uint64_t features)
{
	uint64_t offered = front_get_u64(f, VHOST_GET_FEATURES), protocol;

	protocol = front_get_u64(f, VHOST_GET_PROTOCOL_FEATURES);
	front_send(f, VHOST_SET_PROTOCOL_FEATURES, VHOST_VERSION, &protocol,
		   sizeof(protocol), NULL, 0);
	ck_assert_uint_eq(front_ask(f, VHOST_SET_OWNER, NULL, 0, -1), 0);
	f->features = offered & features;
	ck_assert_uint_eq(front_ask_u64(f, VHOST_SET_FEATURES, f->features, -1),
			  0);
}

/* Each piece of the driver's memory is a region of the file. */
static void *alloc_piece(void *arg, uint64_t iova, uint64_t len)
{
	struct front *f = arg;
	char *p = f->mem + f->mem_used;

	f->mem_used += (len + 4095) / 4096 * 4096;
	ck_assert_uint_le(f->mem_used, FRONT_MEM);
	memset(p, 0, len);
	return p;
}

void front_new_driver(struct front *f, uint64_t features)
{
	const struct driver_place place = { .alloc = alloc_piece, .arg = f };

	if (f->b.d.num)
		driver_free(&f->b.d);
	memset(&f->b, 0, sizeof(f->b));
	f->b.loop = f->loop;
	f->mem_used = 0;
	driver_init_at(&f->b.d, FRONT_SIZE, features, &place);
}

void front_share_memory(struct front *f)
{
	struct vhost_table table = { 0 };
	int fds[VHOST_MAX_FDS];
	uint64_t ack;
	unsigned i;

	for (i = 0; i < f->b.d.mem.nr; i++) {
		const struct driver_map *m = &f->b.d.mem.map[i];

		table.region[table.nr] = (struct vhost_region){
			.guest = m->iova,
			.size = m->len,
			.user = (uint64_t)(uintptr_t)m->host,
			.offset = (uint64_t)((char *)m->host - f->mem),
		};
		fds[table.nr++] = f->mem_fd;
	}
	front_send(f, VHOST_SET_MEM_TABLE, VHOST_VERSION | VHOST_NEED_REPLY,
		   &table, 8 + table.nr * (uint32_t)sizeof(table.region[0]),
		   fds, table.nr);
	ck_assert_uint_eq(front_receive(f, &ack, sizeof(ack), NULL), 8);
	ck_assert_uint_eq(ack, 0);
}

static uint64_t user_address(struct front *f, uint64_t iova)
{
	return (uint64_t)(uintptr_t)driver_at(&f->b.d, iova);
}

void front_setup_ring(struct front *f, uint32_t base)
{
	const struct virtq_setup *s = &f->b.d.setup;
	const struct vhost_vring_addr addr = {
		.desc = user_address(f, s->desc_addr),
		.avail = user_address(f, s->driver_addr),
		.used = user_address(f, s->device_addr),
	};

	ck_assert_uint_eq(front_ask_ring(f, VHOST_SET_VRING_NUM, FRONT_SIZE),
			  0);
	ck_assert_uint_eq(front_ask_ring(f, VHOST_SET_VRING_BASE, base), 0);
	ck_assert_uint_eq(
		front_ask(f, VHOST_SET_VRING_ADDR, &addr, sizeof(addr), -1), 0);
	ck_assert_uint_eq(front_ask_u64(f, VHOST_SET_VRING_CALL, 0, f->call_fd),
			  0);
}

void front_start(struct front *f, uint64_t features)
{
	bool packed = features >> VIRTIO_F_RING_PACKED & 1;

	front_connect(f);
	front_handshake(f, features);
	front_new_driver(f, f->features);
	front_share_memory(f);
	front_setup_ring(f, packed ? 0x80008000 : 0);
	ck_assert_uint_eq(front_ask_u64(f, VHOST_SET_VRING_KICK, 0,
					f->b.d.setup.kick_fd),
			  0);
	ck_assert_uint_eq(front_ask_ring(f, VHOST_SET_VRING_ENABLE, 1), 0);
}

unsigned front_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned nr = 0;

	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}
