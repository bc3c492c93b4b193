/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The payload of DISCARD and WRITE_ZEROES: segments of sectors (virtio 1.3,
 * section 5.2.6).  Reads and checks them; what is done with them is in
 * blk_request.c.
 */
#include <linux/virtio_blk.h>

#include "lib/endian.h"
#include "lib/guard.h"
#include "virtio/blk_int.h"

/* struct virtio_blk_discard_write_zeroes, with types to be converted. */
struct segment {
	le64 sector;
	le32 nr_sectors;
	le32 flags;
};

_Static_assert(sizeof(struct segment) ==
		       sizeof(struct virtio_blk_discard_write_zeroes),
	       "layout of a segment");

struct take {
	struct segment segments[VBLK_RANGES_MAX];
	const struct iovec *iov;
	size_t len;
};

/* Each byte is read once: from here on only the copy counts. */
static void copy_segments(void *arg)
{
	struct take *t = arg;
	char *to = (char *)t->segments;
	size_t left = t->len, n;
	const struct iovec *iov;

	for (iov = t->iov; left; iov++, to += n, left -= n) {
		n = iov->iov_len < left ? iov->iov_len : left;
		virtq_copy_in(to, iov->iov_base, n);
	}
}

/* A status: OK if the device may work on this range. */
static uint8_t check(const struct vblk *vblk, const struct vblk_range *range,
		     uint32_t flags, bool discard)
{
	const struct blk_info *info = &vblk->dev->info;
	uint32_t known = discard ? 0 : VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	uint32_t unit = info->block_size / BLK_SECTOR_SIZE;
	uint64_t size = blk_nr_sectors(vblk->dev);

	if (flags & ~known)
		return VIRTIO_BLK_S_UNSUPP;
	if (range->nr_sectors > (discard ? VBLK_DISCARD_MAX_SECTORS
					 : VBLK_ZEROES_MAX_SECTORS) ||
	    range->sector % unit || range->nr_sectors % unit ||
	    range->sector > size || range->nr_sectors > size - range->sector)
		return VIRTIO_BLK_S_IOERR;
	return VIRTIO_BLK_S_OK;
}

uint8_t vblk_read_ranges(const struct vblk *vblk, const struct iovec *iov,
			 uint32_t len, bool discard,
			 struct vblk_range ret[VBLK_RANGES_MAX],
			 unsigned *ret_nr)
{
	struct take t = { .iov = iov, .len = len };
	unsigned i, nr = len / sizeof(struct segment);
	uint8_t status;

	if (!len || len % sizeof(struct segment) || nr > VBLK_RANGES_MAX ||
	    guard_run(copy_segments, &t))
		return VIRTIO_BLK_S_IOERR;
	for (i = 0; i < nr; i++) {
		ret[i].sector = le64_get(t.segments[i].sector);
		ret[i].nr_sectors = le32_get(t.segments[i].nr_sectors);
		status = check(vblk, &ret[i], le32_get(t.segments[i].flags),
			       discard);
		if (status != VIRTIO_BLK_S_OK)
			return status;
	}
	*ret_nr = nr;
	return VIRTIO_BLK_S_OK;
}
