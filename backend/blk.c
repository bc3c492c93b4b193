/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The block contract, checked in both directions: see blk.h.
 */
#include <assert.h>
#include <errno.h>

#include "backend/blk.h"

int blk_open_queue(struct blk_dev *dev, struct loop *loop, unsigned depth,
		   struct blk_queue **ret)
{
	struct blk_queue *queue;
	int err;

	assert(depth > 0);
	err = dev->ops->open_queue(dev, loop, depth, &queue);
	if (err)
		return err;
	queue->dev = dev;
	queue->loop = loop;
	queue->depth = depth;
	queue->in_flight = 0;
	*ret = queue;
	return 0;
}

void blk_close_queue(struct blk_queue *queue)
{
	if (!queue)
		return;
	assert(queue->in_flight == 0);
	queue->dev->ops->close_queue(queue);
}

void blk_close(struct blk_dev *dev)
{
	if (dev)
		dev->ops->close(dev);
}

int blk_resize(struct blk_dev *dev, uint64_t nr_sectors)
{
	if (!nr_sectors ||
	    nr_sectors % (dev->info.block_size / BLK_SECTOR_SIZE))
		return -EINVAL;
	return dev->ops->resize ? dev->ops->resize(dev, nr_sectors)
				: -EOPNOTSUPP;
}

static bool has_data(const struct blk_req *req)
{
	return req->op == BLK_READ || req->op == BLK_WRITE;
}

static bool lengths_agree(const struct blk_req *req)
{
	uint64_t bytes = 0;
	int i;

	for (i = 0; i < req->iovcnt; i++) {
		if (bytes + req->iov[i].iov_len < bytes)
			return false;
		bytes += req->iov[i].iov_len;
	}
	return bytes % BLK_SECTOR_SIZE == 0 &&
	       bytes / BLK_SECTOR_SIZE == req->nr_sectors;
}

int blk_check(const struct blk_dev *dev, const struct blk_req *req)
{
	const struct blk_info *info = &dev->info;
	uint32_t unit = info->block_size / BLK_SECTOR_SIZE;
	uint64_t size = blk_nr_sectors(dev);

	if ((unsigned)req->op > BLK_WRITE_ZEROES)
		return -EOPNOTSUPP;
	if (req->op == BLK_FLUSH)
		return 0;
	if (req->op == BLK_DISCARD && !info->discard)
		return -EOPNOTSUPP;
	if (req->op != BLK_READ && info->readonly)
		return -EROFS;
	if (req->sector % unit || req->nr_sectors % unit)
		return -EINVAL;
	if (has_data(req) && !lengths_agree(req))
		return -EINVAL;
	if (req->sector > size || req->nr_sectors > size - req->sector)
		return -EIO;
	return 0;
}

void blk_submit(struct blk_queue *queue, struct blk_req *req)
{
	int err = blk_check(queue->dev, req);

	assert(req->end_io);
	assert(req->tag < queue->depth && queue->in_flight < queue->depth);
	req->queue = queue;
	queue->in_flight++;
	if (err || (req->op != BLK_FLUSH && !req->nr_sectors))
		blk_end(req, err);
	else
		queue->dev->ops->submit(queue, req);
}

void blk_end(struct blk_req *req, int res)
{
	assert(res <= 0);
	assert(req->queue->in_flight > 0);
	req->queue->in_flight--;
	req->end_io(req, res);
}
