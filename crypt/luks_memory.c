/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Locked memory for libcryptsetup: see luks_memory.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "crypt/arena.h"
#include "crypt/luks_memory.h"
#include "lib/secmem.h"
#include "lib/why.h"

/* The sanitizers have a heap of their own, and too much memory to lock. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/*
 * A key that is split into 4000 stripes has 250 KiB, and two or three copies
 * of that are about at a time.
 */
#define HEAP_ROOM  (3U << 20)
#define ON_HEAP	   (1U << 20) /* bytes of an allocation that is still there */
#define STACK_ROOM (64U << 10)
#define IN_ALL	   (4608U << 10) /* with the arena, and what is on the heap */

/*
 * libcryptsetup unlocks the pages of what it has freed, which may be those of
 * a key that it has not: in this program nothing is unlocked but by munmap.
 * This definition comes before that of the C library.
 */
int munlock(const void *p, size_t len)
{
	return 0;
}

static int refused(struct why *why, uint64_t bytes)
{
	return why_set(why, -ENOMEM,
		       "%" PRIu64 " KiB of locked memory for keys: refused "
		       "(raise the limit: ulimit -l)",
		       bytes >> 10);
}

int luks_memory_check(struct why *why)
{
	void *p;

	if (secmem_alloc(IN_ALL, &p))
		return refused(why, IN_ALL);
	secmem_free(p, IN_ALL);
	return 0;
}

/* Without a limit: root, or who was given it. */
static void lock_all(void)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit lim;

	/* Else what comes after root was given up would be refused. */
	setrlimit(RLIMIT_MEMLOCK, &none);
	if (!getrlimit(RLIMIT_MEMLOCK, &lim) && lim.rlim_cur == RLIM_INFINITY)
		mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

int luks_memory_prepare(struct why *why)
{
	int err;

	if (arena_is_installed())
		return 0;
	err = arena_install(why);
	/* Too late: what OpenSSL has is on the heap, and locked with it. */
	if (err && err != -EBUSY)
		return err;
	if (!SANITIZED)
		lock_all();
	return 0;
}

/* All regions of [heap] in /proc/self/maps: in a child there are several. */
static int find_heap(uintptr_t *ret_start, uintptr_t *ret_end)
{
	FILE *f = fopen("/proc/self/maps", "re");
	uintptr_t start, end;
	char line[512];
	int err = -ENOENT;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (!strstr(line, "[heap]") ||
		    sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &start, &end) != 2)
			continue;
		if (err)
			*ret_start = start;
		*ret_end = end;
		err = 0;
	}
	fclose(f);
	return err;
}

/* All allocations in one piece, which only grows. */
static int lock_heap(struct why *why)
{
	uintptr_t start, end;
	void *room;

	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, ON_HEAP * 4);
	mallopt(M_TRIM_THRESHOLD, INT32_MAX);
	room = malloc(HEAP_ROOM);
	if (!room)
		return why_set(why, -ENOMEM, "out of memory");
	free(room);
	mallopt(M_MMAP_THRESHOLD, ON_HEAP);
	if (find_heap(&start, &end))
		return why_set(why, -ENOMEM, "the heap cannot be found");
	if (mlock((void *)start, end - start))
		return refused(why, end - start);
	return 0;
}

/* The pages below, which will be used by who is called next. */
static int lock_stack(struct why *why)
{
	char room[STACK_ROOM];

	explicit_bzero(room, sizeof(room));
	return mlock(room, sizeof(room)) ? refused(why, sizeof(room)) : 0;
}

int luks_memory_lock(struct why *why)
{
	int err;

	if (SANITIZED)
		return 0;
	err = lock_heap(why);
	return err ? err : lock_stack(why);
}
