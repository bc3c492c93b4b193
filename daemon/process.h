/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Facts about processes from /proc.
 */
#ifndef DAEMON_PROCESS_H
#define DAEMON_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

/*
 * When @pid started, in clock ticks since boot; with the number it names a
 * process for good.  0: there is no such process.
 */
uint64_t process_start(pid_t pid);

/*
 * A pidfd of @pid if it is still the process that started at @start.
 * -ESRCH: it is gone, or dead and not yet collected.
 */
int process_open(pid_t pid, uint64_t start);

#endif
