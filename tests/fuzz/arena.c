/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Driver memory for fuzzing: see arena.h. */
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/guard.h"
#include "lib/why.h"
#include "tests/fuzz/arena.h"
#include "virtio/inflight.h"
#include "virtio/virtq.h"

#define NUM_MAX 16

static uint8_t *first, *second, *missing;

static void *translate(void *host, uint64_t iova, uint64_t *len, bool write)
{
	uint64_t left;

	if (iova < ARENA_LEN)
		left = ARENA_LEN - iova;
	else if (iova - ARENA_SECOND < ARENA_LEN2)
		left = ARENA_LEN2 - (iova - ARENA_SECOND);
	else if (iova - ARENA_MISSING < ARENA_LEN3)
		left = ARENA_LEN3 - (iova - ARENA_MISSING);
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
	if (iova < ARENA_LEN)
		return first + iova;
	if (iova < ARENA_MISSING)
		return second + (iova - ARENA_SECOND);
	return missing + (iova - ARENA_MISSING);
}

/* Mapped, but not backed: a touch raises SIGBUS. */
static void *map_missing(void)
{
	int fd = memfd_create("missing", MFD_CLOEXEC);
	void *p = mmap(NULL, ARENA_LEN3, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       0);

	close(fd);
	return p;
}

void arena_fill(const uint8_t *data, size_t len)
{
	if (!first) {
		guard_install();
		first = aligned_alloc(64, ARENA_LEN);
		second = aligned_alloc(64, ARENA_LEN2);
		missing = map_missing();
		if (!first || !second || missing == MAP_FAILED)
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
static void touch(void *arg)
{
	static uint8_t copy[ARENA_LEN + ARENA_LEN2 + ARENA_LEN3];
	const struct virtq_chain *c = arg;
	unsigned i;

	if (c->last_in)
		*c->last_in = 0;
	for (i = 0; !c->err && i < c->nr_out + c->nr_in; i++)
		if (i < c->nr_out)
			virtq_copy_in(copy, c->iov[i].iov_base,
				      c->iov[i].iov_len);
		else
			memset(c->iov[i].iov_base, 0, c->iov[i].iov_len);
}

/*
 * Fetch and answer, some later than others, and @keep not at all: what is left
 * is in @held.
 */
static unsigned run(struct virtq *vq, unsigned keep, uint16_t held[NUM_MAX])
{
	struct virtq_chain c;
	unsigned rounds, nr = 0;

	for (rounds = 0; rounds < 8; rounds++) {
		virtq_disable_kick(vq);
		while (nr < NUM_MAX && virtq_pop(vq, &c) == VIRTQ_REQUEST) {
			if (c.id >= NUM_MAX || c.out_len + c.in_len < c.in_len)
				abort();
			guard_run(touch, &c);
			held[nr++] = c.id;
		}
		if (virtq_in_flight(vq) != nr ||
		    (virtq_enable_kick(vq) && virtq_broken(vq)))
			abort();
		for (; nr > keep + rounds % 3; nr--)
			virtq_push(vq, held[nr - 1], rounds);
		virtq_publish(vq);
	}
	return nr;
}

/* The end of the input: up to eight bytes of the log, and what becomes of them. */
static void spoil(uint8_t *log, const uint8_t *data, size_t len)
{
	size_t i, size = inflight_size(NUM_MAX);

	for (i = 0; i < 8 && len >= 3; i++, len -= 3) {
		const uint8_t *p = data + len - 3;

		log[(p[0] | p[1] << 8) % size] ^= p[2];
	}
}

/* The log that a process left which died in the middle of its work. */
static void leave_log(struct virtq_setup *setup, const uint8_t *data,
		      size_t len)
{
	static struct inflight_queue log, mine;
	static uint8_t *mem;
	uint16_t held[NUM_MAX];
	struct virtq *dead;

	if (!mem)
		mem = aligned_alloc(64, inflight_size(NUM_MAX));
	if (!mem || virtq_new(NUM_MAX, 32, &dead))
		abort();
	memset(mem, 0, inflight_size(NUM_MAX));
	inflight_queue_init(&log, mem, NUM_MAX);
	setup->inflight = &log;
	if (!virtq_start(dead, setup, NULL))
		run(dead, 2, held);
	virtq_free(dead);
	spoil(mem, data, len);
	inflight_queue_init(&mine, mem, NUM_MAX);
	setup->inflight = &mine;
}

void arena_run_queue(const uint8_t *data, size_t len, uint64_t features)
{
	static struct virtq *vq;
	uint16_t held[NUM_MAX];
	struct virtq_state state;
	struct virtq_setup setup;
	unsigned nr;

	if (!len || (!vq && virtq_new(NUM_MAX, 32, &vq)))
		return;
	arena_fill(data + 1, len - 1);
	if (data[0] & 1)
		features |= 1ULL << VIRTIO_RING_F_EVENT_IDX;
	if (data[0] & 2)
		features |= 1ULL << VIRTIO_RING_F_INDIRECT_DESC;
	/* 1 to 14, 16, or one too many. */
	nr = data[0] >> 2 & 15;
	setup = arena_setup(features, !nr ? NUM_MAX : nr < 15 ? nr : 17);
	if (data[0] & 64)
		leave_log(&setup, data, len);
	if (virtq_start(vq, &setup, NULL))
		return;
	if (virtq_start(vq, &setup, NULL) != -EBUSY)
		abort();
	nr = run(vq, 0, held);
	if (!virtq_broken(vq) && virtq_nr_replay(vq))
		abort();
	while (nr)
		virtq_push(vq, held[--nr], 0);
	virtq_publish(vq);
	virtq_stop(vq);
	state = virtq_state(vq);
	if (state.last_avail_idx >= NUM_MAX || state.last_used_idx >= NUM_MAX)
		abort();
}
