/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * One ring as the front end sets it up: see ring.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include "lib/why.h"
#include "vhost-user/ring.h"

/* What a descriptor to write to is while the front end has given none. */
static int make_idle(void)
{
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static void *ring_translate(void *host, uint64_t iova, uint64_t *len,
			    bool write)
{
	struct vhost_ring *ring = host;

	return vhost_memory_translate(ring->mem, iova, len, &ring->hint);
}

static void signal_fd(int fd)
{
	const uint64_t one = 1;

	/* EAGAIN: it holds as many as it can, and is readable anyway. */
	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void ring_interrupt(void *host)
{
	const struct vhost_ring *ring = host;

	signal_fd(ring->call_fd);
}

static void ring_broken(void *host)
{
	const struct vhost_ring *ring = host;

	signal_fd(ring->err_fd);
}

static void ring_wrote(void *host, const void *mem, uint64_t len)
{
	const struct vhost_ring *ring = host;

	vhost_dirty_mark(ring->dirty, vhost_memory_back(ring->mem, mem), len);
}

const struct virtq_host_ops vhost_ring_ops = {
	.translate = ring_translate,
	.interrupt = ring_interrupt,
	.broken = ring_broken,
};

/* The same while dirty pages are logged. */
static const struct virtq_host_ops logged_ring_ops = {
	.translate = ring_translate,
	.interrupt = ring_interrupt,
	.broken = ring_broken,
	.wrote = ring_wrote,
};

static bool is_logged(const struct vhost_ring *ring, uint64_t features)
{
	return (features & (1ULL << VHOST_F_LOG_ALL)) && ring->dirty->bits;
}

int vhost_ring_init(struct vhost_ring *ring, unsigned index,
		    const struct vhost_memory *mem,
		    const struct vhost_dirty *dirty, unsigned entries)
{
	int err = 0;

	*ring = (struct vhost_ring){
		.index = index,
		.mem = mem,
		.dirty = dirty,
		.kick_fd = -1,
		.base = VHOST_BASE_NONE,
		.own_entries = entries,
	};
	ring->call_fd = make_idle();
	ring->err_fd = make_idle();
	ring->own_log = calloc(1, inflight_size(entries));
	if (ring->call_fd < 0 || ring->err_fd < 0)
		err = -EMFILE;
	else if (!ring->own_log)
		err = -ENOMEM;
	if (err)
		vhost_ring_free(ring);
	return err;
}

void vhost_ring_free(struct vhost_ring *ring)
{
	vhost_ring_set_kick(ring, -1);
	if (ring->call_fd >= 0)
		close(ring->call_fd);
	if (ring->err_fd >= 0)
		close(ring->err_fd);
	free(ring->own_log);
	ring->own_log = NULL;
}

void vhost_ring_set_kick(struct vhost_ring *ring, int fd)
{
	if (ring->kick_fd >= 0)
		close(ring->kick_fd);
	ring->kick_fd = fd;
}

/* Let @number stand for @fd, which is closed, or for nothing. */
static void redirect(int number, int fd)
{
	if (fd < 0)
		fd = make_idle();
	/* Without a descriptor for it, what is said goes where it went. */
	if (fd < 0)
		return;
	dup3(fd, number, O_CLOEXEC);
	close(fd);
}

void vhost_ring_set_err(struct vhost_ring *ring, int fd)
{
	redirect(ring->err_fd, fd);
}

void vhost_ring_set_call(struct vhost_ring *ring, int fd)
{
	struct pollfd room = { .events = POLLOUT };

	redirect(ring->call_fd, fd);
	room.fd = ring->call_fd;
	/* One that is full wakes its reader without another. */
	if (ring->runs && poll(&room, 1, 0) == 1)
		ring_interrupt(ring);
}

/*
 * A blocking eventfd whose counter is full makes the queue wait in write(2)
 * until it is read.  The other side may read it at the same moment, so this
 * read must not wait.
 */
static void make_room(int fd)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	uint64_t count;
	struct iovec iov = { &count, sizeof(count) };

	if (poll(&room, 1, 0))
		return;
	if (preadv2(fd, &iov, 1, -1, RWF_NOWAIT) < 0)
		return; /* somebody else has read it */
}

void vhost_ring_release(struct vhost_ring *ring)
{
	make_room(ring->call_fd);
	make_room(ring->err_fd);
}

void vhost_ring_reset(struct vhost_ring *ring)
{
	vhost_ring_set_kick(ring, -1);
	redirect(ring->call_fd, -1);
	redirect(ring->err_fd, -1);
	ring->enabled = VHOST_BY_FEATURES;
	ring->num = 0;
	ring->has_addr = false;
	ring->base = VHOST_BASE_NONE;
	ring->paused = false;
}

bool vhost_ring_wanted(const struct vhost_ring *ring, uint64_t features)
{
	bool off = features & (1ULL << VHOST_F_PROTOCOL_FEATURES);

	if (ring->kick_fd < 0)
		return false;
	return ring->enabled == VHOST_BY_FEATURES
		       ? !off
		       : ring->enabled == VHOST_ENABLED;
}

static bool is_packed(uint64_t features)
{
	return features & (1ULL << VIRTIO_F_RING_PACKED);
}

static struct virtq_state get_state(const struct vhost_ring *ring,
				    uint64_t features)
{
	uint32_t base = vhost_ring_base(ring, features);
	uint32_t used = base >> VHOST_BASE_USED_SHIFT;

	if (!is_packed(features))
		return (struct virtq_state){ .avail_index = (uint16_t)base };
	return (struct virtq_state){
		.last_avail_idx = base & (VHOST_BASE_WRAP - 1),
		.last_avail_counter = base & VHOST_BASE_WRAP,
		.last_used_idx = used & (VHOST_BASE_WRAP - 1),
		.last_used_counter = used & VHOST_BASE_WRAP,
	};
}

void vhost_ring_keep_state(struct vhost_ring *ring, uint64_t features,
			   const struct virtq_state *state)
{
	uint32_t avail, used;

	if (!is_packed(features)) {
		ring->base = state->avail_index;
		return;
	}
	avail = state->last_avail_idx |
		(state->last_avail_counter ? VHOST_BASE_WRAP : 0);
	used = state->last_used_idx |
	       (state->last_used_counter ? VHOST_BASE_WRAP : 0);
	ring->base = avail | used << VHOST_BASE_USED_SHIFT;
}

uint32_t vhost_ring_base(const struct vhost_ring *ring, uint64_t features)
{
	if (ring->base != VHOST_BASE_NONE)
		return ring->base;
	/* Both counters are 1 at first. */
	return is_packed(features)
		       ? VHOST_BASE_WRAP | VHOST_BASE_WRAP
						   << VHOST_BASE_USED_SHIFT
		       : 0;
}

static int place(const struct vhost_ring *ring, const char *what, uint64_t user,
		 uint64_t *ret, struct why *why)
{
	int err = vhost_memory_guest(ring->mem, user, ret);

	return err ? why_set(why, err,
			     "ring %u: %s at %#llx is not in shared memory",
			     ring->index, what, (unsigned long long)user)
		   : 0;
}

/*
 * What came before is done: a log of this process only is of no use to the
 * next start.
 */
static void choose_log(struct vhost_ring *ring,
		       const struct vhost_log_mem *log_mem)
{
	void *mem = vhost_log_mem_ring(log_mem, ring->index);

	if (mem) {
		inflight_queue_init(&ring->log, mem, log_mem->at.queue_size);
		return;
	}
	inflight_queue_init(&ring->log, ring->own_log, ring->own_entries);
	inflight_queue_reset(&ring->log);
}

void vhost_ring_forget(struct vhost_ring *ring,
		       const struct vhost_log_mem *log_mem)
{
	choose_log(ring, log_mem);
	inflight_queue_reset(&ring->log);
}

int vhost_ring_setup(struct vhost_ring *ring, uint64_t features,
		     const struct vhost_log_mem *log_mem,
		     struct virtq_setup *ret, struct why *why)
{
	struct virtq_setup setup = {
		.features = features & ~VHOST_F_OWN,
		.num = ring->num,
		.kick_fd = ring->kick_fd,
		.inflight = &ring->log,
		.ops = is_logged(ring, features) ? &logged_ring_ops
						 : &vhost_ring_ops,
		.host = ring,
	};
	int err;

	if (!features || !ring->num || !ring->has_addr)
		return why_set(why, -EINVAL,
			       "ring %u is started before its %s are known",
			       ring->index,
			       !features   ? "features"
			       : ring->num ? "addresses"
					   : "entries");
	err = place(ring, "descriptor area", ring->addr.desc, &setup.desc_addr,
		    why);
	if (!err)
		err = place(ring, "driver area", ring->addr.avail,
			    &setup.driver_addr, why);
	if (!err)
		err = place(ring, "device area", ring->addr.used,
			    &setup.device_addr, why);
	if (err)
		return err;
	setup.state = get_state(ring, features);
	choose_log(ring, log_mem);
	*ret = setup;
	return 0;
}
