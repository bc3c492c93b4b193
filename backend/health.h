/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a regular file or block device is like, as a place for a container.
 */
#ifndef BACKEND_HEALTH_H
#define BACKEND_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

struct image_health {
	bool block_device;
	bool writable;		/* by whoever runs this, on this file system */
	bool readonly_fs;	/* or device */
	uint64_t size;		/* bytes */
	uint64_t allocated;	/* bytes of a file that take room */
	uint64_t fs_free;	/* bytes that may still be used there */
	int read_error;		/* -errno of reading the first or last block */
	uint64_t read_error_at; /* bytes */
};

/*
 * Look at what is open for reading at @fd.  Errors: -errno of fstat(2) and the
 * like; what cannot be read is a finding, no error.
 */
int image_health(int fd, struct image_health *ret);

#endif
