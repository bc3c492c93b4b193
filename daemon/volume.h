/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A volume that is to be served: what the command found out and the monitor
 * and its workers go by.  Read-only once the monitor runs, but for
 * info.data_size, which the monitor changes when the volume is resized.
 */
#ifndef DAEMON_VOLUME_H
#define DAEMON_VOLUME_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "backend/blk.h"
#include "crypt/unlock.h"
#include "vduse/control.h"
#include "vduse/vdpa.h"

#define VOLUME_MAX_QUEUES     32
#define VOLUME_DEFAULT_QUEUES 8 /* at most; as many as there are CPUs */
#define VOLUME_QUEUE_SIZE     256
/* Microseconds that a queue looks for requests before it sleeps. */
#define VOLUME_POLL_US	   100
#define VOLUME_MAX_POLL_US 1000
/* Workers that die within a minute before the volume is given up. */
#define VOLUME_DEATH_LIMIT     5
#define VOLUME_MAX_DEATH_LIMIT 100

#define SOCKET_PATH_MAX 108 /* of struct sockaddr_un */

struct volume {
	char name[VDUSE_VOLUME_NAME_MAX + 1];
	char image[PATH_MAX];  /* absolute */
	char header[PATH_MAX]; /* the same of a detached header, or "" */
	struct volume_info info;
	uint8_t *key; /* secret memory of VOLUME_KEY_MAX bytes, or NULL */
	struct blk_info backing; /* what the image is, as a device */
	bool allow_discards;	 /* where backing has them */
	bool readonly;
	bool direct; /* the image is open with O_DIRECT */
	unsigned nr_queues;
	unsigned queue_size;	 /* entries of a ring */
	unsigned poll_us;	 /* look for requests before sleeping */
	bool packed;		 /* offer packed rings */
	enum vdpa_driver driver; /* whom the device is given to */
	unsigned death_limit;	 /* 1 to VOLUME_MAX_DEATH_LIMIT */
	uid_t uid;		 /* whom the worker serves as */
	gid_t gid;
	int image_fd;  /* open and locked by the command; the monitor's */
	int header_fd; /* detached and not yet unlocked; the command's, or -1 */
	int control_fd; /* of vduse_control_open */
	bool foreground;
	/* Served to a front end of vhost-user, and not through VDUSE. */
	bool vhost_user;
	int listen_fd;		      /* the socket it connects to */
	char socket[SOCKET_PATH_MAX]; /* absolute; "": made by somebody else */
};

#endif
