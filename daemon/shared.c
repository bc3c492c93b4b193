/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a worker leaves for others: see shared.h.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "daemon/shared.h"
#include "daemon/volume.h"
#include "virtio/blk_dev.h"
#include "virtio/inflight.h"

#define SHARED_MAGIC 0x33306d6873637600ULL

static size_t head_size(unsigned nr_queues)
{
	size_t len = sizeof(struct shared_head) +
		     nr_queues * sizeof(struct vblk_stats);

	return (len + 63) / 64 * 64;
}

size_t shared_size(unsigned nr_queues, unsigned queue_size)
{
	return head_size(nr_queues) + nr_queues * inflight_size(queue_size);
}

static int map(int fd, size_t len, struct shared *ret)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	ret->map = p;
	ret->len = len;
	ret->head = p;
	ret->stats = (struct vblk_stats *)(ret->head + 1);
	return 0;
}

static void set_sizes(struct shared *shared, unsigned nr_queues,
		      unsigned queue_size)
{
	shared->nr_queues = nr_queues;
	shared->queue_size = queue_size;
	shared->inflight = (char *)shared->map + head_size(nr_queues);
}

int shared_create(int fd, unsigned nr_queues, unsigned queue_size,
		  struct shared *ret)
{
	int err = map(fd, shared_size(nr_queues, queue_size), ret);

	if (err)
		return err;
	ret->head->nr_queues = nr_queues;
	ret->head->queue_size = queue_size;
	ret->head->magic = SHARED_MAGIC;
	set_sizes(ret, nr_queues, queue_size);
	return 0;
}

int shared_open(int fd, struct shared *ret)
{
	struct shared shared;
	struct stat st;
	unsigned queues, size;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_size < (off_t)sizeof(struct shared_head))
		return -EINVAL;
	err = map(fd, (size_t)st.st_size, &shared);
	if (err)
		return err;
	/* Read once: whoever made this may still change it. */
	queues = __atomic_load_n(&shared.head->nr_queues, __ATOMIC_RELAXED);
	size = __atomic_load_n(&shared.head->queue_size, __ATOMIC_RELAXED);
	if (shared.head->magic != SHARED_MAGIC || !queues ||
	    queues > VOLUME_MAX_QUEUES || !size || size > VBLK_MAX_QUEUE_SIZE ||
	    shared_size(queues, size) > shared.len) {
		shared_unmap(&shared);
		return -EINVAL;
	}
	set_sizes(&shared, queues, size);
	*ret = shared;
	return 0;
}

void shared_unmap(struct shared *shared)
{
	if (shared->map)
		munmap(shared->map, shared->len);
	shared->map = NULL;
}

void *shared_inflight(const struct shared *shared, unsigned index)
{
	return shared->inflight + index * inflight_size(shared->queue_size);
}
