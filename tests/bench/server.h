/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a server uses: the processor time of all threads of a process and its
 * children, its memory, its system calls.
 */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVER_PROCESSES 16
#define SERVER_THREADS	 256

struct server {
	pid_t pid[SERVER_PROCESSES];
	unsigned int count;
	int counter[SERVER_THREADS]; /* of system calls */
	unsigned int counters;
};

struct server_use {
	uint64_t cpu_ns;
	uint64_t user_ns; /* in clock ticks: coarse */
	uint64_t sys_ns;
	uint64_t syscalls;
};

/* @pid and all its descendants of now. */
void server_find(struct server *server, pid_t pid);

/*
 * Count system calls from now on, of the threads of now and their children.
 * False if the kernel does not let us (needs tracefs and CAP_PERFMON).
 */
bool server_count_syscalls(struct server *server);

void server_use(const struct server *server, struct server_use *ret_use);

/* The sum of a field of /proc/PID/status, in KiB: "RssAnon", "VmHWM", ... */
uint64_t server_memory(const struct server *server, const char *field);

#endif
