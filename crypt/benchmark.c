/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * How fast this machine is: see benchmark.h.
 */
#include <errno.h>
#include <libcryptsetup.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "crypt/benchmark.h"
#include "crypt/copy.h"
#include "crypt/luks_pbkdf.h"
#include "crypt/xts.h"
#include "lib/clock.h"
#include "lib/why.h"

#define PIECE	   (128u << 10) /* bytes: what the data path does at once */
#define DRIVER_LEN (1u << 20)	/* bytes of stand-in driver memory */
#define PBKDF2_MS  1000

/* The stand-ins for a request's memory, and for a queue's. */
struct bench {
	struct xts *xts;
	uint32_t sector_size;
	uint8_t *driver, *buf, *straddle;
};

/* All of the driver memory once. */
static int pass(const struct bench *b, int (*direction)(struct copy *c))
{
	struct iovec iov = { b->driver, DRIVER_LEN };
	struct copy_pos pos = { .seg = &iov };
	size_t done;
	int err = 0;

	for (done = 0; !err && done < DRIVER_LEN; done += PIECE) {
		struct copy c = {
			.xts = b->xts,
			.sector_size = b->sector_size,
			.sector = done / 512,
			.pos = pos,
			.buf = b->buf,
			.len = PIECE,
			.straddle = b->straddle,
		};

		err = direction(&c);
		copy_skip(&pos, PIECE);
	}
	return err;
}

static int measure(const struct bench *b, int (*direction)(struct copy *c),
		   int64_t ms, uint64_t *ret)
{
	int64_t start, now;
	uint64_t bytes = 0;
	int err;

	/* Caches and clocks get warm. */
	err = pass(b, direction);
	start = clock_ms();
	do {
		if (!err)
			err = pass(b, direction);
		bytes += DRIVER_LEN;
		now = clock_ms();
	} while (!err && now - start < ms);
	if (!err)
		*ret = bytes * 1000 / (uint64_t)(now > start ? now - start : 1);
	return err;
}

static int new_cipher(size_t key_bytes, uint32_t sector_size, struct xts **ret,
		      struct why *why)
{
	struct xts_params params = {
		.key_bytes = key_bytes,
		.sector_size = sector_size,
		.iv = XTS_IV_PLAIN64,
	};
	uint8_t key[64];
	size_t i;

	/* It protects nothing. */
	for (i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	params.key = key;
	return xts_new(&params, ret, why);
}

int benchmark_cipher(size_t key_bytes, uint32_t sector_size, int64_t ms,
		     struct benchmark_rates *ret, struct why *why)
{
	struct benchmark_rates rates = { 0 };
	struct bench b = { .sector_size = sector_size };
	void *memory;
	int err;

	err = new_cipher(key_bytes, sector_size, &b.xts, why);
	if (err)
		return err;
	memory = aligned_alloc(4096, DRIVER_LEN + PIECE + XTS_MAX_SECTOR_SIZE);
	if (!memory) {
		xts_free(b.xts);
		return why_set(why, -ENOMEM, "no memory for a benchmark");
	}
	memset(memory, 0, DRIVER_LEN + PIECE + XTS_MAX_SECTOR_SIZE);
	b.driver = memory;
	b.buf = b.driver + DRIVER_LEN;
	b.straddle = b.buf + PIECE;
	err = measure(&b, copy_encrypt, ms, &rates.encrypt);
	if (!err)
		err = measure(&b, copy_decrypt, ms, &rates.decrypt);
	free(memory);
	xts_free(b.xts);
	if (err)
		return why_set(why, err, "the cipher failed: %s",
			       strerror(-err));
	*ret = rates;
	return 0;
}

static int benchmark_kdf(struct crypt_pbkdf_type *kdf, struct why *why)
{
	int r = crypt_benchmark_pbkdf(NULL, kdf, "foobarfo", 8,
				      "0123456789abcdef", 16,
				      BENCHMARK_KEY_BYTES, NULL, NULL);

	if (r < 0)
		return why_set(why, r, "%s cannot be measured: %s", kdf->type,
			       strerror(-r));
	return 0;
}

int benchmark_pbkdf2(const char *hash, uint32_t *ret_rate, struct why *why)
{
	struct crypt_pbkdf_type kdf = {
		.type = CRYPT_KDF_PBKDF2,
		.hash = hash,
		.time_ms = PBKDF2_MS,
	};
	int err = benchmark_kdf(&kdf, why);

	if (!err)
		*ret_rate = kdf.iterations;
	return err;
}

int benchmark_argon2(struct luks_pbkdf *kdf, struct why *why)
{
	struct crypt_pbkdf_type measured;
	int err;

	luks_pbkdf_fill(kdf, &measured);
	err = benchmark_kdf(&measured, why);
	if (err)
		return err;
	kdf->memory_kib = measured.max_memory_kb;
	kdf->threads = measured.parallel_threads;
	kdf->iterations = measured.iterations;
	return 0;
}
