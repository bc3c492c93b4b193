/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The state of a monitor, for the files of daemon/ that make it up.
 */
#ifndef DAEMON_MONITOR_STATE_H
#define DAEMON_MONITOR_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/attach.h"
#include "daemon/log_relay.h"
#include "daemon/monitor.h"
#include "daemon/runtime.h"
#include "daemon/shared.h"
#include "daemon/volume.h"

enum monitor_phase {
	PHASE_STARTING,	 /* the first worker gets ready */
	PHASE_ATTACHING, /* the kernel makes the disk */
	PHASE_SERVING,
	PHASE_DETACHING, /* the kernel takes the disk away */
	PHASE_ENDING,	 /* the worker ends */
};

/* Workers that die as often as volume.death_limit within this are given up. */
#define WORKER_DEATHS_WINDOW_S 60

#define MONITOR_CLIENTS_MAX 8

enum resize_step {
	RESIZE_NONE,
	RESIZE_CHECK,  /* a child finds out whether the device is in use */
	RESIZE_WORKER, /* the worker takes the new size */
};

struct resize {
	enum resize_step step;
	int client;	    /* index of who waits for it, or -1 */
	uint64_t data_size; /* the new one, bytes */
	uint64_t cut;	    /* cut the image to it in the end; 0: no */
};

struct monitor {
	struct volume *volume;
	const struct runtime *rt;
	void (*report)(void *arg, const struct monitor_report *rep);
	void *report_arg;
	int listen_fd, signal_fd;
	struct shared shared;
	struct log_relay log;
	enum monitor_phase phase;
	bool created; /* the VDUSE device is ours to destroy */

	pid_t worker;  /* 0: none */
	int worker_fd; /* pidfd */
	int channel_fd;
	bool worker_ready;
	int64_t spawn_at; /* when to try again, ms; 0: not planned */
	int64_t spawn_deadline;
	unsigned restarts;
	int64_t deaths[VOLUME_MAX_DEATH_LIMIT]; /* the latest, ms; a ring */
	bool given_up; /* workers answer with errors only */

	struct resize resize;
	struct attach_child attach;
	int64_t end_deadline;

	int clients[MONITOR_CLIENTS_MAX]; /* -1: free */
	int closer; /* index of the client that waits for the close, or -1 */
	struct why failure; /* why it did not come up */
	int failure_err;
};

/* daemon/supervise.c: the worker's life. */
int supervise_spawn(struct monitor *m, struct why *why);
void supervise_on_channel(struct monitor *m);
void supervise_on_death(struct monitor *m);
void supervise_on_time(struct monitor *m);
void supervise_end(struct monitor *m);

/*
 * Note that a worker died at @now, ms.  Whether volume.death_limit of them
 * have died within WORKER_DEATHS_WINDOW_S.
 */
bool supervise_count_death(struct monitor *m, int64_t now);

/* daemon/control.c: the control socket. */
void control_accept(struct monitor *m);
void control_on_client(struct monitor *m, unsigned index);
void control_answer(struct monitor *m, int client, int err, const char *text);

/*
 * daemon/resize.c: another size.  @client: who waits for it, or -1; @size:
 * bytes of the image, 0: as it is.
 */
void resize_begin(struct monitor *m, int client, uint64_t size);
void resize_checked(struct monitor *m, const struct attach_result *res);
void resize_on_ready(struct monitor *m);
void resize_on_resized(struct monitor *m);

/* daemon/report.c: the volume as JSON; the caller frees the text. */
char *report_status(const struct monitor *m);

/* daemon/monitor.c: what the others set in motion. */
void monitor_begin_attach(struct monitor *m);
int monitor_begin_detach(struct monitor *m, bool force);
void monitor_fail(struct monitor *m, int err, const char *text);
void monitor_save_state(struct monitor *m);

#endif
