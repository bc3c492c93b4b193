/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a descriptor is that a front end sent.  Asked in the sandbox, where no
 * file can be looked up by name.
 */
#ifndef VHOST_USER_FD_H
#define VHOST_USER_FD_H

#include <stdbool.h>
#include <stdint.h>

struct why;

/*
 * Whether it can be an eventfd: none of what a program has from open(2),
 * pipe(2) or socket(2).  Reading and writing those could wait for ever, or
 * never.
 */
bool vhost_fd_is_event(int fd);

bool vhost_fd_is_socket(int fd);

/* The size of the file, bytes; 0 or -errno. */
int vhost_fd_size(int fd, uint64_t *ret);

/*
 * Whether @size bytes at @offset of it can be mapped and written for ever: a
 * memfd that has them and can get no smaller (F_SEAL_SHRINK).  Huge pages can
 * be missing in a file that has its size, and are none.  -EINVAL with the
 * reason, in which it is called @name.
 */
int vhost_fd_check_sealed(int fd, uint64_t offset, uint64_t size,
			  const char *name, struct why *why);

/*
 * For a ring that nobody kicks: a timer that reads like an eventfd which is
 * kicked a thousand times a second.  -errno.
 */
int vhost_fd_ticks(void);

#endif
