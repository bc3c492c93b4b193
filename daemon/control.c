/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The control socket of the monitor.  A client sends one word ("status",
 * "close", "close-force", "resize", or "resize BYTES") in one packet and gets
 * one packet of JSON.
 * Requests are never waited for: a client that says nothing costs a slot.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/monitor_state.h"
#include "lib/log.h"

static void drop_client(struct monitor *m, unsigned index)
{
	close(m->clients[index]);
	m->clients[index] = -1;
	if (m->closer == (int)index)
		m->closer = -1;
	if (m->resize.client == (int)index)
		m->resize.client = -1;
}

void control_accept(struct monitor *m)
{
	unsigned i;
	int fd;

	fd = accept4(m->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	for (i = 0; i < MONITOR_CLIENTS_MAX; i++) {
		if (m->clients[i] < 0) {
			m->clients[i] = fd;
			return;
		}
	}
	close(fd);
}

static void send_text(struct monitor *m, unsigned index, const char *text)
{
	size_t len = strlen(text);

	if (send(m->clients[index], text, len, MSG_NOSIGNAL) != (ssize_t)len)
		log_detail("a client left before its answer");
	drop_client(m, index);
}

void control_answer(struct monitor *m, int client, int err, const char *text)
{
	struct json_object *obj;

	if (client < 0)
		return;
	obj = json_object_new_object();
	json_object_object_add(obj, "error", json_object_new_int(-err));
	json_object_object_add(obj, "text", json_object_new_string(text));
	send_text(m, (unsigned)client,
		  json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN));
	json_object_put(obj);
}

static void answer_status(struct monitor *m, unsigned index)
{
	char *text = report_status(m);

	if (text)
		send_text(m, index, text);
	else
		drop_client(m, index);
	free(text);
}

static bool is_ready(struct monitor *m, unsigned index)
{
	if (m->phase == PHASE_SERVING && m->resize.step == RESIZE_NONE)
		return true;
	control_answer(m, (int)index, -EBUSY,
		       m->phase == PHASE_SERVING
			       ? "it is being resized"
			       : "it is being opened or closed already");
	return false;
}

static void begin_resize(struct monitor *m, unsigned index, const char *size)
{
	if (is_ready(m, index))
		resize_begin(m, (int)index, strtoull(size, NULL, 10));
}

static void begin_close(struct monitor *m, unsigned index, bool force)
{
	int err;

	if (!is_ready(m, index))
		return;
	m->closer = (int)index;
	err = monitor_begin_detach(m, force);
	if (err)
		control_answer(m, m->closer, err, strerror(-err));
}

void control_on_client(struct monitor *m, unsigned index)
{
	char word[32];
	ssize_t n;

	n = recv(m->clients[index], word, sizeof(word) - 1, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop_client(m, index);
		return;
	}
	word[n] = '\0';
	if (!strcmp(word, "status"))
		answer_status(m, index);
	else if (!strcmp(word, "close"))
		begin_close(m, index, false);
	else if (!strcmp(word, "close-force"))
		begin_close(m, index, true);
	else if (!strcmp(word, "resize") || !strncmp(word, "resize ", 7))
		begin_resize(m, index, word + strlen("resize"));
	else
		control_answer(m, (int)index, -EINVAL, "unknown request");
}
