/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The memory of another process, and files, as bytes to be searched.
 */
#ifndef TESTS_SECRETS_MEMORY_H
#define TESTS_SECRETS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct region {
	uint64_t start, end;
	char name[128]; /* as in /proc/PID/maps; "" for private memory */
};

/*
 * Gets @all bytes that follow one another, of which those from @len on come
 * again in the next call.
 */
typedef void memory_fn(void *arg, const struct region *region, uint64_t address,
		       const uint8_t *buf, size_t len, size_t all);

/* How much of a process was seen. */
struct seen {
	uint64_t bytes;
	uint64_t hidden; /* of memfd_secret(2), which could not be read */
	uint64_t unread; /* others that could not be read */
};

/* Returns 0 or -errno, when nothing of the process may be read. */
int memory_of_process(pid_t pid, memory_fn *fn, void *arg, struct seen *ret);
int memory_of_file(const char *path, memory_fn *fn, void *arg,
		   struct seen *ret);

#endif
