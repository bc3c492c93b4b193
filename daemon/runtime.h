/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The runtime directory: what is on this machine of every open volume.
 *
 *   NAME.lock   locked by the monitor for as long as it lives
 *   NAME.busy   locked by the process that attaches or detaches it
 *   NAME.json   which image, processes and limits; for `list` and `close`
 *   NAME.sock   the monitor's control socket
 *   NAME.shm    counters and in-flight log (daemon/shared.h)
 *
 * It is /run/vcrypt for root, $XDG_RUNTIME_DIR/vcrypt for others, mode 0700.
 */
#ifndef DAEMON_RUNTIME_H
#define DAEMON_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct why;
struct sockaddr_un;

#define RUNTIME_DIR_MAX 64

struct runtime {
	char path[RUNTIME_DIR_MAX];
	int dir_fd;
};

/* -ENOENT: it does not exist (and @create is not set). */
int runtime_open(struct runtime *rt, bool create, struct why *why);
void runtime_close(struct runtime *rt);

/*
 * Take NAME.lock.  The caller closes *@ret_fd, which gives it back, as the
 * end of the process does; a child has to close it.  -EBUSY: a monitor lives.
 */
int runtime_lock(const struct runtime *rt, const char *name, int *ret_fd,
		 struct why *why);

/*
 * Take NAME.busy, for a child of the monitor that goes on without it, or for
 * whoever has NAME.lock then.  Given back like that.  -EBUSY: one is at work.
 */
int runtime_lock_busy(const struct runtime *rt, const char *name, int *ret_fd);

/* Write NAME.json, whole or not at all. */
int runtime_write_state(const struct runtime *rt, const char *name,
			const char *json);

/* The text of NAME.json, for the caller to free.  -ENOENT: there is none. */
int runtime_read_state(const struct runtime *rt, const char *name, char **ret);

/* NAME.shm, made anew with @len zero bytes, or opened as it is. */
int runtime_create_shm(const struct runtime *rt, const char *name, size_t len,
		       int *ret_fd);
int runtime_open_shm(const struct runtime *rt, const char *name, int *ret_fd);

/* A socket that listens on NAME.sock, or one that is connected to it. */
int runtime_listen(const struct runtime *rt, const char *name, int *ret_fd);
int runtime_connect(const struct runtime *rt, const char *name, int *ret_fd);

/* Remove every file of NAME; the lock's last, by its holder. */
void runtime_remove(const struct runtime *rt, const char *name);

/* Call @fn for each volume that has a NAME.json, in the order of names. */
int runtime_each(const struct runtime *rt,
		 int (*fn)(const struct runtime *rt, const char *name,
			   void *arg),
		 void *arg);

#endif
