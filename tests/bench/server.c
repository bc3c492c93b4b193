// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * What a server uses.  Processor time is that of the process clock, which has
 * threads that ended and the kernel's workers for it too, in nanoseconds; its
 * split into user and system time comes from /proc/PID/stat.
 */
#include <dirent.h>
#include <err.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/server.h"

#define TRACEPOINT "/sys/kernel/tracing/events/raw_syscalls/sys_enter/id"

static void find_children(struct server *server, pid_t pid)
{
	char path[64];
	int child;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fscanf(file, "%d", &child) == 1)
		server_find(server, child);
	fclose(file);
}

void server_find(struct server *server, pid_t pid)
{
	if (server->count == SERVER_PROCESSES)
		errx(1, "the server has more than %d processes",
		     SERVER_PROCESSES);
	server->pid[server->count++] = pid;
	find_children(server, pid);
}

static void count_thread(struct server *server, uint64_t id, pid_t tid)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = id,
		.inherit = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, tid, -1, -1,
			 PERF_FLAG_FD_CLOEXEC);

	if (fd >= 0 && server->counters < SERVER_THREADS)
		server->counter[server->counters++] = fd;
}

static void count_process(struct server *server, uint64_t id, pid_t pid)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (atoi(entry->d_name) > 0)
			count_thread(server, id, atoi(entry->d_name));
	closedir(dir);
}

bool server_count_syscalls(struct server *server)
{
	FILE *file = fopen(TRACEPOINT, "re");
	unsigned long id;
	unsigned int i;

	if (!file)
		return false;
	if (fscanf(file, "%lu", &id) == 1)
		for (i = 0; i < server->count; i++)
			count_process(server, id, server->pid[i]);
	fclose(file);
	return server->counters;
}

static uint64_t process_cpu(pid_t pid)
{
	struct timespec now;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &now))
		errx(1, "process %d of the server is gone", pid);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void add_ticks(pid_t pid, struct server_use *use)
{
	unsigned long user = 0, sys = 0, tick = sysconf(_SC_CLK_TCK);
	char path[64], line[1024], *rest = NULL;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(line, sizeof(line), file))
		rest = strrchr(line, ')');
	fclose(file);
	/* utime and stime are the fields 14 and 15; the name is the second. */
	if (rest && sscanf(rest,
			   ") %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			   "%lu %lu",
			   &user, &sys) != 2)
		errx(1, "%s: unknown format", path);
	use->user_ns += user * (1000000000ULL / tick);
	use->sys_ns += sys * (1000000000ULL / tick);
}

void server_use(const struct server *server, struct server_use *ret_use)
{
	struct server_use use = { 0 };
	uint64_t value;
	unsigned int i;

	for (i = 0; i < server->count; i++) {
		use.cpu_ns += process_cpu(server->pid[i]);
		add_ticks(server->pid[i], &use);
	}
	for (i = 0; i < server->counters; i++)
		if (read(server->counter[i], &value, 8) == 8)
			use.syscalls += value;
	*ret_use = use;
}

uint64_t server_memory(const struct server *server, const char *field)
{
	size_t len = strlen(field);
	uint64_t sum = 0;
	char path[64], line[256];
	unsigned int i;
	FILE *file;

	for (i = 0; i < server->count; i++) {
		snprintf(path, sizeof(path), "/proc/%d/status", server->pid[i]);
		file = fopen(path, "re");
		if (!file)
			continue;
		while (fgets(line, sizeof(line), file))
			if (!strncmp(line, field, len) && line[len] == ':')
				sum += strtoull(line + len + 1, NULL, 10);
		fclose(file);
	}
	return sum;
}
