/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What goes over a vhost-user socket.  Integers are in the byte order of the
 * host.  Source of all facts: docs/interop/vhost-user.rst of QEMU.
 */
#ifndef VHOST_USER_PROTO_H
#define VHOST_USER_PROTO_H

#include <stdint.h>

/* Among the virtio features: dirty pages are to be logged. */
#define VHOST_F_LOG_ALL 26

/* Among the virtio features: there are protocol features as well. */
#define VHOST_F_PROTOCOL_FEATURES 30

/* Those of the features that are no business of the device's. */
#define VHOST_F_OWN \
	(1ULL << VHOST_F_LOG_ALL | 1ULL << VHOST_F_PROTOCOL_FEATURES)

/* Protocol features, bit numbers. */
#define VHOST_PF_MQ		     0
#define VHOST_PF_LOG_SHMFD	     1
#define VHOST_PF_REPLY_ACK	     3
#define VHOST_PF_BACKEND_REQ	     5
#define VHOST_PF_CONFIG		     9
#define VHOST_PF_INFLIGHT_SHMFD	     12
#define VHOST_PF_RESET_DEVICE	     13
#define VHOST_PF_CONFIGURE_MEM_SLOTS 15
#define VHOST_PF_STATUS		     16

enum vhost_request {
	VHOST_GET_FEATURES = 1,
	VHOST_SET_FEATURES = 2,
	VHOST_SET_OWNER = 3,
	VHOST_RESET_OWNER = 4,
	VHOST_SET_MEM_TABLE = 5,
	VHOST_SET_LOG_BASE = 6,
	VHOST_SET_LOG_FD = 7,
	VHOST_SET_VRING_NUM = 8,
	VHOST_SET_VRING_ADDR = 9,
	VHOST_SET_VRING_BASE = 10,
	VHOST_GET_VRING_BASE = 11,
	VHOST_SET_VRING_KICK = 12,
	VHOST_SET_VRING_CALL = 13,
	VHOST_SET_VRING_ERR = 14,
	VHOST_GET_PROTOCOL_FEATURES = 15,
	VHOST_SET_PROTOCOL_FEATURES = 16,
	VHOST_GET_QUEUE_NUM = 17,
	VHOST_SET_VRING_ENABLE = 18,
	VHOST_SET_BACKEND_REQ_FD = 21,
	VHOST_GET_CONFIG = 24,
	VHOST_SET_CONFIG = 25,
	VHOST_GET_INFLIGHT_FD = 31,
	VHOST_SET_INFLIGHT_FD = 32,
	VHOST_RESET_DEVICE = 34,
	VHOST_GET_MAX_MEM_SLOTS = 36,
	VHOST_ADD_MEM_REG = 37,
	VHOST_REM_MEM_REG = 38,
	VHOST_SET_STATUS = 39,
	VHOST_GET_STATUS = 40,
	VHOST_NR_REQUESTS = 41,
};

/* From the back end, over the channel of SET_BACKEND_REQ_FD. */
#define VHOST_BACKEND_CONFIG_CHANGE 2

#define VHOST_VERSION	   0x1U
#define VHOST_VERSION_MASK 0x3U
#define VHOST_REPLY	   0x4U
#define VHOST_NEED_REPLY   0x8U

struct vhost_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /* of the payload, bytes */
};

struct vhost_vring_state {
	uint32_t index;
	uint32_t num;
};

/* In the flags of addresses: the device's writes to the ring are logged. */
#define VHOST_VRING_F_LOG 1U

/* Addresses of the front end's process. */
struct vhost_vring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc;
	uint64_t used;
	uint64_t avail;
	uint64_t log;
};

/* SET_VRING_KICK, CALL, ERR: the index, and whether no descriptor comes. */
#define VHOST_VRING_INDEX_MASK 0xffU
#define VHOST_VRING_NOFD       0x100U

/* GET_VRING_BASE and SET_VRING_BASE of a packed ring. */
#define VHOST_BASE_WRAP	      0x8000U
#define VHOST_BASE_USED_SHIFT 16

struct vhost_region {
	uint64_t guest; /* physical address */
	uint64_t size;
	uint64_t user;	 /* address in the front end's process */
	uint64_t offset; /* in the file */
};

#define VHOST_TABLE_MAX 8 /* regions of SET_MEM_TABLE */

struct vhost_table {
	uint32_t nr;
	uint32_t padding;
	struct vhost_region region[VHOST_TABLE_MAX];
};

struct vhost_one_region {
	uint64_t padding;
	struct vhost_region region;
};

/* Of SET_LOG_BASE: where the log stands in its file. */
struct vhost_log {
	uint64_t size; /* bytes */
	uint64_t offset;
};

#define VHOST_CONFIG_MAX 256

struct vhost_config {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	uint8_t data[VHOST_CONFIG_MAX];
};

#define VHOST_CONFIG_HEAD 12 /* bytes before the data */

/* Some front ends send the padding at its end, some do not. */
struct vhost_inflight {
	uint64_t size;
	uint64_t offset;
	uint16_t nr_queues;
	uint16_t queue_size;
};

#define VHOST_INFLIGHT_LEN 20

#define VHOST_MAX_FDS 8

union vhost_payload {
	uint64_t u64;
	struct vhost_vring_state state;
	struct vhost_vring_addr addr;
	struct vhost_table table;
	struct vhost_one_region one;
	struct vhost_log log;
	struct vhost_config config;
	struct vhost_inflight inflight;
};

_Static_assert(sizeof(struct vhost_header) == 12, "protocol layout");
_Static_assert(sizeof(struct vhost_vring_addr) == 40, "protocol layout");
_Static_assert(sizeof(struct vhost_table) == 264, "protocol layout");
_Static_assert(sizeof(struct vhost_one_region) == 40, "protocol layout");

#endif
