/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The cell in which a header is read: a process that cannot write a file,
 * open a socket, run a program or make another process, and has bounds on
 * memory and processor time.  With devices it may do a little more, see
 * unlock_devices.h.
 * It knows nothing of headers.
 */
#ifndef CRYPT_UNLOCK_JAIL_H
#define CRYPT_UNLOCK_JAIL_H

#include <stdbool.h>
#include <stdint.h>

struct unlock_devices;

struct unlock_jail {
	int image_fd;	     /* may be read */
	int copy_fd;	     /* a memfd: may be read and mapped */
	bool write_copy;     /* may be opened again for writing, as well */
	int pipe_fd;	     /* may be written */
	uint64_t memory_max; /* bytes that jail_allow_memory may grant */
	unsigned int cpu_seconds;
	const struct unlock_devices *devices; /* NULL: none may be used */
};

/*
 * Lock this process in, for good.  The three descriptors are moved to low
 * numbers (*jail is updated) and all others are closed, standard input and
 * output lead to /dev/null.  It dies with its parent @parent_pid.
 * Errors: -errno; the process is then in an undefined state and must _exit.
 */
int jail_enter(struct unlock_jail *jail, int parent_pid);

/*
 * Address space is bounded to what parsing takes; grant @bytes and room for
 * the stacks of @threads in addition.  Errors: -ENOMEM.
 */
int jail_allow_memory(uint64_t bytes, unsigned int threads);

#endif
