/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The cipher as a block device: what it is (see cryptdev.h).  How it serves
 * requests is in crypt_queue.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "crypt/crypt_queue.h"
#include "crypt/cryptdev.h"
#include "lib/why.h"

#define PHYS_BLOCK_SIZE 4096U

static void crypt_close(struct blk_dev *base)
{
	struct cryptdev *dev = (struct cryptdev *)base;

	blk_close(dev->lower);
	xts_free(dev->xts);
	pthread_mutex_destroy(&dev->lock);
	free(dev);
}

/* Whoever sees the new size finds as much below. */
static int crypt_resize(struct blk_dev *base, uint64_t nr_sectors)
{
	struct cryptdev *dev = (struct cryptdev *)base;
	uint64_t below = dev->first_sector + nr_sectors;
	int err;

	if (below < nr_sectors)
		return -EINVAL;
	if (nr_sectors < blk_nr_sectors(base)) {
		blk_set_nr_sectors(base, nr_sectors);
		return blk_resize(dev->lower, below);
	}
	err = blk_resize(dev->lower, below);
	if (!err)
		blk_set_nr_sectors(base, nr_sectors);
	return err;
}

static const struct blk_ops crypt_ops = {
	.name = "crypt",
	.open_queue = crypt_open_queue,
	.submit = crypt_submit,
	.close_queue = crypt_close_queue,
	.close = crypt_close,
	.resize = crypt_resize,
};

/* After xts_new, which has checked the sector size itself. */
static int check_area(const struct blk_info *lower,
		      const struct cryptdev_params *p, struct why *why)
{
	uint64_t bytes = lower->nr_sectors * BLK_SECTOR_SIZE;

	if (p->sector_size % lower->block_size ||
	    p->data_offset % lower->block_size)
		return why_set(why, -EINVAL,
			       "sectors of %u bytes at offset %" PRIu64
			       ": the image is addressed in blocks of %u bytes "
			       "(use --cache buffered)",
			       p->sector_size, p->data_offset,
			       lower->block_size);
	if (!p->data_size || p->data_size % p->sector_size)
		return why_set(why, -EINVAL,
			       "data area: its size, %" PRIu64
			       " bytes, is not made of sectors of %u bytes",
			       p->data_size, p->sector_size);
	if (p->data_offset > bytes || p->data_size > bytes - p->data_offset)
		return why_set(why, -EINVAL,
			       "data area: %" PRIu64 " bytes at offset %" PRIu64
			       ", but the image has only %" PRIu64,
			       p->data_size, p->data_offset, bytes);
	return 0;
}

void cryptdev_info(const struct blk_info *lower,
		   const struct cryptdev_params *p, struct blk_info *info)
{
	*info = *lower;
	info->nr_sectors = p->data_size / BLK_SECTOR_SIZE;
	info->block_size = p->sector_size;
	if (info->phys_block_size < PHYS_BLOCK_SIZE)
		info->phys_block_size = PHYS_BLOCK_SIZE;
	/* Below, what is aligned here would not be. */
	if (info->io_opt && (info->io_opt % info->phys_block_size ||
			     p->data_offset % info->io_opt))
		info->io_opt = 0;
	info->discard = lower->discard && p->allow_discards;
}

int cryptdev_new(struct blk_dev *lower, const struct cryptdev_params *p,
		 struct blk_dev **ret, struct why *why)
{
	const struct xts_params xp = { p->key, p->key_bytes, p->sector_size,
				       p->iv, p->iv_offset };
	struct cryptdev *dev = calloc(1, sizeof(*dev));
	int err;

	if (!dev)
		return why_set(why, -ENOMEM, "out of memory");
	err = xts_new(&xp, &dev->xts, why);
	if (err)
		goto free_dev;
	err = check_area(&lower->info, p, why);
	if (err)
		goto free_xts;
	dev->base.ops = &crypt_ops;
	pthread_mutex_init(&dev->lock, NULL);
	dev->lower = lower;
	dev->sector_size = p->sector_size;
	dev->first_sector = p->data_offset / BLK_SECTOR_SIZE;
	cryptdev_info(&lower->info, p, &dev->base.info);
	*ret = &dev->base;
	return 0;

free_xts:
	xts_free(dev->xts);
free_dev:
	free(dev);
	return err;
}
