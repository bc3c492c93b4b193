/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The worker: the process on the data path.  It is forked by the monitor,
 * gets its descriptors and the key, drops root, enters the sandbox, and only
 * then reads what a driver wrote.  It opens nothing.
 *
 * When the monitor dies the worker goes on: somebody may have files open.
 */
#ifndef DAEMON_WORKER_H
#define DAEMON_WORKER_H

struct shared;
struct volume;

struct worker_params {
	const struct volume *volume;
	const struct shared *shared;
	int image_fd;	/* -1: the store is lost, answer all with errors */
	int device_fd;	/* /dev/vduse/NAME, or the socket that listens */
	int channel_fd; /* a socket; what is said stands below */
};

/* From the worker to the monitor, one byte each. */
#define WORKER_READY   'r' /* it answers the kernel's messages */
#define WORKER_RUNNING 's' /* the driver set DRIVER_OK */
#define WORKER_RESIZED 'z' /* or not: shared_head.resize_err */
/* From the monitor: end, if no queue runs. */
#define WORKER_END 'x'
/* From the monitor: the size is now shared_head.resize_to. */
#define WORKER_RESIZE 'Z'

_Noreturn void worker_main(const struct worker_params *params);

#endif
