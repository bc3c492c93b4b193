/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The rings of one VDUSE device: see rings.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_config.h>

#include "vduse/rings.h"

static int plain_ioctl(int fd, unsigned long request, void *arg)
{
	int n = ioctl(fd, request, arg);

	return n < 0 ? -errno : n;
}

static bool is_packed(const struct vduse_rings *rings)
{
	return rings->features & (1ULL << VIRTIO_F_RING_PACKED);
}

void vduse_rings_put_state(const struct vduse_rings *rings,
			   const struct virtq_state *state,
			   struct vduse_vq_state *ret)
{
	if (!is_packed(rings)) {
		ret->split.avail_index = state->avail_index;
		return;
	}
	ret->packed.last_avail_counter = state->last_avail_counter;
	ret->packed.last_avail_idx = state->last_avail_idx;
	ret->packed.last_used_counter = state->last_used_counter;
	ret->packed.last_used_idx = state->last_used_idx;
}

static struct virtq_state get_state(const struct vduse_rings *rings,
				    const struct vduse_vq_info *info)
{
	if (!is_packed(rings))
		return (struct virtq_state){
			.avail_index = info->split.avail_index,
		};
	return (struct virtq_state){
		.last_avail_counter = info->packed.last_avail_counter & 1,
		.last_avail_idx = info->packed.last_avail_idx,
		.last_used_counter = info->packed.last_used_counter & 1,
		.last_used_idx = info->packed.last_used_idx,
	};
}

/* The kernel knows the rings: those that the driver uses are ready. */
static int read_setup(struct vduse_rings *rings, unsigned i)
{
	struct vduse_vq_info info = { .index = i };
	int err;

	err = rings->ioctl(rings->fd, VDUSE_VQ_GET_INFO, &info);
	if (err < 0)
		return err;
	rings->setups[i] = (struct virtq_setup){
		.features = rings->features,
		.num = info.ready ? info.num : 0,
		.desc_addr = info.desc_addr,
		.driver_addr = info.driver_addr,
		.device_addr = info.device_addr,
		.state = get_state(rings, &info),
		.kick_fd = -1,
		.ops = &vduse_queue_ops,
		.host = &rings->queues[i],
	};
	return 0;
}

static void forget_setups(struct vduse_rings *rings)
{
	memset(rings->setups, 0, rings->nr * sizeof(*rings->setups));
}

int vduse_rings_read(struct vduse_rings *rings)
{
	unsigned i;
	int err = 0;

	for (i = 0; i < rings->nr && !err; i++)
		err = read_setup(rings, i);
	if (err)
		forget_setups(rings);
	return err;
}

void vduse_rings_drop(struct vduse_rings *rings, uint64_t start, uint64_t last)
{
	unsigned i;

	for (i = 0; i < rings->nr; i++)
		iotlb_drop(&rings->queues[i].iotlb, start, last);
}

void vduse_rings_reset(struct vduse_rings *rings)
{
	vduse_rings_drop(rings, 0, UINT64_MAX);
	forget_setups(rings);
	rings->features = 0;
}

void vduse_rings_set_live(struct vduse_rings *rings, bool live)
{
	unsigned i;

	for (i = 0; i < rings->nr; i++)
		atomic_store_explicit(&rings->queues[i].live, live,
				      memory_order_release);
}

int vduse_rings_new(int fd, vduse_ioctl_fn ioctl, unsigned nr,
		    struct vduse_rings **ret)
{
	struct vduse_rings *rings;
	unsigned i;

	rings = calloc(1, sizeof(*rings) + nr * sizeof(rings->queues[0]));
	if (!rings)
		return -ENOMEM;
	rings->setups = calloc(nr, sizeof(*rings->setups));
	if (!rings->setups) {
		free(rings);
		return -ENOMEM;
	}
	rings->fd = fd;
	rings->ioctl = ioctl ? ioctl : plain_ioctl;
	rings->nr = nr;
	for (i = 0; i < nr; i++)
		vduse_queue_init(&rings->queues[i], fd, rings->ioctl, i);
	*ret = rings;
	return 0;
}

void vduse_rings_free(struct vduse_rings *rings)
{
	if (!rings)
		return;
	vduse_rings_drop(rings, 0, UINT64_MAX);
	free(rings->setups);
	free(rings);
}
