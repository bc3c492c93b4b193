/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A vhost-user front end that does not keep to the protocol, for a server that
 * really runs:
 *
 *   vhost_hostile --list           the names of what it can do
 *   vhost_hostile SOCKET NAME      0: the server did what it must
 *
 * What the server does for others afterwards is not looked at here.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vhost-user/proto.h"

#define USER  0x100000000ULL /* where the front end says its memory stands */
#define ROOM  (8U << 20)
#define NUM   256U
#define AVAIL 0x2000U
#define USED  0x4000U
#define HEADS 0x10000U
#define ENDS  0x20000U /* status bytes */
#define DATA  0x100000U
#define PIECE 65536U
#define DEPTH 64U

#define SECONDS 100000 /* milliseconds: when to give up */

static int sock, mem_fd, kick_fd, call_fd, err_fd;
static char *mem;

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "vhost_hostile: %s (%s)\n", what, strerror(errno));
	exit(1);
}

static void send_raw(const void *bytes, size_t len, const int *fds, unsigned nr)
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
	/* Who was disconnected meanwhile sees it at the end. */
	need(sendmsg(sock, &hdr, MSG_NOSIGNAL) > 0 || errno == EPIPE ||
		     errno == ECONNRESET,
	     "send");
}

static void send_fds(uint32_t request, const void *payload, uint32_t len,
		     const int *fds, unsigned nr)
{
	struct vhost_header head = { request, VHOST_VERSION, len };
	char buf[sizeof(head) + sizeof(union vhost_payload)];

	memcpy(buf, &head, sizeof(head));
	if (len)
		memcpy(buf + sizeof(head), payload, len);
	send_raw(buf, sizeof(head) + len, fds, nr);
}

static void send_u64(uint32_t request, uint64_t value, int fd)
{
	send_fds(request, &value, sizeof(value), &fd, fd >= 0);
}

static void send_state(uint32_t request, uint32_t index, uint32_t num)
{
	const struct vhost_vring_state s = { index, num };

	send_fds(request, &s, sizeof(s), NULL, 0);
}

static void handshake(void)
{
	send_u64(VHOST_SET_PROTOCOL_FEATURES,
		 1ULL << VHOST_PF_CONFIG | 1ULL << VHOST_PF_INFLIGHT_SHMFD |
			 1ULL << VHOST_PF_CONFIGURE_MEM_SLOTS,
		 -1);
	send_u64(VHOST_SET_FEATURES,
		 1ULL << 32 | 1ULL << VHOST_F_PROTOCOL_FEATURES, -1);
}

static void share(void)
{
	const struct vhost_table table = { 1, 0, { { 0, ROOM, USER, 0 } } };

	send_fds(VHOST_SET_MEM_TABLE, &table, 40, &mem_fd, 1);
}

static void add_region(uint64_t guest, uint64_t size, uint64_t user,
		       uint64_t offset)
{
	const struct vhost_one_region r = { 0, { guest, size, user, offset } };

	send_fds(VHOST_ADD_MEM_REG, &r, sizeof(r), &mem_fd, 1);
}

static void start_ring(uint32_t num, uint64_t desc, uint64_t avail,
		       uint64_t used)
{
	const struct vhost_vring_addr addr = {
		.desc = USER + desc,
		.avail = USER + avail,
		.used = USER + used,
	};

	send_state(VHOST_SET_VRING_NUM, 0, num);
	send_fds(VHOST_SET_VRING_ADDR, &addr, sizeof(addr), NULL, 0);
	send_u64(VHOST_SET_VRING_CALL, 0, call_fd);
	send_u64(VHOST_SET_VRING_ERR, 0, err_fd);
	send_u64(VHOST_SET_VRING_KICK, 0, kick_fd);
	send_state(VHOST_SET_VRING_ENABLE, 0, 1);
}

/* The server closes the connection. */
static void await_end(void)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	char rest[4096];
	ssize_t n;

	do {
		need(poll(&p, 1, SECONDS) == 1, "the server does not hang up");
		n = recv(sock, rest, sizeof(rest), 0);
	} while (n > 0);
	need(n == 0 || errno == ECONNRESET, "receive");
}

/* Memory. */

static void beyond_the_file(void)
{
	add_region(0, ROOM + 1, USER, 0);
	await_end();
}

static void offset_beyond_the_file(void)
{
	add_region(0, 8192, USER, ROOM - 4096);
	await_end();
}

static void overlapping(void)
{
	share();
	add_region(ROOM - 1, 4096, 2 * USER, 0);
	await_end();
}

static void wrapping(void)
{
	add_region(UINT64_MAX - 4094, 8192, USER, 0);
	await_end();
}

static void wrapping_offset(void)
{
	add_region(0, 8192, USER, UINT64_MAX - 4095);
	await_end();
}

static void missing_memory(void)
{
	const struct vhost_table table = { 1, 0, { { 0, ROOM, USER, 0 } } };

	send_fds(VHOST_SET_MEM_TABLE, &table, 40, NULL, 0);
	await_end();
}

static void no_memory(void)
{
	const struct vhost_one_region r = { 0, { 0, 4096, USER, 0 } };

	send_fds(VHOST_ADD_MEM_REG, &r, sizeof(r), &kick_fd, 1);
	await_end();
}

static void extra_descriptors(void)
{
	const int fds[16] = { mem_fd, mem_fd, mem_fd, mem_fd, mem_fd, mem_fd,
			      mem_fd, mem_fd, mem_fd, mem_fd, mem_fd, mem_fd,
			      mem_fd, mem_fd, mem_fd, mem_fd };

	send_fds(VHOST_SET_OWNER, NULL, 0, fds, 16);
	await_end();
}

/* Rings. */

static void ring_of_nothing(void)
{
	share();
	start_ring(0, 0, AVAIL, USED);
	await_end();
}

static void ring_too_large(void)
{
	share();
	start_ring(65536, 0, AVAIL, USED);
	await_end();
}

static void ring_outside(void)
{
	share();
	start_ring(NUM, ROOM, AVAIL, USED);
	await_end();
}

static void ring_across_the_end(void)
{
	share();
	start_ring(NUM, 0, AVAIL, ROOM - 4);
	await_end();
}

static void ring_misplaced(void)
{
	share();
	start_ring(NUM, 1, AVAIL, USED);
	await_end();
}

static void ring_before_memory(void)
{
	start_ring(NUM, 0, AVAIL, USED);
	await_end();
}

static void ring_that_is_none(void)
{
	share();
	send_state(VHOST_SET_VRING_NUM, 1000, NUM);
	await_end();
}

/* Messages. */

static void unknown_request(void)
{
	send_u64(1000, 0, -1);
	await_end();
}

static void too_long(void)
{
	const struct vhost_header head = { VHOST_SET_OWNER, VHOST_VERSION,
					   UINT32_MAX };

	send_raw(&head, sizeof(head), NULL, 0);
	await_end();
}

static void half_message(void)
{
	const struct vhost_header head = { VHOST_SET_FEATURES, VHOST_VERSION,
					   8 };

	send_raw(&head, sizeof(head), &mem_fd, 1);
	send_raw("half", 4, NULL, 0);
}

static void noise(void)
{
	char bytes[512];
	unsigned i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7919 % 251);
	send_raw(bytes, sizeof(bytes), NULL, 0);
	await_end();
}

static void answers_not_taken(void)
{
	const struct vhost_header head = { VHOST_GET_FEATURES, VHOST_VERSION,
					   0 };
	struct pollfd p = { .fd = sock, .events = POLLOUT };
	ssize_t n;

	do {
		need(poll(&p, 1, SECONDS) == 1, "the server waits for us");
		n = send(sock, &head, sizeof(head),
			 MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n > 0 || errno == EAGAIN);
	await_end();
}

/* Memory that vanishes while requests are under way. */

static void add_request(unsigned i)
{
	struct vring_desc *d = (struct vring_desc *)mem + i * 3;
	struct virtio_blk_outhdr head = { .type = VIRTIO_BLK_T_IN };

	memcpy(mem + HEADS + i * sizeof(head), &head, sizeof(head));
	d[0] = (struct vring_desc){ HEADS + i * sizeof(head), sizeof(head),
				    VRING_DESC_F_NEXT, (uint16_t)(i * 3 + 1) };
	d[1] = (struct vring_desc){ DATA + i * PIECE, PIECE,
				    VRING_DESC_F_NEXT | VRING_DESC_F_WRITE,
				    (uint16_t)(i * 3 + 2) };
	d[2] = (struct vring_desc){ ENDS + i, 1, VRING_DESC_F_WRITE, 0 };
	((struct vring_avail *)(mem + AVAIL))->ring[i] = (uint16_t)(i * 3);
}

/* The server has done all that it was sent. */
static void settle(void)
{
	char answer[sizeof(struct vhost_header) + 8];

	send_fds(VHOST_GET_FEATURES, NULL, 0, NULL, 0);
	need(recv(sock, answer, sizeof(answer), MSG_WAITALL) == sizeof(answer),
	     "the server does not answer");
}

static void cut(uint64_t len)
{
	need(!ftruncate(mem_fd, (off_t)len), "truncate");
}

static void submit(void)
{
	struct vring_avail *avail = (struct vring_avail *)(mem + AVAIL);
	unsigned i;

	start_ring(NUM, 0, AVAIL, USED);
	for (i = 0; i < DEPTH; i++)
		add_request(i);
	__atomic_store_n(&avail->idx, DEPTH, __ATOMIC_RELEASE);
	eventfd_write(kick_fd, 1);
}

static void await_event(int fd, const char *what)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	need(poll(&p, 1, SECONDS) == 1, what);
	eventfd_read(fd, &(eventfd_t){ 0 });
}

/* All requests are answered: those whose data are gone with an error. */
static void data_cut(void)
{
	const struct vring_used *used = (struct vring_used *)(mem + USED);
	unsigned i, errors = 0;

	share();
	settle();
	cut(DATA + DEPTH / 2 * PIECE);
	submit();
	while (__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE) != DEPTH)
		await_event(call_fd, "requests are not answered");
	for (i = 0; i < DEPTH; i++)
		errors += mem[ENDS + i] == VIRTIO_BLK_S_IOERR;
	need(errors == DEPTH / 2, "another number of errors");
}

/* At any moment, so that the outcome of a request is open. */
static void data_cut_under_load(void)
{
	const struct vring_used *used = (struct vring_used *)(mem + USED);

	share();
	submit();
	settle();
	cut(DATA);
	while (__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE) != DEPTH)
		await_event(call_fd, "requests are not answered");
}

static void all_cut_under_load(void)
{
	share();
	submit();
	settle();
	cut(0);
	eventfd_write(kick_fd, 1);
	await_event(err_fd, "a ring without memory is not said to be broken");
}

static void leaves_under_load(void)
{
	share();
	submit();
	settle();
	cut(0);
}

static const struct {
	const char *name;
	void (*run)(void);
} all[] = {
	{ "beyond_the_file", beyond_the_file },
	{ "offset_beyond_the_file", offset_beyond_the_file },
	{ "overlapping", overlapping },
	{ "wrapping", wrapping },
	{ "wrapping_offset", wrapping_offset },
	{ "missing_memory", missing_memory },
	{ "no_memory", no_memory },
	{ "extra_descriptors", extra_descriptors },
	{ "ring_of_nothing", ring_of_nothing },
	{ "ring_too_large", ring_too_large },
	{ "ring_outside", ring_outside },
	{ "ring_across_the_end", ring_across_the_end },
	{ "ring_misplaced", ring_misplaced },
	{ "ring_before_memory", ring_before_memory },
	{ "ring_that_is_none", ring_that_is_none },
	{ "unknown_request", unknown_request },
	{ "too_long", too_long },
	{ "half_message", half_message },
	{ "noise", noise },
	{ "answers_not_taken", answers_not_taken },
	{ "data_cut", data_cut },
	{ "data_cut_under_load", data_cut_under_load },
	{ "all_cut_under_load", all_cut_under_load },
	{ "leaves_under_load", leaves_under_load },
};

#define NR_ALL (sizeof(all) / sizeof(all[0]))

static void set_up(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	need(strlen(path) < sizeof(addr.sun_path), "a long path");
	strcpy(addr.sun_path, path);
	sock = socket(AF_UNIX, SOCK_STREAM, 0);
	need(!connect(sock, (struct sockaddr *)&addr, sizeof(addr)), path);
	mem_fd = memfd_create("hostile", MFD_CLOEXEC);
	need(!ftruncate(mem_fd, ROOM), "memory");
	mem = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, mem_fd, 0);
	need(mem != MAP_FAILED, "memory");
	kick_fd = eventfd(0, 0);
	call_fd = eventfd(0, 0);
	err_fd = eventfd(0, 0);
}

int main(int argc, char **argv)
{
	unsigned i;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (i = 0; i < NR_ALL; i++)
			puts(all[i].name);
		return 0;
	}
	need(argc == 3, "a socket and a name are needed");
	for (i = 0; i < NR_ALL && strcmp(all[i].name, argv[2]); i++)
		;
	need(i < NR_ALL, "unknown");
	set_up(argv[1]);
	handshake();
	all[i].run();
	return 0;
}
