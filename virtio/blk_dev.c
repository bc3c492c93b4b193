/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The virtio-blk device: what it offers to a driver.
 */
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/why.h"
#include "virtio/blk_int.h"

#define BIT(n) (1ULL << (n))

/* More segments than this make one request no faster. */
#define SEG_MAX 254U

/* Bounds what one request takes of a transport's bounce memory. */
#define SIZE_MAX_BYTES (1U << 20)

/* Flash and disks alike; file systems align to it. */
#define PHYS_BLOCK_MIN 4096U

static uint64_t must_have(const struct vblk *vblk)
{
	uint64_t bits = BIT(VIRTIO_F_VERSION_1);

	if (!vblk->params.physical)
		bits |= BIT(VIRTIO_F_ACCESS_PLATFORM);
	return bits;
}

static uint64_t offered(const struct vblk *vblk)
{
	uint64_t bits = must_have(vblk) | BIT(VIRTIO_RING_F_INDIRECT_DESC) |
			BIT(VIRTIO_RING_F_EVENT_IDX) |
			BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_SEG_MAX) |
			BIT(VIRTIO_BLK_F_BLK_SIZE) | BIT(VIRTIO_BLK_F_FLUSH) |
			BIT(VIRTIO_BLK_F_TOPOLOGY) | BIT(VIRTIO_BLK_F_MQ);

	if (vblk->params.packed)
		bits |= BIT(VIRTIO_F_RING_PACKED);
	if (vblk->params.config_writes)
		bits |= BIT(VIRTIO_BLK_F_CONFIG_WCE);
	if (vblk->readonly)
		return bits | BIT(VIRTIO_BLK_F_RO);
	if (vblk->dev->info.discard)
		bits |= BIT(VIRTIO_BLK_F_DISCARD);
	return bits | BIT(VIRTIO_BLK_F_WRITE_ZEROES);
}

int vblk_new(struct blk_dev *dev, const struct vblk_params *params,
	     struct vblk **ret, struct why *why)
{
	unsigned size = params->queue_size;
	struct vblk *vblk;

	if (!params->nr_queues || params->nr_queues > UINT16_MAX)
		return why_set(why, -EINVAL, "%u queues (1 to 65535)",
			       params->nr_queues);
	if (size < 4 || size > VBLK_MAX_QUEUE_SIZE || (size & (size - 1)))
		return why_set(why, -EINVAL,
			       "queue size %u (a power of two, 4 to %u)", size,
			       VBLK_MAX_QUEUE_SIZE);
	if (params->size_max && params->size_max < 4096)
		return why_set(why, -EINVAL,
			       "pieces of %u bytes (4096 or more)",
			       params->size_max);
	vblk = calloc(1, sizeof(*vblk));
	if (!vblk)
		return why_set(why, -ENOMEM, "out of memory");
	vblk->dev = dev;
	vblk->params = *params;
	vblk->readonly = params->readonly || dev->info.readonly;
	/* Header and status take a descriptor each. */
	vblk->seg_max = size - 2 < SEG_MAX ? size - 2 : SEG_MAX;
	if (params->seg_max && params->seg_max < vblk->seg_max)
		vblk->seg_max = params->seg_max;
	vblk->size_max = SIZE_MAX_BYTES;
	if (params->size_max && params->size_max < vblk->size_max)
		vblk->size_max = params->size_max;
	vblk->features = offered(vblk);
	vblk_reset_config(vblk, vblk->features);
	*ret = vblk;
	return 0;
}

void vblk_free(struct vblk *vblk)
{
	free(vblk);
}

uint64_t vblk_features(const struct vblk *vblk)
{
	return vblk->features;
}

unsigned vblk_queue_size(const struct vblk *vblk)
{
	return vblk->params.queue_size;
}

int vblk_check_features(const struct vblk *vblk, uint64_t negotiated,
			struct why *why)
{
	uint64_t unknown = negotiated & ~vblk->features;
	uint64_t missing = must_have(vblk) & ~negotiated;

	if (unknown)
		return why_set(why, -EINVAL,
			       "the driver accepted features %#llx, which were "
			       "not offered",
			       (unsigned long long)unknown);
	if (missing & BIT(VIRTIO_F_VERSION_1))
		return why_set(why, -EINVAL,
			       "the driver is a legacy one (no VERSION_1)");
	if (missing)
		return why_set(why, -EINVAL,
			       "the driver did not accept ACCESS_PLATFORM");
	return 0;
}

static unsigned log2_of(uint32_t n)
{
	return 31 - (unsigned)__builtin_clz(n);
}

/* What is not offered has no limits. */
static void set_limits(const struct vblk *vblk, uint32_t phys,
		       struct virtio_blk_config *c)
{
	if (vblk->features & BIT(VIRTIO_BLK_F_DISCARD)) {
		c->max_discard_sectors = htole32(VBLK_DISCARD_MAX_SECTORS);
		c->max_discard_seg = htole32(VBLK_RANGES_MAX);
		c->discard_sector_alignment = htole32(phys / BLK_SECTOR_SIZE);
	}
	if (vblk->features & BIT(VIRTIO_BLK_F_WRITE_ZEROES)) {
		c->max_write_zeroes_sectors = htole32(VBLK_ZEROES_MAX_SECTORS);
		c->max_write_zeroes_seg = htole32(VBLK_RANGES_MAX);
		/* A hole in the image reads as anything but zeroes. */
		c->write_zeroes_may_unmap = 0;
	}
}

size_t vblk_config(const struct vblk *vblk, void *buf, size_t len)
{
	const struct blk_info *info = &vblk->dev->info;
	uint32_t phys = info->phys_block_size;
	struct virtio_blk_config c = { 0 };

	if (phys < PHYS_BLOCK_MIN)
		phys = PHYS_BLOCK_MIN;
	c.capacity = htole64(blk_nr_sectors(vblk->dev));
	c.size_max = htole32(vblk->size_max);
	c.seg_max = htole32(vblk->seg_max);
	c.blk_size = htole32(info->block_size);
	c.physical_block_exp = (uint8_t)log2_of(phys / info->block_size);
	c.min_io_size = htole16((uint16_t)(phys / info->block_size));
	c.opt_io_size = htole32(info->io_opt / info->block_size);
	if (vblk->features & BIT(VIRTIO_BLK_F_CONFIG_WCE))
		c.wce = __atomic_load_n(&vblk->writeback, __ATOMIC_ACQUIRE);
	c.num_queues = htole16((uint16_t)vblk->params.nr_queues);
	set_limits(vblk, phys, &c);
	memcpy(buf, &c, len < sizeof(c) ? len : sizeof(c));
	return sizeof(c);
}

/* Without FLUSH writeback is 0 at first: virtio 1.3, section 5.2.5.2. */
void vblk_reset_config(struct vblk *vblk, uint64_t negotiated)
{
	vblk->flushes = negotiated & BIT(VIRTIO_BLK_F_FLUSH);
	__atomic_store_n(&vblk->writeback, vblk->flushes, __ATOMIC_RELEASE);
}

int vblk_write_config(struct vblk *vblk, size_t offset, const void *buf,
		      size_t len)
{
	uint8_t writeback;

	if (!(vblk->features & BIT(VIRTIO_BLK_F_CONFIG_WCE)) ||
	    offset != offsetof(struct virtio_blk_config, wce) || len != 1)
		return -EINVAL;
	writeback = *(const uint8_t *)buf;
	if (writeback > vblk->flushes)
		return -EINVAL;
	__atomic_store_n(&vblk->writeback, writeback, __ATOMIC_RELEASE);
	return 0;
}
