/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The monitor: one small, single-threaded process for each open volume.  It
 * owns the control socket, the key and the VDUSE device's life, starts the
 * worker and starts another when that dies.  It never touches driver memory
 * and waits for nothing but poll(2).
 */
#ifndef DAEMON_MONITOR_H
#define DAEMON_MONITOR_H

struct runtime;
struct volume;

/* What the command that started the monitor is told, once. */
struct monitor_report {
	int err;	/* 0: the volume is open */
	char text[320]; /* the node's path, or the reason */
};

/*
 * Serve @volume until it is closed: make the device, attach it, and call
 * @report (once, with @arg).  Whatever step fails, those before it are undone.
 * The process holds the lock of runtime_lock; or @rt is NULL, for a volume of
 * vhost-user that has no name for other commands.  volume->key is wiped at the end.  Returns the
 * exit code of the process.
 */
int monitor_run(struct volume *volume, const struct runtime *rt,
		void (*report)(void *arg, const struct monitor_report *rep),
		void *arg);

#endif
