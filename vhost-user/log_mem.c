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
	at.size = needed(want);
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
	p = mmap(NULL, needed(at), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 (off_t)at->offset);
	if (p == MAP_FAILED)
		return why_set(why, -errno,
			       "the in-flight log cannot be mapped: %s",
			       strerror(errno));
	vhost_log_mem_close(mem);
	mem->map = p;
	mem->map_len = needed(at);
	mem->at = *at;
	return 0;
}

void vhost_log_mem_close(struct vhost_log_mem *mem)
{
	if (mem->map)
		munmap(mem->map, mem->map_len);
	memset(mem, 0, sizeof(*mem));
}

void *vhost_log_mem_ring(const struct vhost_log_mem *mem, unsigned index)
{
	if (!mem->map || index >= mem->at.nr_queues)
		return NULL;
	return (char *)mem->map + index * inflight_size(mem->at.queue_size);
}
