/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A driver in user space for the tests: what a program does with
 * /dev/vhost-vdpa-N (include/uapi/linux/vhost.h).  The rings are those of the
 * unit tests (tests/unit/driver_split.h), in memory that the device maps.
 */
#ifndef VHOST_DRIVER_H
#define VHOST_DRIVER_H

#include <linux/virtio_blk.h>

#include "tests/unit/driver_blk.h"
#include "tests/unit/driver_split.h"

#define VHOST_QUEUES	 2
#define VHOST_QUEUE_SIZE 64
#define VHOST_REGIONS	 16

/* Memory of its own file, which the device is told of. */
struct vhost_region {
	uint64_t iova, len;
	char *host;
	int fd; /* memfd */
};

struct vhost {
	int fd, config_fd;
	uint64_t features;
	bool packed;
	unsigned nr_queues;
	struct virtio_blk_config config;
	struct vhost_region regions[VHOST_REGIONS];
	unsigned nr_regions;
	struct vhost_queue {
		struct driver d;
		int call_fd;
	} queue[VHOST_QUEUES];
};

/*
 * Open $NODE, in the way that @packed says, and start @nr_queues.  Waits
 * until one that had it open before has closed it.
 */
void vhost_open(struct vhost *v, unsigned nr_queues, bool packed);

/* The steps of it: between them is room for what a test wants. */
void vhost_begin(struct vhost *v, unsigned nr_queues, bool packed);
void vhost_start(struct vhost *v);

/* Reset, and start again with queues that go on at @base, or from nothing. */
void vhost_restart(struct vhost *v, const unsigned *base);

/* What a queue goes on at; it must have nothing in flight. */
unsigned vhost_base(const struct vhost *v, unsigned index);
unsigned vhost_status(const struct vhost *v);
void vhost_read_config(struct vhost *v);

/* Tell the device of a region, or of none.  0 or -errno. */
int vhost_map(struct vhost *v, uint64_t iova, uint64_t len, void *host);
int vhost_unmap(struct vhost *v, uint64_t iova, uint64_t len);
void vhost_batch(struct vhost *v, bool begin);

/* The region of the driver that holds @iova, and new memory instead of it. */
struct vhost_region *vhost_region(struct vhost *v, uint64_t iova);
void vhost_renew(struct vhost *v, struct vhost_region *r);

/*
 * Make a request.  With @data other than 0 its data stand there, else they
 * are allocated.  Not yet visible to the device.
 */
struct driver_req vhost_add(struct vhost *v, unsigned queue, uint32_t type,
			    uint64_t sector, uint32_t len, bool in,
			    uint64_t data);

/* Show what was added, and wait for @n answers, as a driver does. */
void vhost_kick(struct vhost *v, unsigned queue);
void vhost_wait(struct vhost *v, unsigned queue, unsigned n);

/* All of it, for one request: its status byte. */
uint8_t vhost_run(struct vhost *v, unsigned queue, uint32_t type,
		  uint64_t sector, uint32_t len, bool in, uint64_t data);

/* Give back what requests took, when none is in flight. */
void vhost_forget(struct vhost *v, unsigned queue);

void *vhost_at(struct vhost *v, unsigned queue, uint64_t iova);

#endif
