/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Fuzz the request parser: chains that are good as chains, of any framing and
 * content.  Each request is answered, and the queue goes on.
 */
#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "backend/mem.h"
#include "lib/loop.h"
#include "tests/fuzz/arena.h"
#include "virtio/blk_dev.h"

#define NUM	16
#define SECTORS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A device with a queue: [0] can be written, [1] not. */
static struct target {
	struct blk_dev *dev;
	struct vblk *vblk;
	struct vblk_queue *queue;
} targets[2];

static struct loop *loop;
static struct vblk_stats stats;
static int kick;

static void set_up(void)
{
	const struct vblk_params params = { .nr_queues = 1, .queue_size = NUM };
	int i;

	kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop_new(16, &loop))
		abort();
	for (i = 0; i < 2; i++) {
		const struct mem_blk_options options = { .block_size = 512,
							 .readonly = i };
		struct target *t = &targets[i];

		if (mem_blk_new(SECTORS, &options, &t->dev) ||
		    vblk_new(t->dev, &params, &t->vblk, NULL) ||
		    vblk_queue_new(t->vblk, 0, loop, &stats, &t->queue))
			abort();
	}
	if (loop_seal(loop))
		abort();
}

/* Up to 15 pieces, four bytes of input each: place, length, direction. */
static unsigned make_chain(const uint8_t *data, size_t len)
{
	struct vring_desc *desc = arena_at(ARENA_DESC);
	unsigned i, nr = len ? data[0] % NUM : 0;

	if (len < 1 + nr * 4)
		return 0;
	arena_fill(NULL, 0);
	len -= 1 + nr * 4;
	memcpy(arena_at(ARENA_DATA), data + 1 + nr * 4,
	       len < 0x1000 ? len : 0x1000);
	for (i = 0; i < nr; i++) {
		const uint8_t *p = data + 1 + i * 4;
		unsigned flags = i + 1 < nr ? VRING_DESC_F_NEXT : 0;

		if (p[3] & 0x80)
			flags |= VRING_DESC_F_WRITE;
		desc[i] = (struct vring_desc){ ARENA_DATA + p[0] * 8U,
					       p[1] | (p[2] & 7U) << 8,
					       (uint16_t)flags,
					       (uint16_t)(i + 1) };
	}
	return nr;
}

static void on_stopped(void *arg)
{
	*(bool *)arg = true;
}

/* The other half of the first byte. */
static uint64_t choose_features(uint8_t bits)
{
	uint64_t features = 0;

	if (bits & 0x10)
		features |= 1ULL << VIRTIO_BLK_F_FLUSH;
	if (bits & 0x20)
		features |= 1ULL << VIRTIO_BLK_F_DISCARD |
			    1ULL << VIRTIO_BLK_F_WRITE_ZEROES;
	if (bits & 0x40)
		features |= 1ULL << VIRTIO_RING_F_EVENT_IDX;
	return features;
}

/* The chain once at the start, and once more, as it stands then, by a kick. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	bool stopped = false;
	struct virtq_setup setup;
	struct vblk_queue *queue;
	volatile uint16_t *avail, *used;

	if (!loop) {
		arena_fill(NULL, 0);
		set_up();
	}
	if (!make_chain(data, len))
		return 0;
	setup = arena_setup(choose_features(data[0]), NUM);
	setup.kick_fd = kick;
	queue = targets[data[0] >> 7].queue;
	avail = arena_at(ARENA_DRIVER);
	used = arena_at(ARENA_DEVICE);
	avail[1] = 1;
	if (vblk_queue_start(queue, &setup, NULL))
		abort();
	while (used[1] != 1)
		if (loop_turn(loop, false))
			abort();
	avail[1] = 2;
	eventfd_write(kick, 1);
	while (used[1] != 2)
		if (loop_turn(loop, true))
			abort();
	vblk_queue_stop(queue, on_stopped, &stopped);
	while (!stopped)
		if (loop_turn(loop, true))
			abort();
	if (stats.broken || stats.in_flight)
		abort();
	return 0;
}
