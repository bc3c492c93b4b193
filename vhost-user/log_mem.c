/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Memory for the in-flight logs: see log_mem.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/why.h"
#include "vhost-user/fd.h"
#include "vhost-user/log_mem.h"
#include "virtio/inflight.h"

static uint64_t needed(const struct vhost_inflight *at)
{
	return at->nr_queues * (uint64_t)inflight_size(at->queue_size);
}

/* A cache line for one byte. */
#define MODE_LEN 64

/* What is mapped of it. */
static uint64_t used(const struct vhost_inflight *at)
{
	uint64_t len = needed(at);

	return at->size - len >= MODE_LEN ? len + MODE_LEN : len;
}

/*
 * The sandbox has no ftruncate(2), which could change the image: a byte
 * written at the end has the same effect.
 */
static int make_file(uint64_t size, int *ret_fd)
{
	int fd = memfd_create("vcrypt-inflight",
			      MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (lseek(fd, (off_t)size - 1, SEEK_SET) < 0 || write(fd, "", 1) != 1 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		int err = -errno;

		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

int vhost_log_mem_new(struct vhost_log_mem *mem,
		      const struct vhost_inflight *want, int *ret_fd,
		      struct why *why)
{
	struct vhost_inflight at = *want;
	int fd = -1, err;

	at.offset = 0;
	at.size = needed(want) + MODE_LEN;
	err = make_file(at.size, &fd);
	if (err)
		return why_set(why, err, "no memory for the in-flight log: %s",
			       strerror(-err));
	err = vhost_log_mem_open(mem, &at, fd, why);
	if (err) {
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

int vhost_log_mem_open(struct vhost_log_mem *mem,
		       const struct vhost_inflight *at, int fd, struct why *why)
{
	void *p;
	int err;

	if (at->size < needed(at))
		return why_set(why, -EINVAL,
			       "the in-flight log of %u queues of %u cannot "
			       "have %llu bytes",
			       at->nr_queues, at->queue_size,
			       (unsigned long long)at->size);
	err = vhost_fd_check_sealed(fd, at->offset, at->size,
				    "the in-flight log", why);
	if (err)
		return err;
	p = mmap(NULL, used(at), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 (off_t)at->offset);
	if (p == MAP_FAILED)
		return why_set(why, -errno,
			       "the in-flight log cannot be mapped: %s",
			       strerror(errno));
	vhost_log_mem_close(mem);
	mem->map = p;
	mem->map_len = used(at);
	mem->at = *at;
	return 0;
}

void vhost_log_mem_close(struct vhost_log_mem *mem)
{
	if (mem->map)
		munmap(mem->map, mem->map_len);
	memset(mem, 0, sizeof(*mem));
}

static uint8_t *mode_at(const struct vhost_log_mem *mem)
{
	uint64_t len = needed(&mem->at);

	return mem->map && mem->map_len > len ? (uint8_t *)mem->map + len
					      : NULL;
}

void vhost_log_mem_set_mode(struct vhost_log_mem *mem,
			    enum vhost_cache_mode mode)
{
	uint8_t *at = mode_at(mem);

	if (at)
		__atomic_store_n(at, (uint8_t)mode, __ATOMIC_RELAXED);
}

/* The front end can write there as well. */
enum vhost_cache_mode vhost_log_mem_mode(const struct vhost_log_mem *mem)
{
	const uint8_t *at = mode_at(mem);
	uint8_t mode = at ? __atomic_load_n(at, __ATOMIC_RELAXED) : 0;

	return mode <= VHOST_CACHE_WRITEBACK ? (enum vhost_cache_mode)mode
					     : VHOST_CACHE_UNKNOWN;
}

void *vhost_log_mem_ring(const struct vhost_log_mem *mem, unsigned index)
{
	if (!mem->map || index >= mem->at.nr_queues)
		return NULL;
	return (char *)mem->map + index * inflight_size(mem->at.queue_size);
}
