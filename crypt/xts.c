/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The sector cipher: what it is given, and who computes it; see xts.h.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "crypt/xts.h"
#include "crypt/xts_impl.h"
#include "lib/why.h"

struct xts {
	const struct xts_impl *impl;
	void *state;
	uint64_t iv_mask, first_sector;
	uint32_t sector_size;
};

/* In the order of preference: the first that is willing is taken. */
static const struct xts_impl *const impls[] = {
	&xts_batch,
	&xts_openssl,
};

#define NR_IMPLS (sizeof(impls) / sizeof(impls[0]))

static int check_params(const struct xts_params *p, struct why *why)
{
	size_t half = p->key_bytes / 2;

	if (p->key_bytes != 32 && p->key_bytes != 64)
		return why_set(why, -EINVAL,
			       "volume key: AES-XTS takes 256 or 512 bits, "
			       "not %zu",
			       p->key_bytes * 8);
	if (p->sector_size < XTS_MIN_SECTOR_SIZE ||
	    p->sector_size > XTS_MAX_SECTOR_SIZE ||
	    (p->sector_size & (p->sector_size - 1)))
		return why_set(why, -EINVAL,
			       "sector size %u: must be 512, 1024, 2048 or "
			       "4096 bytes",
			       p->sector_size);
	if (!CRYPTO_memcmp(p->key, p->key + half, half))
		return why_set(why, -EINVAL,
			       "volume key: its two halves are equal, which "
			       "makes AES-XTS weak (format a new container)");
	return 0;
}

static int set_key(struct xts *x, const struct xts_params *p, struct why *why)
{
	int err = -ENOTSUP;
	size_t i;

	for (i = 0; err == -ENOTSUP && i < NR_IMPLS; i++) {
		x->impl = impls[i];
		err = x->impl->create(p->key, p->key_bytes, p->sector_size,
				      &x->state);
	}
	if (err == -ENOTSUP)
		return why_set(why, err, "%s does not offer AES-%zu-XTS",
			       x->impl->name, p->key_bytes * 4);
	return err ? why_set(why, err, "AES-XTS: %s is out of memory",
			     x->impl->name)
		   : 0;
}

int xts_new(const struct xts_params *p, struct xts **ret, struct why *why)
{
	struct xts *x;
	int err;

	err = check_params(p, why);
	if (err)
		return err;
	x = calloc(1, sizeof(*x));
	if (!x)
		return why_set(why, -ENOMEM, "out of memory");
	err = set_key(x, p, why);
	if (err) {
		free(x);
		return err;
	}
	x->sector_size = p->sector_size;
	x->first_sector = p->first_sector;
	x->iv_mask = p->iv == XTS_IV_PLAIN ? UINT32_MAX : UINT64_MAX;
	*ret = x;
	return 0;
}

int xts_dup(const struct xts *from, struct xts **ret)
{
	struct xts *x = malloc(sizeof(*x));

	if (!x)
		return -ENOMEM;
	*x = *from;
	if (x->impl->dup(from->state, &x->state)) {
		free(x);
		return -ENOMEM;
	}
	*ret = x;
	return 0;
}

void xts_free(struct xts *x)
{
	if (!x)
		return;
	x->impl->free(x->state);
	free(x);
}

static int run(struct xts *x, bool encrypt, uint64_t sector, void *dst,
	       const void *src, size_t len)
{
	const struct xts_run r = {
		.dst = dst,
		.src = src,
		.len = len,
		.sector_size = x->sector_size,
		.sector = sector + x->first_sector,
		.iv_mask = x->iv_mask,
		.encrypt = encrypt,
	};

	return x->impl->run(x->state, &r);
}

int xts_encrypt(struct xts *x, uint64_t sector, void *dst, const void *src,
		size_t len)
{
	return run(x, true, sector, dst, src, len);
}

int xts_decrypt(struct xts *x, uint64_t sector, void *dst, const void *src,
		size_t len)
{
	return run(x, false, sector, dst, src, len);
}
