/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * An allocator in secret memory for OpenSSL: see arena.h.
 *
 * Blocks have sizes of a few classes, are cut off the arena one after the
 * other and go to the free list of their class, wiped, for good: OpenSSL
 * allocates much the same things again and again.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "crypt/arena.h"
#include "lib/secmem.h"
#include "lib/why.h"

#define ARENA_BYTES (1U << 20)
#define ALIGNMENT   16U

/* In front of every block; as large as the alignment. */
struct block {
	size_t bytes; /* of its class, without this header */
	struct block *next;
};

/* Four classes for each power of two: a fifth is lost at most. */
#define MIN_BYTES  32U
#define NR_CLASSES 64U

/*
 * One a process: CRYPTO_set_mem_functions has no place for a pointer of ours.
 */
static struct arena {
	pthread_mutex_t lock;
	uint8_t *base;
	size_t used;  /* bytes cut off */
	size_t live;  /* bytes allocated */
	bool at_fork; /* the handlers of fork(2) are there */
	bool lost;    /* a child that could not have a copy */
	struct block *free[NR_CLASSES];
} arena = { .lock = PTHREAD_MUTEX_INITIALIZER };

_Static_assert(sizeof(struct block) == ALIGNMENT, "blocks stay aligned");

/* The class for @len bytes and how many it has; NR_CLASSES: too large. */
static unsigned class_of(size_t len, size_t *ret_bytes)
{
	size_t bytes = MIN_BYTES, quarter;
	unsigned class = 0;

	while (bytes < len && class < NR_CLASSES) {
		/* 32, 48, 64, 80, 96, 112, 128, 160, ... */
		quarter = (size_t)1 << (63 - __builtin_clzl(bytes));
		quarter = quarter / 4 < ALIGNMENT ? ALIGNMENT : quarter / 4;
		bytes += quarter;
		class ++;
	}
	*ret_bytes = bytes;
	return class;
}

static struct block *take_free(unsigned class)
{
	struct block *b = arena.free[class];

	if (b)
		arena.free[class] = b->next;
	return b;
}

static struct block *cut_block(size_t bytes)
{
	struct block *b;

	if (bytes + sizeof(*b) > ARENA_BYTES - arena.used)
		return NULL;
	b = (struct block *)(arena.base + arena.used);
	arena.used += bytes + sizeof(*b);
	b->bytes = bytes;
	return b;
}

static struct block *take_block(size_t len)
{
	struct block *b;
	size_t bytes;
	unsigned class = class_of(len, &bytes);

	if (class >= NR_CLASSES)
		return NULL;
	b = take_free(class);
	if (!b)
		b = cut_block(bytes);
	/* Near the end a block that is too large is better than none. */
	while (!b && ++class < NR_CLASSES)
		b = take_free(class);
	if (b)
		arena.live += b->bytes;
	return b;
}

static void give_block(struct block *b)
{
	size_t bytes;
	unsigned class = class_of(b->bytes, &bytes);

	explicit_bzero(b + 1, b->bytes);
	arena.live -= b->bytes;
	b->next = arena.free[class];
	arena.free[class] = b;
}

static void *arena_malloc(size_t len, const char *file, int line)
{
	struct block *b;

	if (!len)
		return NULL;
	pthread_mutex_lock(&arena.lock);
	b = take_block(len);
	pthread_mutex_unlock(&arena.lock);
	return b ? b + 1 : NULL;
}

static void arena_free(void *p, const char *file, int line)
{
	if (!p)
		return;
	pthread_mutex_lock(&arena.lock);
	give_block((struct block *)p - 1);
	pthread_mutex_unlock(&arena.lock);
}

static void *arena_realloc(void *p, size_t len, const char *file, int line)
{
	struct block *b;
	void *bigger;

	if (!p)
		return arena_malloc(len, file, line);
	if (!len) {
		arena_free(p, file, line);
		return NULL;
	}
	b = (struct block *)p - 1;
	if (len <= b->bytes)
		return p;
	bigger = arena_malloc(len, file, line);
	if (!bigger)
		return NULL;
	memcpy(bigger, p, b->bytes);
	arena_free(p, file, line);
	return bigger;
}

static void lock_arena(void)
{
	pthread_mutex_lock(&arena.lock);
}

static void unlock_arena(void)
{
	pthread_mutex_unlock(&arena.lock);
}

/*
 * The memory is shared: OpenSSL of a child would write into that of its
 * parent.  The child gets a copy in the same place, or nothing there.
 */
static void copy_arena(void)
{
	void *copy, *p = MAP_FAILED;

	if (!secmem_alloc(ARENA_BYTES, &copy)) {
		memcpy(copy, arena.base, ARENA_BYTES);
		p = mremap(copy, ARENA_BYTES, ARENA_BYTES,
			   MREMAP_MAYMOVE | MREMAP_FIXED, arena.base);
		if (p == MAP_FAILED)
			secmem_free(copy, ARENA_BYTES);
	}
	if (p == MAP_FAILED) {
		munmap(arena.base, ARENA_BYTES);
		arena.lost = true;
	}
}

/* There is none where arena_install came too late. */
static void copy_for_child(void)
{
	if (arena.base && !arena.lost)
		copy_arena();
	unlock_arena();
}

/* Once: handlers cannot be taken back, and would take the lock twice. */
static int handle_forks(void)
{
	if (!arena.at_fork &&
	    pthread_atfork(lock_arena, unlock_arena, copy_for_child))
		return -ENOMEM;
	arena.at_fork = true;
	return 0;
}

int arena_install(struct why *why)
{
	void *base;
	int err;

	if (arena.base)
		return why_set(why, -EBUSY, "OpenSSL: has its arena already");
	if (handle_forks())
		return why_set(why, -ENOMEM, "out of memory");
	err = secmem_alloc(ARENA_BYTES, &base);
	if (err)
		return why_set(
			why, err,
			"%u KiB of locked memory for the cipher: refused "
			"(raise the limit: ulimit -l)",
			ARENA_BYTES >> 10);
	arena.base = base;
	if (!CRYPTO_set_mem_functions(arena_malloc, arena_realloc,
				      arena_free)) {
		arena.base = NULL;
		secmem_free(base, ARENA_BYTES);
		return why_set(why, -EBUSY,
			       "OpenSSL: has allocated memory already");
	}
	return 0;
}

bool arena_is_installed(void)
{
	return arena.base;
}

bool arena_has(const void *p)
{
	return arena.base && (const uint8_t *)p >= arena.base &&
	       (const uint8_t *)p < arena.base + ARENA_BYTES;
}

void arena_usage(size_t *ret_now, size_t *ret_ever)
{
	pthread_mutex_lock(&arena.lock);
	*ret_now = arena.live;
	*ret_ever = arena.used;
	pthread_mutex_unlock(&arena.lock);
}

bool arena_contains_bytes(const void *p, size_t len)
{
	return arena.base && memmem(arena.base, ARENA_BYTES, p, len);
}
