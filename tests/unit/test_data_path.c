/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What the data path must not do: allocate memory, and take locks.  Requests
 * of all kinds and sizes go through a ring, the cipher and a file; every call
 * of this program and of its libraries comes here first.  Each test runs with
 * split rings (even) and packed ones (odd).
 *
 * Definitions in a program come before those of the C library.  The
 * sanitizers have allocators of their own, and hooks in them; locks are not
 * counted there.
 */
#include <check.h>
#include <dlfcn.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/file.h"
#include "crypt/cryptdev.h"
#include "lib/loop.h"
#include "lib/why.h"
#include "tests/unit/blk_help.h"
#include "tests/unit/driver_blk.h"
#include "tests/unit/vhost_front.h"

#define DATA_SIZE (8U << 20)
#define OFFSET	  (1U << 20)
#define WARM_UP	  200

static __thread bool counting;
static __thread unsigned long allocations, locks;

static void note_allocation(void)
{
	if (counting)
		allocations++;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

#define LOCKS_COUNTED false
#define ROUNDS	      600

int __sanitizer_install_malloc_and_free_hooks(
	void (*on_malloc)(const volatile void *, size_t),
	void (*on_free)(const volatile void *));

static void on_malloc(const volatile void *p, size_t len)
{
	note_allocation();
}

static void on_free(const volatile void *p)
{
	note_allocation();
}

static void install_hooks(void)
{
	__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}

#else

#define LOCKS_COUNTED true
#define ROUNDS	      1500

void *__libc_malloc(size_t len);
void *__libc_calloc(size_t nr, size_t len);
void *__libc_realloc(void *p, size_t len);
void *__libc_memalign(size_t align, size_t len);
void __libc_free(void *p);

void *malloc(size_t len)
{
	note_allocation();
	return __libc_malloc(len);
}

void *calloc(size_t nr, size_t len)
{
	note_allocation();
	return __libc_calloc(nr, len);
}

void *realloc(void *p, size_t len)
{
	note_allocation();
	return __libc_realloc(p, len);
}

void *aligned_alloc(size_t align, size_t len)
{
	note_allocation();
	return __libc_memalign(align, len);
}

void free(void *p)
{
	if (p)
		note_allocation();
	__libc_free(p);
}

/* The next definition, without counting what dlsym does. */
static void *next_of(const char *name)
{
	bool was = counting;
	void *p;

	counting = false;
	p = dlsym(RTLD_NEXT, name);
	counting = was;
	return p;
}

static void note_lock(void)
{
	if (counting)
		locks++;
}

#define COUNTED(name, type)                                         \
	int name(type *p)                                           \
	{                                                           \
		static __typeof__(&(name)) next;                    \
                                                                    \
		if (!next)                                          \
			next = (__typeof__(&(name)))next_of(#name); \
		note_lock();                                        \
		return next(p);                                     \
	}

COUNTED(pthread_mutex_lock, pthread_mutex_t)
COUNTED(pthread_mutex_trylock, pthread_mutex_t)
COUNTED(pthread_rwlock_rdlock, pthread_rwlock_t)
COUNTED(pthread_rwlock_wrlock, pthread_rwlock_t)
COUNTED(pthread_cond_signal, pthread_cond_t)
COUNTED(pthread_cond_broadcast, pthread_cond_t)
COUNTED(sem_wait, sem_t)
COUNTED(sem_post, sem_t)

static void install_hooks(void)
{
}

#endif

static const struct {
	const char *dir;
	enum file_cache cache;
} places[] = {
	{ "/var/tmp", FILE_CACHE_AUTO },
	{ "/dev/shm", FILE_CACHE_BUFFERED },
};

/* A request of the load; those of 1 MiB go through all buffers. */
static const struct {
	uint32_t type, len;
} kinds[] = {
	{ VIRTIO_BLK_T_OUT, 4096 },
	{ VIRTIO_BLK_T_IN, 4096 },
	{ VIRTIO_BLK_T_OUT, 64 << 10 },
	{ VIRTIO_BLK_T_IN, 64 << 10 },
	{ VIRTIO_BLK_T_FLUSH, 0 },
	{ VIRTIO_BLK_T_OUT, 1 << 20 },
	{ VIRTIO_BLK_T_IN, 1 << 20 },
	{ VIRTIO_BLK_T_WRITE_ZEROES,
	  sizeof(struct virtio_blk_discard_write_zeroes) },
	{ VIRTIO_BLK_T_DISCARD,
	  sizeof(struct virtio_blk_discard_write_zeroes) },
	{ VIRTIO_BLK_T_OUT, 20 << 10 },
	{ VIRTIO_BLK_T_IN, 132 << 10 },
	{ VIRTIO_BLK_T_GET_ID, 20 },
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct blk_dev *disk;

static void open_disk(int place)
{
	static uint8_t key[64];
	const struct file_blk_options opt = { false };
	const struct cryptdev_params params = {
		.key = key,
		.key_bytes = sizeof(key),
		.sector_size = 4096,
		.iv = XTS_IV_PLAIN64,
		.data_offset = OFFSET,
		.data_size = DATA_SIZE,
		.allow_discards = true,
	};
	struct why why = { "" };
	struct blk_dev *file;
	char path[64];
	int fd;

	fill_bytes(key, sizeof(key), 5);
	snprintf(path, sizeof(path), "%s/vcrypt-test-XXXXXX",
		 places[place].dir);
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, OFFSET + DATA_SIZE), 0);
	close(fd);
	ck_assert_int_eq(file_open(path, false, &fd, &why), 0);
	unlink(path);
	ck_assert_int_eq(
		file_set_cache(fd, path, places[place].cache, 4096, &why), 0);
	ck_assert_int_eq(file_blk_new(fd, &opt, &file, &why), 0);
	ck_assert_msg(!cryptdev_new(file, &params, &disk, &why), "%s",
		      why.text);
}

static void add(struct driver_blk *b, unsigned i)
{
	uint32_t type = kinds[i % NR_KINDS].type, len = kinds[i % NR_KINDS].len;
	bool ranges = type == VIRTIO_BLK_T_DISCARD ||
		      type == VIRTIO_BLK_T_WRITE_ZEROES;
	bool in = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
	uint64_t sector = len >= 4096 ? i * 8 % 8192 : 0;
	struct driver_req r = driver_blk_add(b, type, sector, len, in);

	if (ranges)
		*(struct virtio_blk_discard_write_zeroes *)driver_blk_at(
			b, r.data) = (struct virtio_blk_discard_write_zeroes){
			.sector = i * 8 % 8192,
			.num_sectors = 256,
		};
}

/* The device's turn: only what it does counts. */
static void turn(struct driver_blk *b)
{
	int err;

	counting = true;
	err = loop_turn(b->loop, false);
	counting = false;
	ck_assert_int_eq(err, 0);
}

/* Several requests in flight at a time. */
static void load(struct driver_blk *b, unsigned rounds)
{
	unsigned i, n, done;
	uint32_t len;
	uint16_t head;

	b->shape = DRIVER_INDIRECT;
	for (i = 0; i < rounds; i += n) {
		b->d.next_data = DRIVER_DATA;
		for (n = 0; n < 3; n++)
			add(b, i + n);
		driver_want_interrupt(&b->d, true);
		driver_kick(&b->d);
		for (done = 0; done < n;) {
			turn(b);
			while (driver_collect(&b->d, &head, &len))
				done++;
		}
	}
}

static void check_quiet(struct driver_blk *b, const struct vblk_stats *stats)
{
	unsigned op;

	load(b, WARM_UP);
	allocations = locks = 0;
	load(b, ROUNDS);
	ck_assert_msg(!allocations, "%lu allocations", allocations);
	ck_assert_msg(!locks, "%lu locks", locks);
	/* It was the load that it was meant to be. */
	for (op = VBLK_READ; op <= VBLK_GET_ID; op++) {
		ck_assert_uint_gt(vblk_stat_get(&stats->op[op].requests),
				  ROUNDS / 20);
		ck_assert_uint_eq(vblk_stat_get(&stats->op[op].errors), 0);
	}
}

/* Nothing would be found by a counter that does not count. */
START_TEST(test_counters_count)
{
	/* The compiler knows too much of malloc. */
	void *(*volatile get)(size_t) = malloc;
	void (*volatile give)(void *) = free;
	EVP_CIPHER_CTX *ctx;
	void *p;

	counting = true;
	p = get(1);
	give(p);
	counting = false;
	ck_assert_uint_eq(allocations, 2);
	counting = true;
	ctx = EVP_CIPHER_CTX_new();
	counting = false;
	EVP_CIPHER_CTX_free(ctx);
	ck_assert_uint_gt(allocations, 2);
	if (LOCKS_COUNTED) {
		CRYPTO_RWLOCK *lock = CRYPTO_THREAD_lock_new();
		int taken;

		counting = true;
		taken = CRYPTO_THREAD_write_lock(lock);
		counting = false;
		ck_assert_int_eq(taken, 1);
		ck_assert_uint_eq(locks, 1);
		CRYPTO_THREAD_unlock(lock);
		CRYPTO_THREAD_lock_free(lock);
	}
}
END_TEST

/* The assertions of the usual one allocate memory. */
static void *translate(void *host, uint64_t iova, uint64_t *len, bool write)
{
	const struct driver_mem *mem = host;
	unsigned i;

	for (i = 0; i < mem->nr; i++) {
		const struct driver_map *m = &mem->map[i];

		uint64_t at = iova - m->iova;

		if (iova < m->iova || at >= m->len)
			continue;
		if (*len > m->len - at)
			*len = m->len - at;
		return m->host + at;
	}
	return NULL;
}

START_TEST(test_ring)
{
	struct virtq_host_ops host = driver_mem_ops;
	struct driver_blk b;

	open_disk(_i / 2);
	driver_blk_init_ring(&b, disk, 64, 0, _i % 2);
	driver_blk_stop(&b);
	host.translate = translate;
	b.d.setup.ops = &host;
	driver_blk_start(&b);
	check_quiet(&b, &b.stats);
	driver_blk_free(&b);
	blk_close(disk);
}
END_TEST

START_TEST(test_vhost_user)
{
	static struct front f;
	uint64_t packed = 1ULL << VIRTIO_F_RING_PACKED;

	open_disk(_i / 2);
	front_init(&f, disk);
	front_start(&f, _i % 2 ? FRONT_ALL : FRONT_ALL & ~packed);
	check_quiet(&f.b, &f.stats[0]);
	front_free(&f);
	blk_close(disk);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("data_path");
	TCase *tc = tcase_create("data_path");
	SRunner *sr = srunner_create(s);
	int failed;

	install_hooks();
	tcase_add_test(tc, test_counters_count);
	tcase_add_loop_test(tc, test_ring, 0, 4);
	tcase_add_loop_test(tc, test_vhost_user, 0, 4);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
