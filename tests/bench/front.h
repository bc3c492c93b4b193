/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The front end of vhost-user-blk: the connection, the features, the memory
 * that is shared, and queues that are started and stopped.  What fails ends
 * the program with a message.  (vhost-user: QEMU docs/interop/vhost-user.rst)
 */
#ifndef BENCH_FRONT_H
#define BENCH_FRONT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct ring;

struct front {
	int sock;
	pid_t server; /* who listens on the socket */
	uint64_t features;
	uint64_t capacity; /* bytes */
	uint32_t seg_max;
	uint32_t max_queues;
	uint8_t *memory;
	uint64_t memory_len;
};

/*
 * Connect and agree on features: all of @want must be offered.  Waits for the
 * socket for some seconds.
 */
void front_connect(struct front *front, const char *path, uint64_t want);

/* Create the memory, all of it present, and tell the server. */
void front_share(struct front *front, uint64_t len);

/* The address by which the device knows a byte of the memory. */
uint64_t front_addr(const struct front *front, const void *ptr);

/* Start queue @index; the event file descriptors stay the caller's. */
void front_start(struct front *front, unsigned int index,
		 const struct ring *ring, int kick, int call);
void front_stop(struct front *front, unsigned int index);

#endif
