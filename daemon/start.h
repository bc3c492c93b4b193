/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Starting the monitor from the command.
 */
#ifndef DAEMON_START_H
#define DAEMON_START_H

struct monitor_report;
struct runtime;
struct volume;

/*
 * Run the monitor for @volume: in a daemon of its own, and then this returns
 * when the volume is open or has failed to; or, if volume->foreground, in
 * this process, which prints the device's path on standard output and returns
 * when the volume is closed.  The caller holds the lock of runtime_lock, and
 * closes it and the descriptors of @volume afterwards: the daemon has copies.
 * The key is the daemon's, and volume->key is NULL then.
 * 0 or -errno in @ret->err, the path or the reason in @ret->text.
 */
void volume_start(struct volume *volume, const struct runtime *rt,
		  struct monitor_report *ret);

#endif
