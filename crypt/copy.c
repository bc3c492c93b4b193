/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The cipher as the copy: see copy.h.
 *
 * What runs under the guard may be left in the middle by a missing page; it
 * holds nothing, and EVP is ready again as soon as it is given the next IV.
 */
#include <stdbool.h>
#include <string.h>

#include "crypt/copy.h"
#include "crypt/xts.h"
#include "lib/guard.h"

#define IV_UNIT 512U

static inline size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Stand in a segment that has bytes left; there is one. */
static inline void settle(struct copy_pos *pos)
{
	while (pos->done == pos->seg->iov_len) {
		pos->seg++;
		pos->done = 0;
	}
}

void copy_skip(struct copy_pos *pos, size_t len)
{
	while (len) {
		size_t n;

		settle(pos);
		n = min_size(len, pos->seg->iov_len - pos->done);
		pos->done += n;
		len -= n;
	}
}

/* One sector between driver memory and the private sector. */
static void copy_straddle(struct copy *c, bool to_driver)
{
	uint8_t *p = c->straddle;
	size_t left = c->sector_size;

	while (left) {
		uint8_t *at;
		size_t n;

		settle(&c->pos);
		at = (uint8_t *)c->pos.seg->iov_base + c->pos.done;
		n = min_size(left, c->pos.seg->iov_len - c->pos.done);
		if (to_driver)
			memcpy(at, p, n);
		else
			memcpy(p, at, n);
		c->pos.done += n;
		p += n;
		left -= n;
	}
}

/* Where driver memory goes on, and how many bytes of whole sectors are there */
static uint8_t *next_run(struct copy *c, size_t *ret_len)
{
	size_t n;

	settle(&c->pos);
	n = min_size(c->len, c->pos.seg->iov_len - c->pos.done);
	*ret_len = n & ~(size_t)(c->sector_size - 1);
	return (uint8_t *)c->pos.seg->iov_base + c->pos.done;
}

static void step(struct copy *c, size_t n)
{
	c->buf += n;
	c->len -= n;
	c->sector += n / IV_UNIT;
}

static void encrypt_all(void *arg)
{
	struct copy *c = arg;

	while (c->len && !c->err) {
		size_t n;
		const uint8_t *src = next_run(c, &n);

		if (n) {
			c->pos.done += n;
		} else {
			copy_straddle(c, false);
			src = c->straddle;
			n = c->sector_size;
		}
		c->err = xts_encrypt(c->xts, c->sector, c->buf, src, n);
		step(c, n);
	}
}

static void decrypt_all(void *arg)
{
	struct copy *c = arg;

	while (c->len && !c->err) {
		size_t n;
		uint8_t *dst = next_run(c, &n);

		if (n) {
			c->err = xts_decrypt(c->xts, c->sector, dst, c->buf, n);
			c->pos.done += n;
		} else {
			n = c->sector_size;
			c->err = xts_decrypt(c->xts, c->sector, c->straddle,
					     c->buf, n);
			if (!c->err)
				copy_straddle(c, true);
		}
		step(c, n);
	}
}

static int run(struct copy *c, void (*fn)(void *))
{
	int err;

	c->err = 0;
	err = guard_run(fn, c);
	return err ? err : c->err;
}

int copy_encrypt(struct copy *c)
{
	return run(c, encrypt_all);
}

int copy_decrypt(struct copy *c)
{
	return run(c, decrypt_all);
}
