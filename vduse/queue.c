/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a queue asks of the VDUSE transport: see queue.h.
 */
#include <errno.h>
#include <time.h>

#include "vduse/queue.h"

static int ask_region(void *arg, struct vduse_iotlb_entry *entry)
{
	struct vduse_queue *queue = arg;

	return queue->ioctl(queue->fd, VDUSE_IOTLB_GET_FD, entry);
}

static void *queue_translate(void *host, uint64_t iova, uint64_t *len,
			     bool write)
{
	struct vduse_queue *queue = host;

	return iotlb_translate(&queue->iotlb, iova, len, write);
}

/*
 * The kernel knows of DRIVER_OK only a moment after it has our answer, and
 * refuses interrupts with EINVAL until then.  Such an interrupt must not be
 * lost, or the driver waits for ever: it is tried again until it is taken or
 * the device is reset.
 */
static void queue_interrupt(void *host)
{
	const struct timespec pause = { .tv_nsec = 100 * 1000 };
	struct vduse_queue *queue = host;
	uint32_t index = queue->index;

	while (queue->ioctl(queue->fd, VDUSE_VQ_INJECT_IRQ, &index) ==
	       -EINVAL) {
		if (!atomic_load_explicit(&queue->live, memory_order_acquire))
			return;
		nanosleep(&pause, NULL);
	}
}

const struct virtq_host_ops vduse_queue_ops = {
	.translate = queue_translate,
	.interrupt = queue_interrupt,
};

void vduse_queue_init(struct vduse_queue *queue, int fd, vduse_ioctl_fn ioctl,
		      unsigned index)
{
	queue->fd = fd;
	queue->ioctl = ioctl;
	queue->index = index;
	atomic_init(&queue->live, false);
	iotlb_init(&queue->iotlb, ask_region, queue);
}
