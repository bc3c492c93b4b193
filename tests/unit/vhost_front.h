/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A vhost-user device with its queues, and a front end for it, in one thread:
 * messages as an honest front end sends them, or as the test wants them.
 */
#ifndef VHOST_FRONT_H
#define VHOST_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/driver_blk.h"
#include "vhost-user/proto.h"

#define FRONT_QUEUES 2
#define FRONT_SIZE   8 /* entries of a ring */
#define FRONT_MEM    (16U << 20)

struct front {
	/* The back end. */
	struct loop *loop; /* NULL: it is the test's */
	struct blk_dev *blk;
	struct vblk *vblk;
	struct vhost_dev *dev;
	struct vblk_queue *queue[FRONT_QUEUES];
	struct vblk_stats stats[FRONT_QUEUES];
	bool stands[FRONT_QUEUES]; /* broken, as with queue threads */
	unsigned stopping;
	bool waiting, ended;
	uint8_t status;
	uint64_t features;
	int listen_fd;
	/* The front end. */
	int sock; /* -1: not connected */
	int mem_fd, call_fd, log_fd;
	char *mem;
	size_t mem_used;
	struct vhost_inflight inflight;
	struct driver_blk b; /* its driver, of ring 0; the loop is the same */
};

/* Serve @blk, which the caller closes after front_free. */
void front_init(struct front *f, struct blk_dev *blk);
void front_free(struct front *f);

/* The front end alone: the test serves @f->listen_fd, in another thread. */
void front_init_alone(struct front *f);

/* The back end is made anew, as after its death; the front end stays. */
void front_kill_back(struct front *f);

void front_connect(struct front *f);
void front_leave(struct front *f);

/* Send a message of any kind; @len bytes after the header, @nr descriptors. */
void front_send(struct front *f, uint32_t request, uint32_t flags,
		const void *payload, uint32_t len, const int *fds, unsigned nr);
/* Bytes that may be less or more than a message. */
void front_send_raw(struct front *f, const void *bytes, size_t len,
		    const int *fds, unsigned nr);

/* Turns of the loop until an answer is there: its payload; its length. */
size_t front_receive(struct front *f, void *payload, size_t room, int *ret_fd);

/* Turns until the back end closes the connection. */
void front_expect_end(struct front *f);

/* Turns while there is something to do at once. */
void front_turns(struct front *f);

/* Send, and have it acknowledged; returns the acknowledgement. */
uint64_t front_ask(struct front *f, uint32_t request, const void *payload,
		   uint32_t len, int fd);
uint64_t front_ask_u64(struct front *f, uint32_t request, uint64_t value,
		       int fd);
uint64_t front_ask_ring(struct front *f, uint32_t request, uint32_t num);

/* A message that is answered with a number. */
uint64_t front_get_u64(struct front *f, uint32_t request);

/* GET_VRING_BASE of ring 0. */
uint32_t front_get_base(struct front *f);

/* Protocol features, features, memory; without and with a ring that runs. */
void front_handshake(struct front *f, uint64_t features);
void front_share_memory(struct front *f);
void front_setup_ring(struct front *f, uint32_t base);
void front_start(struct front *f, uint64_t features);

/* A fresh driver in shared memory. */
void front_new_driver(struct front *f, uint64_t features);

/* Open descriptors of this process. */
unsigned front_count_fds(void);

/* All that is offered. */
#define FRONT_ALL UINT64_MAX

#endif
