/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Secrets to be searched for: see patterns.h.
 */
#include <string.h>

#include "tests/secrets/patterns.h"

#define WORDS_MAX 60u /* 15 round keys */

const char *const kind_names[NR_KINDS] = {
	"passphrase",
	"key",
	"encrypting",
	"decrypting",
};

static uint8_t times_x(uint8_t a)
{
	return (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1b : 0));
}

static uint8_t multiply(uint8_t a, uint8_t b)
{
	uint8_t r = 0;

	for (; b; b >>= 1, a = times_x(a))
		if (b & 1)
			r ^= a;
	return r;
}

/* FIPS 197, section 5.1.1: the inverse, which is a^254, and an affine map. */
static uint8_t substitute(uint8_t a)
{
	uint8_t inv = 1, r;
	unsigned i;

	for (i = 0; i < 254; i++)
		inv = multiply(inv, a);
	r = inv;
	for (i = 1; i < 5; i++)
		r ^= (uint8_t)(inv << i | inv >> (8 - i));
	return r ^ 0x63;
}

/* FIPS 197, section 5.2; returns the number of round keys. */
static unsigned expand(const uint8_t *key, unsigned key_bytes,
		       uint8_t w[WORDS_MAX][4])
{
	unsigned nk = key_bytes / 4, nr = nk + 7, i, j;
	uint8_t t[4], first, rcon = 1;

	memcpy(w, key, key_bytes);
	for (i = nk; i < nr * 4; i++) {
		memcpy(t, w[i - 1], 4);
		if (i % nk == 0) {
			first = t[0];
			for (j = 0; j < 4; j++)
				t[j] = substitute(j < 3 ? t[j + 1] : first);
			t[0] ^= rcon;
			rcon = times_x(rcon);
		} else if (nk > 6 && i % nk == 4) {
			for (j = 0; j < 4; j++)
				t[j] = substitute(t[j]);
		}
		for (j = 0; j < 4; j++)
			w[i][j] = w[i - nk][j] ^ t[j];
	}
	return nr;
}

/* FIPS 197, section 5.3.3, on a column. */
static void inv_mix_column(uint8_t *ret, const uint8_t *c)
{
	unsigned i;

	for (i = 0; i < 4; i++)
		ret[i] = multiply(c[i], 0x0e) ^ multiply(c[(i + 1) % 4], 0x0b) ^
			 multiply(c[(i + 2) % 4], 0x0d) ^
			 multiply(c[(i + 3) % 4], 0x09);
}

static void add(struct patterns *p, enum kind kind, const void *bytes,
		size_t len)
{
	struct pattern *new = &p->all[p->nr++];

	new->kind = kind;
	new->len = len;
	memcpy(new->bytes, bytes, len);
}

int patterns_add_passphrase(struct patterns *p, const void *text, size_t len)
{
	if (len < PATTERN_BYTES_LEAST || len > PATTERN_BYTES_MAX)
		return -1;
	add(p, PASSPHRASE, text, len);
	return 0;
}

static void add_half(struct patterns *p, const uint8_t *key, unsigned bytes)
{
	uint8_t w[WORDS_MAX][4], mixed[BLOCK_BYTES];
	unsigned nr = expand(key, bytes, w), round, i;

	for (round = 0; round < nr; round++) {
		add(p, round < bytes / BLOCK_BYTES ? KEY : ENCRYPTING,
		    w[round * 4], BLOCK_BYTES);
		if (!round || round == nr - 1)
			continue;
		for (i = 0; i < 4; i++)
			inv_mix_column(mixed + i * 4, w[round * 4 + i]);
		add(p, DECRYPTING, mixed, BLOCK_BYTES);
	}
}

int patterns_add_key(struct patterns *p, const uint8_t *key, size_t len)
{
	unsigned half = (unsigned)len / 2;

	if (len != 32 && len != 64)
		return -1;
	add_half(p, key, half);
	add_half(p, key + half, half);
	return 0;
}

static unsigned two_bytes(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

void patterns_search(const struct patterns *p, const uint8_t *buf, size_t len,
		     size_t all,
		     void (*found)(void *arg, const struct pattern *what,
				   size_t at),
		     void *arg)
{
	uint8_t begins[1 << 16] = { 0 };
	unsigned i;
	size_t at;

	for (i = 0; i < p->nr; i++)
		begins[two_bytes(p->all[i].bytes)] = 1;
	for (at = 0; at < len && at + 1 < all; at++) {
		if (!begins[two_bytes(buf + at)])
			continue;
		for (i = 0; i < p->nr; i++)
			if (p->all[i].len <= all - at &&
			    !memcmp(p->all[i].bytes, buf + at, p->all[i].len))
				found(arg, &p->all[i], at);
	}
}
