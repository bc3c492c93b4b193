/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A block device that answers every request with -EIO: see dead.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "backend/dead.h"

static int dead_open_queue(struct blk_dev *dev, struct loop *loop,
			   unsigned depth, struct blk_queue **ret)
{
	struct blk_queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return -ENOMEM;
	*ret = queue;
	return 0;
}

static void dead_submit(struct blk_queue *queue, struct blk_req *req)
{
	blk_end(req, -EIO);
}

static void dead_close_queue(struct blk_queue *queue)
{
	free(queue);
}

static void dead_close(struct blk_dev *dev)
{
	free(dev);
}

static int dead_resize(struct blk_dev *dev, uint64_t nr_sectors)
{
	blk_set_nr_sectors(dev, nr_sectors);
	return 0;
}

static const struct blk_ops dead_ops = {
	.name = "dead",
	.open_queue = dead_open_queue,
	.submit = dead_submit,
	.close_queue = dead_close_queue,
	.close = dead_close,
	.resize = dead_resize,
};

int dead_blk_new(const struct blk_info *info, struct blk_dev **ret)
{
	struct blk_dev *dev = calloc(1, sizeof(*dev));

	if (!dev)
		return -ENOMEM;
	dev->ops = &dead_ops;
	dev->info = *info;
	*ret = dev;
	return 0;
}
