/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* A driver in user space for the tests: see vhost_driver.h. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

#include "tests/vm/vhost_driver.h"

#define BIT(n)	   (1ULL << (n))
#define PAGE	   4096ULL
#define PATIENCE_S 20

#define FEATURES                                                           \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM) |         \
	 BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX) | \
	 BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_SEG_MAX) |          \
	 BIT(VIRTIO_BLK_F_BLK_SIZE) | BIT(VIRTIO_BLK_F_FLUSH) |            \
	 BIT(VIRTIO_BLK_F_MQ))

#define ask(v, request, arg) \
	ck_assert_msg(!ioctl((v)->fd, request, arg), #request ": %m")

static int send_msg(const struct vhost *v, struct vhost_iotlb_msg iotlb)
{
	const struct vhost_msg_v2 msg = {
		.type = VHOST_IOTLB_MSG_V2,
		.iotlb = iotlb,
	};

	return write(v->fd, &msg, sizeof(msg)) == sizeof(msg) ? 0 : -errno;
}

int vhost_map(struct vhost *v, uint64_t iova, uint64_t len, void *host)
{
	return send_msg(v, (struct vhost_iotlb_msg){
				   .type = VHOST_IOTLB_UPDATE,
				   .iova = iova,
				   .size = len,
				   .uaddr = (uintptr_t)host,
				   .perm = VHOST_ACCESS_RW,
			   });
}

int vhost_unmap(struct vhost *v, uint64_t iova, uint64_t len)
{
	return send_msg(v, (struct vhost_iotlb_msg){
				   .type = VHOST_IOTLB_INVALIDATE,
				   .iova = iova,
				   .size = len,
			   });
}

void vhost_batch(struct vhost *v, bool begin)
{
	ck_assert_int_eq(
		send_msg(v,
			 (struct vhost_iotlb_msg){
				 .type = begin ? VHOST_IOTLB_BATCH_BEGIN
					       : VHOST_IOTLB_BATCH_END }),
		0);
}

/* A file of its own at a place that is taken. */
static void fill(struct vhost_region *r)
{
	r->fd = memfd_create("guest", MFD_CLOEXEC);
	ck_assert_int_ge(r->fd, 0);
	ck_assert_int_eq(ftruncate(r->fd, (off_t)r->len), 0);
	ck_assert_ptr_eq(mmap(r->host, r->len, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_FIXED, r->fd, 0),
			 r->host);
}

static void add_region(struct vhost *v, uint64_t iova, uint64_t len, char *host)
{
	struct vhost_region *r = &v->regions[v->nr_regions++];

	ck_assert_uint_le(v->nr_regions, VHOST_REGIONS);
	*r = (struct vhost_region){ .iova = iova, .len = len, .host = host };
	fill(r);
}

/*
 * The parts of a ring get a file each; what is larger gets two, so that
 * buffers straddle their border.
 */
static void *alloc(void *arg, uint64_t iova, uint64_t len)
{
	uint64_t first;
	char *p;

	len = (len + PAGE - 1) & ~(PAGE - 1);
	first = len > 64 * PAGE ? len / 2 : len;
	p = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(p, MAP_FAILED);
	add_region(arg, iova, first, p);
	if (first < len)
		add_region(arg, iova + first, len - first, p + first);
	return p;
}

struct vhost_region *vhost_region(struct vhost *v, uint64_t iova)
{
	unsigned i = 0;

	while (iova - v->regions[i].iova >= v->regions[i].len)
		ck_assert_uint_lt(++i, v->nr_regions);
	return &v->regions[i];
}

void vhost_renew(struct vhost *v, struct vhost_region *r)
{
	ck_assert_int_eq(vhost_unmap(v, r->iova, r->len), 0);
	close(r->fd);
	fill(r);
	ck_assert_int_eq(vhost_map(v, r->iova, r->len, r->host), 0);
}

static void set_status(struct vhost *v, uint8_t status)
{
	ask(v, VHOST_VDPA_SET_STATUS, &status);
}

unsigned vhost_status(const struct vhost *v)
{
	uint8_t status;

	ask(v, VHOST_VDPA_GET_STATUS, &status);
	return status;
}

void vhost_read_config(struct vhost *v)
{
	struct vhost_vdpa_config *c = calloc(1, sizeof(*c) + sizeof(v->config));

	/* Without what this device has no fields for. */
	c->len = offsetof(struct virtio_blk_config, max_discard_sectors);
	ask(v, VHOST_VDPA_GET_CONFIG, c);
	memcpy(&v->config, c->buf, c->len);
	free(c);
}

static void negotiate(struct vhost *v)
{
	uint64_t offered;

	set_status(v, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	set_status(v, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	ask(v, VHOST_GET_FEATURES, &offered);
	v->features = FEATURES & offered;
	if (v->packed) {
		ck_assert(offered & BIT(VIRTIO_F_RING_PACKED));
		v->features |= BIT(VIRTIO_F_RING_PACKED);
	}
	ask(v, VHOST_SET_FEATURES, &v->features);
	set_status(v, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
			      VIRTIO_CONFIG_S_FEATURES_OK);
	ck_assert_uint_eq(vhost_status(v), 0xb);
}

static int open_node(void)
{
	const struct timespec pause = { .tv_nsec = 1000 * 1000 };
	const char *node = getenv("NODE");
	int fd, i;

	ck_assert_ptr_nonnull(node);
	for (i = 0; i < PATIENCE_S * 1000; i++) {
		fd = open(node, O_RDWR | O_CLOEXEC);
		if (fd >= 0 || errno != EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
	ck_assert_msg(fd >= 0, "%s: %m", node);
	return fd;
}

void vhost_begin(struct vhost *v, unsigned nr_queues, bool packed)
{
	uint64_t backend;
	uint32_t n;
	unsigned i;

	memset(v, 0, sizeof(*v));
	v->nr_queues = nr_queues;
	v->packed = packed;
	v->fd = open_node();
	v->config_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ask(v, VHOST_SET_OWNER, NULL);
	ask(v, VHOST_GET_BACKEND_FEATURES, &backend);
	backend &= BIT(VHOST_BACKEND_F_IOTLB_MSG_V2) |
		   BIT(VHOST_BACKEND_F_IOTLB_BATCH);
	ask(v, VHOST_SET_BACKEND_FEATURES, &backend);
	ask(v, VHOST_VDPA_GET_DEVICE_ID, &n);
	ck_assert_uint_eq(n, VIRTIO_ID_BLOCK);
	ask(v, VHOST_VDPA_GET_VQS_COUNT, &n);
	ck_assert_uint_ge(n, nr_queues);
	negotiate(v);
	vhost_read_config(v);
	for (i = 0; i < nr_queues; i++) {
		const struct driver_place place = { i * 0x10000000ULL, alloc,
						    v };

		driver_init_at(&v->queue[i].d, VHOST_QUEUE_SIZE, v->features,
			       &place);
		v->queue[i].call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
	for (i = 0; i < v->nr_regions; i++)
		ck_assert_int_eq(vhost_map(v, v->regions[i].iova,
					   v->regions[i].len,
					   v->regions[i].host),
				 0);
}

static void set_queue(struct vhost *v, unsigned i, unsigned base)
{
	const struct virtq_setup *setup = &v->queue[i].d.setup;
	struct vhost_vring_state num = { i, setup->num };
	struct vhost_vring_state at = { i, base }, enable = { i, 1 };
	struct vhost_vring_file kick = { i, setup->kick_fd };
	struct vhost_vring_file call = { i, v->queue[i].call_fd };
	struct vhost_vring_addr addr = {
		.index = i,
		.desc_user_addr = setup->desc_addr,
		.avail_user_addr = setup->driver_addr,
		.used_user_addr = setup->device_addr,
	};

	ask(v, VHOST_SET_VRING_NUM, &num);
	ask(v, VHOST_SET_VRING_BASE, &at);
	ask(v, VHOST_SET_VRING_ADDR, &addr);
	ask(v, VHOST_SET_VRING_KICK, &kick);
	ask(v, VHOST_SET_VRING_CALL, &call);
	ask(v, VHOST_VDPA_SET_VRING_ENABLE, &enable);
}

static void start_at(struct vhost *v, const unsigned *base)
{
	/* Both wrap counters of a packed ring begin with 1. */
	unsigned i, fresh = v->packed ? 0x80008000 : 0;

	for (i = 0; i < v->nr_queues; i++)
		set_queue(v, i, base ? base[i] : fresh);
	ask(v, VHOST_VDPA_SET_CONFIG_CALL, &v->config_fd);
	set_status(v, 0xf);
	ck_assert_uint_eq(vhost_status(v), 0xf);
}

void vhost_start(struct vhost *v)
{
	start_at(v, NULL);
}

void vhost_open(struct vhost *v, unsigned nr_queues, bool packed)
{
	vhost_begin(v, nr_queues, packed);
	vhost_start(v);
}

void vhost_restart(struct vhost *v, const unsigned *base)
{
	unsigned i;

	set_status(v, 0);
	ck_assert_uint_eq(vhost_status(v), 0);
	negotiate(v);
	for (i = 0; !base && i < v->nr_queues; i++)
		driver_reset(&v->queue[i].d);
	start_at(v, base);
}

unsigned vhost_base(const struct vhost *v, unsigned index)
{
	struct vhost_vring_state at = { .index = index };

	ask(v, VHOST_GET_VRING_BASE, &at);
	return at.num;
}

struct driver_req vhost_add(struct vhost *v, unsigned queue, uint32_t type,
			    uint64_t sector, uint32_t len, bool in,
			    uint64_t data)
{
	const struct virtio_blk_outhdr hdr = { .type = type, .sector = sector };
	struct driver *d = &v->queue[queue].d;
	struct driver_req r = { .len = len };
	struct driver_seg seg[64];
	uint32_t at, piece;
	unsigned n = 0;

	r.header = driver_alloc(d, sizeof(hdr), 64);
	r.status = driver_alloc(d, 64, 64);
	r.data = data ? data : driver_alloc(d, len, 512);
	memcpy(driver_at(d, r.header), &hdr, sizeof(hdr));
	*(uint8_t *)driver_at(d, r.status) = 0xee;
	seg[n++] = (struct driver_seg){ r.header, sizeof(hdr), false };
	for (at = 0; at < len; at += piece) {
		piece = len - at;
		if (piece > v->config.size_max)
			piece = v->config.size_max;
		ck_assert_uint_lt(n, 63);
		seg[n++] = (struct driver_seg){ r.data + at, piece, in };
	}
	seg[n++] = (struct driver_seg){ r.status, 1, true };
	r.head = driver_add(d, n % 2 ? DRIVER_INDIRECT : DRIVER_MIXED, seg, n);
	return r;
}

void vhost_kick(struct vhost *v, unsigned queue)
{
	driver_want_interrupt(&v->queue[queue].d, true);
	driver_kick(&v->queue[queue].d);
}

void vhost_wait(struct vhost *v, unsigned queue, unsigned n)
{
	struct vhost_queue *q = &v->queue[queue];
	struct pollfd pfd = { .fd = q->call_fd, .events = POLLIN };
	eventfd_t count;
	uint16_t head;

	while (n) {
		if (driver_collect(&q->d, &head, NULL)) {
			n--;
			continue;
		}
		driver_want_interrupt(&q->d, true);
		if (driver_has_used(&q->d))
			continue;
		ck_assert_msg(poll(&pfd, 1, PATIENCE_S * 1000) == 1,
			      "queue %u: no answer to %u", queue, n);
		eventfd_read(q->call_fd, &count);
	}
}

uint8_t vhost_run(struct vhost *v, unsigned queue, uint32_t type,
		  uint64_t sector, uint32_t len, bool in, uint64_t data)
{
	struct driver_req r = vhost_add(v, queue, type, sector, len, in, data);

	vhost_kick(v, queue);
	vhost_wait(v, queue, 1);
	return *(uint8_t *)vhost_at(v, queue, r.status);
}

void vhost_forget(struct vhost *v, unsigned queue)
{
	struct driver *d = &v->queue[queue].d;

	d->next_data = d->mem.place.base + DRIVER_DATA;
}

void *vhost_at(struct vhost *v, unsigned queue, uint64_t iova)
{
	return driver_at(&v->queue[queue].d, iova);
}
