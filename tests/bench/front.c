// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The front end of vhost-user-blk: messages and shared memory. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vhost_types.h>
#include <linux/virtio_blk.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/front.h"
#include "tests/bench/ring.h"

/* Where the memory is for the device: not where it is for us. */
#define GUEST_BASE 0x100000000ULL

enum request {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	GET_QUEUE_NUM = 17,
	SET_VRING_ENABLE = 18,
	GET_CONFIG = 24,
};

#define F_PROTOCOL_FEATURES (1ULL << 30)
#define P_MQ		    (1ULL << 0)
#define P_REPLY_ACK	    (1ULL << 3)
#define P_CONFIG	    (1ULL << 9)
#define VERSION		    0x1
#define REPLY		    0x4
#define NEED_REPLY	    0x8
/* Up to and with num_queues. */
#define CONFIG_LEN (offsetof(struct virtio_blk_config, num_queues) + 2)

struct region {
	uint64_t guest, size, user, offset;
};

struct message {
	uint32_t request, flags, size;
	union {
		uint64_t u64;
		struct vhost_vring_state state;
		struct vhost_vring_addr addr;
		struct {
			uint32_t count, padding;
			struct region region;
		} memory;
		struct {
			uint32_t offset, size, flags;
			uint8_t bytes[CONFIG_LEN];
		} config;
	};
} __attribute__((packed));

#define HEADER offsetof(struct message, u64)

static void send_message(struct front *front, struct message *msg, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = msg, .iov_len = HEADER + msg->size };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	msg->flags |= VERSION;
	if (fd >= 0) {
		hdr.msg_control = control;
		hdr.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	if (sendmsg(front->sock, &hdr, MSG_NOSIGNAL) != (ssize_t)iov.iov_len)
		err(1, "vhost-user request %u", msg->request);
}

static void receive(struct front *front, void *to, size_t len)
{
	ssize_t n = recv(front->sock, to, len, MSG_WAITALL);

	if (n < 0)
		err(1, "vhost-user answer");
	if ((size_t)n != len)
		errx(1, "the server closed the connection");
}

static void receive_answer(struct front *front, struct message *msg,
			   uint32_t request)
{
	receive(front, msg, HEADER);
	if (msg->request != request || !(msg->flags & REPLY) ||
	    msg->size > sizeof(*msg) - HEADER)
		errx(1, "vhost-user request %u: wrong answer", request);
	receive(front, &msg->u64, msg->size);
}

/* A request that is acknowledged, if the server can. */
static void set(struct front *front, struct message *msg, int fd, bool ack)
{
	uint32_t request = msg->request;

	msg->flags = ack ? NEED_REPLY : 0;
	send_message(front, msg, fd);
	if (!ack)
		return;
	receive_answer(front, msg, request);
	if (msg->u64)
		errx(1, "vhost-user request %u was refused", request);
}

static void set_u64(struct front *front, enum request request, uint64_t value,
		    int fd, bool ack)
{
	struct message msg = { .request = request, .size = 8, .u64 = value };

	set(front, &msg, fd, ack);
}

static void set_state(struct front *front, enum request request,
		      unsigned int index, unsigned int num)
{
	struct message msg = {
		.request = request,
		.size = sizeof(msg.state),
		.state = { .index = index, .num = num },
	};

	set(front, &msg, -1, true);
}

static uint64_t get_u64(struct front *front, enum request request)
{
	struct message msg = { .request = request };

	send_message(front, &msg, -1);
	receive_answer(front, &msg, request);
	return msg.u64;
}

static void get_config(struct front *front)
{
	struct message msg = {
		.request = GET_CONFIG,
		.size = sizeof(msg.config),
		.config = { .size = CONFIG_LEN },
	};
	struct virtio_blk_config config = { 0 };

	send_message(front, &msg, -1);
	receive_answer(front, &msg, GET_CONFIG);
	if (msg.size != sizeof(msg.config))
		errx(1, "the server refuses to show its configuration");
	memcpy(&config, msg.config.bytes, CONFIG_LEN);
	front->capacity = config.capacity * 512;
	front->seg_max = config.seg_max;
}

static int connect_patiently(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock, tries;

	if (strlen(path) >= sizeof(addr.sun_path))
		errx(1, "%s: too long for a socket", path);
	strcpy(addr.sun_path, path);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		err(1, "socket");
	for (tries = 0; tries < 1000; tries++) {
		if (!connect(sock, (struct sockaddr *)&addr, sizeof(addr)))
			return sock;
		if (errno != ENOENT && errno != ECONNREFUSED)
			break;
		usleep(10000);
	}
	err(1, "%s", path);
}

void front_connect(struct front *front, const char *path, uint64_t want)
{
	struct message owner = { .request = SET_OWNER };
	struct ucred cred;
	socklen_t len = sizeof(cred);
	uint64_t offered, protocol, need = P_REPLY_ACK | P_CONFIG;

	front->sock = connect_patiently(path);
	if (getsockopt(front->sock, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		err(1, "SO_PEERCRED");
	front->server = cred.pid;
	send_message(front, &owner, -1);
	offered = get_u64(front, GET_FEATURES);
	want |= F_PROTOCOL_FEATURES;
	if ((offered & want) != want)
		errx(1, "the server lacks the features %#llx",
		     (unsigned long long)(want & ~offered));
	protocol = get_u64(front, GET_PROTOCOL_FEATURES);
	if ((protocol & need) != need)
		errx(1, "the server lacks REPLY_ACK or CONFIG");
	protocol &= need | P_MQ;
	set_u64(front, SET_PROTOCOL_FEATURES, protocol, -1, false);
	front->max_queues = 1;
	if (protocol & P_MQ)
		front->max_queues = get_u64(front, GET_QUEUE_NUM);
	get_config(front);
	front->features = want;
	set_u64(front, SET_FEATURES, want, -1, true);
}

/* Sealed as guest memory usually is: it cannot vanish under the server. */
static int create_memory(uint64_t len)
{
	int fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, len))
		err(1, "memory for the requests");
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL))
		err(1, "F_ADD_SEALS");
	return fd;
}

void front_share(struct front *front, uint64_t len)
{
	struct message msg = { .request = SET_MEM_TABLE,
			       .size = sizeof(msg.memory) };
	int fd = create_memory(len);

	front->memory = mmap(NULL, len, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_POPULATE, fd, 0);
	if (front->memory == MAP_FAILED)
		err(1, "memory for the requests");
	front->memory_len = len;
	msg.memory.count = 1;
	msg.memory.region.guest = GUEST_BASE;
	msg.memory.region.size = len;
	msg.memory.region.user = (uintptr_t)front->memory;
	set(front, &msg, fd, true);
	close(fd);
}

uint64_t front_addr(const struct front *front, const void *ptr)
{
	return (const uint8_t *)ptr - front->memory + GUEST_BASE;
}

void front_start(struct front *front, unsigned int index,
		 const struct ring *ring, int kick, int call)
{
	bool packed = ring->ops == &ring_packed_ops;
	struct message msg = { .request = SET_VRING_ADDR,
			       .size = sizeof(msg.addr) };

	set_state(front, SET_VRING_NUM, index, ring->size);
	/* Packed: both wrap counters are 1, both positions 0. */
	set_state(front, SET_VRING_BASE, index, packed ? 0x80008000 : 0);
	msg.addr.index = index;
	msg.addr.desc_user_addr = (uintptr_t)ring->desc;
	msg.addr.avail_user_addr = (uintptr_t)ring->driver;
	msg.addr.used_user_addr = (uintptr_t)ring->device;
	set(front, &msg, -1, true);
	set_u64(front, SET_VRING_CALL, index, call, true);
	set_u64(front, SET_VRING_KICK, index, kick, true);
	set_state(front, SET_VRING_ENABLE, index, 1);
}

void front_stop(struct front *front, unsigned int index)
{
	struct message msg = {
		.request = GET_VRING_BASE,
		.size = sizeof(msg.state),
		.state = { .index = index },
	};

	send_message(front, &msg, -1);
	receive_answer(front, &msg, GET_VRING_BASE);
}
