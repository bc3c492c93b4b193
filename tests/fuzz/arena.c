/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Driver memory for fuzzing: see arena.h. */
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "lib/guard.h"
#include "lib/why.h"
#include "tests/fuzz/arena.h"
#include "virtio/virtq.h"

#define NUM_MAX 16

static uint8_t *first, *second;

static void *translate(void *host, uint64_t iova, uint64_t *len, bool write)
{
	uint64_t left;

	if (iova < ARENA_LEN)
		left = ARENA_LEN - iova;
	else if (iova - ARENA_SECOND < ARENA_LEN2)
		left = ARENA_LEN2 - (iova - ARENA_SECOND);
	else
		return NULL;
	if (*len > left)
		*len = left;
	return arena_at(iova);
}

static void interrupt(void *host)
{
}

static const struct virtq_host_ops ops = {
	.translate = translate,
	.interrupt = interrupt,
};

void *arena_at(uint64_t iova)
{
	return iova < ARENA_LEN ? first + iova : second + (iova - ARENA_SECOND);
}

void arena_fill(const uint8_t *data, size_t len)
{
	if (!first) {
		guard_install();
		first = aligned_alloc(64, ARENA_LEN);
		second = aligned_alloc(64, ARENA_LEN2);
		if (!first || !second)
			abort();
	}
	memset(first, 0, ARENA_LEN);
	memset(second, 0, ARENA_LEN2);
	if (len)
		memcpy(first, data, len < ARENA_LEN ? len : ARENA_LEN);
}

struct virtq_setup arena_setup(uint64_t features, unsigned num)
{
	return (struct virtq_setup){
		.features = features | 1ULL << VIRTIO_F_VERSION_1,
		.num = num,
		.desc_addr = ARENA_DESC,
		.driver_addr = ARENA_DRIVER,
		.device_addr = ARENA_DEVICE,
		.state.last_avail_counter = true,
		.state.last_used_counter = true,
		.kick_fd = -1,
		.ops = &ops,
	};
}

/* Touch all that a chain says is there. */
static void touch(const struct virtq_chain *c)
{
	unsigned i;

	if (c->last_in)
		*c->last_in = 0;
	for (i = 0; !c->err && i < c->nr_out + c->nr_in; i++)
		if (i < c->nr_out)
			free(memcpy(malloc(c->iov[i].iov_len),
				    c->iov[i].iov_base, c->iov[i].iov_len));
		else
			memset(c->iov[i].iov_base, 0, c->iov[i].iov_len);
}

void arena_run_queue(const uint8_t *data, size_t len, uint64_t features)
{
	static struct virtq *vq;
	uint16_t held[NUM_MAX];
	struct virtq_chain c;
	struct virtq_setup setup;
	unsigned rounds, nr = 0;

	if (!len || (!vq && virtq_new(NUM_MAX, 32, &vq)))
		return;
	arena_fill(data + 1, len - 1);
	if (data[0] & 1)
		features |= 1ULL << VIRTIO_RING_F_EVENT_IDX;
	if (data[0] & 2)
		features |= 1ULL << VIRTIO_RING_F_INDIRECT_DESC;
	setup = arena_setup(features, data[0] >> 2 & 15 ?: NUM_MAX);
	if (virtq_start(vq, &setup, NULL))
		return;
	for (rounds = 0; rounds < 8; rounds++) {
		virtq_disable_kick(vq);
		while (nr < NUM_MAX && virtq_pop(vq, &c) == VIRTQ_REQUEST) {
			touch(&c);
			held[nr++] = c.id;
		}
		virtq_enable_kick(vq);
		for (; nr > rounds % 3; nr--)
			virtq_push(vq, held[nr - 1], rounds);
		virtq_publish(vq);
	}
	while (nr)
		virtq_push(vq, held[--nr], 0);
	virtq_stop(vq);
}
