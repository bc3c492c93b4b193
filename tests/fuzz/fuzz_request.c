/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Fuzz the request parser: chains that are good as chains, of any framing and
 * content.  Each request is answered, and the queue goes on.
 */
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

static struct blk_dev *dev;
static struct vblk *vblk;
static struct loop *loop;
static struct vblk_queue *queue;
static struct vblk_stats stats;
static int kick;

static void set_up(void)
{
	const struct mem_blk_options options = { .block_size = 512 };
	const struct vblk_params params = { .nr_queues = 1, .queue_size = NUM };

	kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (mem_blk_new(SECTORS, &options, &dev) ||
	    vblk_new(dev, &params, &vblk, NULL) || loop_new(16, &loop) ||
	    vblk_queue_new(vblk, 0, loop, &stats, &queue) || loop_seal(loop))
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct virtq_setup setup = arena_setup(0, NUM);
	bool stopped = false;
	uint16_t *avail, *used;

	if (!queue) {
		arena_fill(NULL, 0);
		set_up();
	}
	if (!make_chain(data, len))
		return 0;
	avail = arena_at(ARENA_DRIVER);
	used = arena_at(ARENA_DEVICE);
	avail[1] = 1;
	setup.kick_fd = kick;
	if (vblk_queue_start(queue, &setup, NULL))
		abort();
	vblk_queue_stop(queue, on_stopped, &stopped);
	while (!stopped)
		if (loop_turn(loop, true))
			abort();
	if (stats.broken || used[1] != 1)
		abort();
	return 0;
}
