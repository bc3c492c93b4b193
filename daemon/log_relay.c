/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The log of a running volume: see log_relay.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* syslog.h and lib/log.h both have names that start with LOG_. */
#include <syslog.h>

#include "daemon/log_relay.h"

int log_relay_start(struct log_relay *relay, const char *name, bool foreground)
{
	static char ident[96];
	int fds[2];

	memset(relay, 0, sizeof(*relay));
	relay->out_fd = -1;
	/* A full pipe drops lines: the log must not stop anybody. */
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	if (foreground) {
		relay->out_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
		if (relay->out_fd < 0)
			return -errno;
	} else {
		snprintf(ident, sizeof(ident), "vcrypt[%s]", name);
		openlog(ident, LOG_PID, LOG_DAEMON);
	}
	if (dup2(fds[1], STDERR_FILENO) < 0)
		return -errno;
	close(fds[1]);
	relay->read_fd = fds[0];
	return 0;
}

static void pass_on(struct log_relay *relay, const char *line)
{
	int level = LOG_INFO;

	if (relay->out_fd >= 0) {
		dprintf(relay->out_fd, "%s\n", line);
		return;
	}
	if (strstr(line, ": error: "))
		level = LOG_ERR;
	else if (strstr(line, ": warning: "))
		level = LOG_WARNING;
	syslog(level, "%s", line);
}

static void end_line(struct log_relay *relay)
{
	char *line = relay->lines[relay->nr % LOG_RELAY_LINES];

	memcpy(line, relay->part, relay->part_len);
	line[relay->part_len] = '\0';
	relay->part_len = 0;
	relay->nr++;
	pass_on(relay, line);
}

void log_relay_read(struct log_relay *relay)
{
	char buf[1024];
	ssize_t i, n;

	while ((n = read(relay->read_fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < n; i++) {
			if (buf[i] == '\n')
				end_line(relay);
			else if (relay->part_len < LOG_RELAY_WIDTH - 1)
				relay->part[relay->part_len++] = buf[i];
		}
	}
}

const char *log_relay_line(const struct log_relay *relay, unsigned i)
{
	unsigned first = 0;

	if (relay->nr > LOG_RELAY_LINES)
		first = relay->nr - LOG_RELAY_LINES;
	if (first + i >= relay->nr)
		return NULL;
	return relay->lines[(first + i) % LOG_RELAY_LINES];
}
