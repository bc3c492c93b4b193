/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The other end of the control socket: see client.h.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "daemon/client.h"
#include "daemon/runtime.h"
#include "lib/why.h"

#define ANSWER_MAX (128 * 1024)

static int exchange(int fd, const char *word, char *answer)
{
	size_t len = strlen(word);
	ssize_t n;

	if (send(fd, word, len, MSG_NOSIGNAL) != (ssize_t)len)
		return -EPIPE;
	do {
		n = recv(fd, answer, ANSWER_MAX - 1, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return -ETIMEDOUT;
	if (n <= 0)
		return -EPIPE;
	answer[n] = '\0';
	return 0;
}

int client_ask(const struct runtime *rt, const char *name, const char *word,
	       unsigned seconds, struct json_object **ret)
{
	const struct timeval limit = { .tv_sec = seconds };
	struct json_object *obj;
	char *answer;
	int fd, err;

	err = runtime_connect(rt, name, &fd);
	if (err)
		return err;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	answer = malloc(ANSWER_MAX);
	err = answer ? exchange(fd, word, answer) : -ENOMEM;
	close(fd);
	if (!err) {
		obj = json_tokener_parse(answer);
		if (json_object_is_type(obj, json_type_object)) {
			*ret = obj;
		} else {
			json_object_put(obj);
			err = -EPROTO;
		}
	}
	free(answer);
	return err;
}

/* The monitor's answer: {"error": errno, "text": reason}. */
int client_result(struct json_object *answer, struct why *why)
{
	struct json_object *err, *text;

	if (!json_object_object_get_ex(answer, "error", &err) ||
	    !json_object_object_get_ex(answer, "text", &text))
		return why_set(why, -EPROTO, "the monitor gave no answer");
	why_set(why, 0, "%s", json_object_get_string(text));
	return -json_object_get_int(err);
}
