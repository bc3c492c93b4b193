/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The other end of the control socket: asking a monitor.
 */
#ifndef DAEMON_CLIENT_H
#define DAEMON_CLIENT_H

struct json_object;
struct runtime;
struct why;

/*
 * Send @word to the monitor of @name and wait for its answer, which the
 * caller puts with json_object_put.  -ECONNREFUSED, -ENOENT: no monitor
 * listens; -EPIPE: it ended without an answer; -EPROTO: not an answer;
 * -ETIMEDOUT: none within @seconds (0: however long it takes).
 */
int client_ask(const struct runtime *rt, const char *name, const char *word,
	       unsigned seconds, struct json_object **ret);

/*
 * Whether the monitor did what it was asked to: 0, or -errno with its reason.
 */
int client_result(struct json_object *answer, struct why *why);

#endif
