/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The control socket: the monitor's end with the client's, and each alone. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/attach.h"
#include "daemon/client.h"
#include "daemon/monitor_state.h"
#include "daemon/runtime.h"
#include "tests/unit/runtime_help.h"

static struct runtime rt;
static struct volume volume;
static struct monitor m;

static void setup(void)
{
	unsigned i;
	int fd;

	runtime_setup(&rt);
	volume = (struct volume){
		.name = "no-such-volume",
		.image = "/an \"image\"",
		.nr_queues = 2,
		.queue_size = 64,
	};
	m = (struct monitor){
		.volume = &volume,
		.rt = &rt,
		.phase = PHASE_SERVING,
		.worker_ready = true,
		.closer = -1,
	};
	for (i = 0; i < MONITOR_CLIENTS_MAX; i++)
		m.clients[i] = -1;
	fd = memfd_create("t", MFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(fd, (off_t)shared_size(2, 64)), 0);
	ck_assert_int_eq(shared_create(fd, 2, 64, &m.shared), 0);
	close(fd);
	ck_assert_int_eq(runtime_listen(&rt, "a", &m.listen_fd), 0);
}

static void teardown(void)
{
	shared_unmap(&m.shared);
	close(m.listen_fd);
	runtime_close(&rt);
	runtime_teardown();
}

static int join(void)
{
	int fd;

	ck_assert_int_eq(runtime_connect(&rt, "a", &fd), 0);
	control_accept(&m);
	return fd;
}

/* Say @word and have the monitor hear it. */
static int say(const char *word)
{
	int fd = join();

	ck_assert_int_eq(send(fd, word, strlen(word), 0), strlen(word));
	control_on_client(&m, 0);
	return fd;
}

static struct json_object *answer_of(int fd)
{
	static char text[65536];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	/* One answer, and the end. */
	ck_assert_int_eq(recv(fd, text, 0, MSG_DONTWAIT), 0);
	close(fd);
	return json_tokener_parse(text);
}

static int error_of(int fd)
{
	struct json_object *obj = answer_of(fd), *err;
	int ret;

	ck_assert(json_object_object_get_ex(obj, "error", &err));
	ret = json_object_get_int(err);
	json_object_put(obj);
	return ret;
}

START_TEST(test_status)
{
	struct json_object *obj = answer_of(say("status")), *value;

	ck_assert(json_object_object_get_ex(obj, "image", &value));
	ck_assert_str_eq(json_object_get_string(value), "/an \"image\"");
	ck_assert(json_object_object_get_ex(obj, "state", &value));
	ck_assert_str_eq(json_object_get_string(value), "active");
	ck_assert(json_object_object_get_ex(obj, "device", &value));
	ck_assert_ptr_null(value);
	ck_assert(json_object_object_get_ex(obj, "per_queue", &value));
	ck_assert_uint_eq(json_object_array_length(value), 2);
	json_object_put(obj);
	ck_assert_int_eq(m.clients[0], -1);
}
END_TEST

START_TEST(test_states)
{
	static const struct {
		enum monitor_phase phase;
		bool ready, given_up;
		const char *state;
	} cases[] = {
		{ PHASE_STARTING, false, false, "opening" },
		{ PHASE_ATTACHING, true, false, "opening" },
		{ PHASE_SERVING, true, false, "active" },
		{ PHASE_SERVING, false, false, "restarting" },
		{ PHASE_SERVING, true, true, "failed" },
		{ PHASE_DETACHING, true, false, "closing" },
		{ PHASE_ENDING, true, false, "closing" },
	};
	struct json_object *obj, *value;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		m.phase = cases[i].phase;
		m.worker_ready = cases[i].ready;
		m.given_up = cases[i].given_up;
		obj = answer_of(say("status"));
		ck_assert(json_object_object_get_ex(obj, "state", &value));
		ck_assert_str_eq(json_object_get_string(value), cases[i].state);
		json_object_put(obj);
	}
}
END_TEST

START_TEST(test_unknown_words)
{
	static const char *const words[] = {
		"x",	   "statu",
		"status ", "STATUS",
		"closed",  "a word that is longer than all that there are",
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		ck_assert_int_eq(error_of(say(words[i])), EINVAL);
}
END_TEST

START_TEST(test_close_at_a_bad_time)
{
	static const enum monitor_phase phases[] = {
		PHASE_STARTING, PHASE_ATTACHING, PHASE_DETACHING, PHASE_ENDING
	};

	m.phase = phases[_i];
	ck_assert_int_eq(error_of(say("close")), EBUSY);
	ck_assert_int_eq(error_of(say("close-force")), EBUSY);
	ck_assert_int_eq(m.phase, phases[_i]);
	ck_assert_int_eq(m.closer, -1);
}
END_TEST

START_TEST(test_close)
{
	struct attach_result res = { .err = -1 };
	int fd = say(_i ? "close-force" : "close");

	ck_assert_int_eq(m.phase, PHASE_DETACHING);
	ck_assert_int_eq(m.closer, 0);
	/* It is not on the bus, which is as good as taken away. */
	attach_collect(&m.attach, &res);
	ck_assert_int_eq(res.err, 0);
	ck_assert_int_eq(m.attach.pid, 0);
	control_answer(&m, m.closer, 0, "");
	ck_assert_int_eq(error_of(fd), 0);
	ck_assert_int_eq(m.closer, -1);
	control_answer(&m, -1, -EIO, "to nobody");
}
END_TEST

START_TEST(test_closer_leaves)
{
	struct attach_result res;
	int i, fd;

	/* While it is closed, and just before the answer. */
	for (i = 0; i < 2; i++) {
		m.phase = PHASE_SERVING;
		fd = say("close");
		/* Until here the child has all descriptors of ours. */
		attach_collect(&m.attach, &res);
		close(fd);
		if (!i)
			control_on_client(&m, 0);
		control_answer(&m, m.closer, 0, "");
		ck_assert_int_eq(m.closer, -1);
		ck_assert_int_eq(m.clients[0], -1);
	}
}
END_TEST

START_TEST(test_silent_clients)
{
	int fds[MONITOR_CLIENTS_MAX + 1], i;
	char c;

	for (i = 0; i <= MONITOR_CLIENTS_MAX; i++)
		fds[i] = join();
	/* There is no place for the last. */
	ck_assert_int_eq(recv(fds[i - 1], &c, 1, MSG_DONTWAIT), 0);
	close(fds[i - 1]);
	/* Woken for nothing, then gone. */
	control_on_client(&m, 3);
	ck_assert_int_ge(m.clients[3], 0);
	close(fds[3]);
	control_on_client(&m, 3);
	ck_assert_int_eq(m.clients[3], -1);
	fds[3] = join();
	ck_assert_int_ge(m.clients[3], 0);
	for (i = 0; i < MONITOR_CLIENTS_MAX; i++)
		close(fds[i]);
}
END_TEST

/* What comes of an attach without a kernel that has VDUSE, or the device. */
START_TEST(test_attach_fails)
{
	struct attach_child child;
	struct attach_result res;

	ck_assert_int_eq(attach_start(&child, ATTACH, &volume, &rt), 0);
	attach_collect(&child, &res);
	ck_assert_int_lt(res.err, 0);
	ck_assert_ptr_nonnull(strstr(res.why.text, volume.name));
	/* One that is killed. */
	ck_assert_int_eq(attach_start(&child, ATTACH, &volume, &rt), 0);
	kill(child.pid, SIGSTOP);
	kill(child.pid, SIGKILL);
	attach_collect(&child, &res);
	ck_assert_int_lt(res.err, 0);
}
END_TEST

/* There is one at a time, and none if it cannot be started. */
START_TEST(test_attach_busy)
{
	struct attach_child child = { .pid = 0 };
	struct rlimit limit;
	int fd, next;

	ck_assert_int_eq(runtime_lock_busy(&rt, volume.name, &fd), 0);
	ck_assert_int_eq(attach_start(&child, DETACH, &volume, &rt), -EBUSY);
	close(fd);
	/* Enough for the lock, not for the pipe. */
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	next = dup(0);
	close(next);
	limit.rlim_cur = (rlim_t)next + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(attach_start(&child, DETACH, &volume, &rt), -EMFILE);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(child.pid, 0);
	ck_assert_int_eq(runtime_lock_busy(&rt, volume.name, &fd), 0);
	close(fd);
}
END_TEST

/* A monitor that answers with @text, or not at all. */
static pid_t fake_monitor(const char *text, size_t len)
{
	pid_t pid = fork();
	char word[32];
	int fd;

	if (pid)
		return pid;
	fd = accept(m.listen_fd, NULL, NULL);
	if (fd < 0 || recv(fd, word, sizeof(word), 0) != 6 ||
	    memcmp(word, "status", 6))
		_exit(1);
	if (text && send(fd, text, len, 0) != (ssize_t)len)
		_exit(2);
	_exit(0);
}

static const struct {
	const char *text;
	int err;
} answers[] = {
	{ "{\"state\":\"active\"}", 0 },
	{ "{}", 0 },
	{ NULL, -EPIPE },
	{ "", -EPIPE },
	{ "garbage", -EPROTO },
	{ "{\"state\":", -EPROTO },
	{ "\xff\xfe", -EPROTO },
	/* JSON, but nothing that has members. */
	{ "17", -EPROTO },
	{ "[1]", -EPROTO },
	{ "\"text\"", -EPROTO },
	{ "null", -EPROTO },
};

START_TEST(test_answers)
{
	const char *text = answers[_i].text;
	struct json_object *obj = NULL;
	pid_t pid = fake_monitor(text, text ? strlen(text) : 0);
	int status;

	ck_assert_int_eq(client_ask(&rt, "a", "status", 0, &obj),
			 answers[_i].err);
	ck_assert_int_eq(obj != NULL, !answers[_i].err);
	json_object_put(obj);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(test_nobody_listens)
{
	struct json_object *obj = NULL;

	ck_assert_int_eq(client_ask(&rt, "b", "status", 0, &obj), -ENOENT);
	close(m.listen_fd);
	m.listen_fd = -1;
	ck_assert_int_eq(client_ask(&rt, "a", "status", 0, &obj),
			 -ECONNREFUSED);
	ck_assert_ptr_null(obj);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_status);
	tcase_add_test(tc, test_states);
	tcase_add_test(tc, test_unknown_words);
	tcase_add_loop_test(tc, test_close_at_a_bad_time, 0, 4);
	tcase_add_loop_test(tc, test_close, 0, 2);
	tcase_add_test(tc, test_closer_leaves);
	tcase_add_test(tc, test_silent_clients);
	tcase_add_test(tc, test_attach_fails);
	tcase_add_test(tc, test_attach_busy);
	tcase_add_loop_test(tc, test_answers, 0,
			    sizeof(answers) / sizeof(answers[0]));
	tcase_add_test(tc, test_nobody_listens);
}

int main(void)
{
	Suite *s = suite_create("daemon_control");
	TCase *tc = tcase_create("daemon_control");
	SRunner *sr = srunner_create(s);
	int failed;

	add_tests(tc);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
