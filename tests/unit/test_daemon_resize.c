/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Resizing: image, worker and client in the right order, and every refusal. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/monitor_state.h"
#include "daemon/worker.h"
#include "tests/unit/runtime_help.h"

#define MIB    (1ULL << 20)
#define OFFSET MIB /* of the data area */

static struct runtime rt;
static struct volume volume;
static struct monitor m;
static int worker_fd, client_fd;

static void make_pair(int *ret_ours, int *ret_theirs, int type)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX,
				    type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
				    fds),
			 0);
	*ret_ours = fds[0];
	*ret_theirs = fds[1];
}

static void setup(void)
{
	unsigned i;
	int fd;

	runtime_setup(&rt);
	volume = (struct volume){
		.name = "no-such-volume",
		.image = "image",
		.nr_queues = 1,
		.queue_size = 8,
		.control_fd = -1,
		.info = { .data_offset = OFFSET,
			  .data_size = MIB,
			  .sector_size = 4096,
			  .cipher = "aes-xts-plain64" },
	};
	volume.image_fd = memfd_create("image", MFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(volume.image_fd, OFFSET + MIB), 0);
	m = (struct monitor){
		.volume = &volume,
		.rt = &rt,
		.phase = PHASE_SERVING,
		.worker_ready = true,
		.closer = -1,
		.resize.client = -1,
	};
	for (i = 0; i < MONITOR_CLIENTS_MAX; i++)
		m.clients[i] = -1;
	fd = memfd_create("t", MFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(fd, (off_t)shared_size(1, 8)), 0);
	ck_assert_int_eq(shared_create(fd, 1, 8, &m.shared), 0);
	close(fd);
	make_pair(&m.channel_fd, &worker_fd, SOCK_STREAM);
	make_pair(&m.clients[2], &client_fd, SOCK_SEQPACKET);
}

static void teardown(void)
{
	shared_unmap(&m.shared);
	close(m.channel_fd);
	close(worker_fd);
	close(client_fd);
	close(volume.image_fd);
	runtime_close(&rt);
	runtime_teardown();
}

static uint64_t image_size(void)
{
	struct stat st;

	ck_assert_int_eq(fstat(volume.image_fd, &st), 0);
	return (uint64_t)st.st_size;
}

/* Whether the worker has been asked, once. */
static bool asked(void)
{
	char said[8];
	ssize_t n = read(worker_fd, said, sizeof(said));

	if (n < 0)
		return false;
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(said[0], WORKER_RESIZE);
	return true;
}

/* What the client was told: an errno, 0, or -1 for nothing yet. */
static int told(char text[static 256])
{
	struct json_object *obj, *value;
	char answer[1024];
	ssize_t n = recv(client_fd, answer, sizeof(answer) - 1, 0);
	int err;

	if (n < 0)
		return -1;
	answer[n] = '\0';
	obj = json_tokener_parse(answer);
	ck_assert(json_object_object_get_ex(obj, "error", &value));
	err = json_object_get_int(value);
	ck_assert(json_object_object_get_ex(obj, "text", &value));
	snprintf(text, 256, "%s", json_object_get_string(value));
	json_object_put(obj);
	return err;
}

static void worker_says(uint64_t err)
{
	vblk_stat_set(&m.shared.head->resize_err, err);
	resize_on_resized(&m);
}

START_TEST(test_grow)
{
	char text[256];

	resize_begin(&m, 2, OFFSET + 3 * MIB);
	ck_assert_uint_eq(image_size(), OFFSET + 3 * MIB);
	ck_assert_uint_eq(vblk_stat_get(&m.shared.head->resize_to), 3 * MIB);
	ck_assert(asked());
	ck_assert_int_eq(told(text), -1);
	worker_says(0);
	ck_assert_int_eq(told(text), 0);
	ck_assert_uint_eq(volume.info.data_size, 3 * MIB);
	ck_assert_int_eq(m.resize.step, RESIZE_NONE);
	/* Nobody asked. */
	resize_on_ready(&m);
	ck_assert(!asked());
}
END_TEST

/* The image was made larger by somebody else. */
START_TEST(test_follow)
{
	char text[256];

	ck_assert_int_eq(ftruncate(volume.image_fd, OFFSET + 2 * MIB), 0);
	resize_begin(&m, 2, 0);
	ck_assert(asked());
	worker_says(0);
	ck_assert_int_eq(told(text), 0);
	ck_assert_uint_eq(image_size(), OFFSET + 2 * MIB);
	ck_assert_uint_eq(volume.info.data_size, 2 * MIB);
}
END_TEST

START_TEST(test_worker_dies)
{
	char text[256];

	m.worker_ready = false;
	resize_begin(&m, 2, OFFSET + 2 * MIB);
	ck_assert(!asked());
	resize_on_ready(&m);
	ck_assert(asked());
	/* It died before it answered; here is the next one. */
	resize_on_ready(&m);
	ck_assert(asked());
	ck_assert_int_eq(told(text), -1);
	worker_says(0);
	ck_assert_int_eq(told(text), 0);
}
END_TEST

/* It is dead, and the monitor has not noticed yet. */
START_TEST(test_worker_is_gone)
{
	char text[256];

	signal(SIGPIPE, SIG_IGN);
	close(worker_fd);
	resize_begin(&m, 2, OFFSET + 2 * MIB);
	ck_assert_int_eq(m.resize.step, RESIZE_WORKER);
	close(m.channel_fd);
	make_pair(&m.channel_fd, &worker_fd, SOCK_STREAM);
	resize_on_ready(&m);
	ck_assert(asked());
	worker_says(0);
	ck_assert_int_eq(told(text), 0);
}
END_TEST

START_TEST(test_worker_refuses)
{
	char text[256];

	resize_begin(&m, 2, OFFSET + 2 * MIB);
	ck_assert(asked());
	worker_says(EINVAL);
	ck_assert_int_eq(told(text), EIO);
	ck_assert_ptr_nonnull(strstr(text, "does not take it"));
	ck_assert_int_eq(m.resize.step, RESIZE_NONE);
}
END_TEST

/* The device is not in use: it shrinks first, and then the image. */
START_TEST(test_shrink)
{
	const struct attach_result unused = { 0 };
	struct attach_result res;
	char text[256];

	resize_begin(&m, 2, OFFSET + 4096);
	ck_assert_int_eq(m.resize.step, RESIZE_CHECK);
	attach_collect(&m.attach, &res);
	ck_assert(!asked());
	resize_checked(&m, &unused);
	ck_assert(asked());
	ck_assert_uint_eq(vblk_stat_get(&m.shared.head->resize_to), 4096);
	ck_assert_uint_eq(image_size(), OFFSET + MIB);
	worker_says(0);
	ck_assert_int_eq(told(text), 0);
	ck_assert_uint_eq(image_size(), OFFSET + 4096);
	/* It is not cut once more. */
	ck_assert_int_eq(ftruncate(volume.image_fd, OFFSET + MIB), 0);
	worker_says(0);
	ck_assert_uint_eq(image_size(), OFFSET + MIB);
}
END_TEST

/* Nobody uses a volume that no driver has; then somebody does. */
START_TEST(test_shrink_in_use)
{
	struct attach_result res;
	char text[256];

	resize_begin(&m, 2, OFFSET + 4096);
	attach_collect(&m.attach, &res);
	ck_assert_int_eq(res.err, 0);
	res.err = -EBUSY;
	resize_checked(&m, &res);
	ck_assert_int_eq(told(text), EBUSY);
	ck_assert(!asked());
	ck_assert_uint_eq(volume.info.data_size, MIB);
	ck_assert_int_eq(m.resize.step, RESIZE_NONE);
}
END_TEST

START_TEST(test_cannot_look)
{
	struct rlimit before, none;
	char text[256];

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	resize_begin(&m, 2, OFFSET + 4096);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_int_eq(told(text), EMFILE);
	ck_assert_int_eq(m.resize.step, RESIZE_NONE);
}
END_TEST

static void make_image_readonly(void)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", volume.image_fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	close(volume.image_fd);
	volume.image_fd = fd;
}

START_TEST(test_cut_fails)
{
	const struct attach_result unused = { 0 };
	struct attach_result res;
	char text[256];

	resize_begin(&m, 2, OFFSET + 4096);
	attach_collect(&m.attach, &res);
	resize_checked(&m, &unused);
	make_image_readonly();
	worker_says(0);
	ck_assert_int_eq(told(text), EINVAL);
	ck_assert_ptr_nonnull(strstr(text, "cannot be cut"));
}
END_TEST

START_TEST(test_grow_fails)
{
	char text[256];

	make_image_readonly();
	resize_begin(&m, 2, OFFSET + 2 * MIB);
	ck_assert_int_eq(told(text), EINVAL);
	ck_assert_ptr_nonnull(strstr(text, "cannot have"));
	ck_assert(!asked());
}
END_TEST

static void plain(void)
{
	strcpy(volume.info.cipher, "aes-xts-plain");
}

static void readonly(void)
{
	volume.readonly = true;
}

static void given_up(void)
{
	m.given_up = true;
}

static void no_file(void)
{
	close(volume.image_fd);
	volume.image_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
}

static const struct {
	void (*before)(void);
	uint64_t size;
	int err;
	const char *text;
} refusals[] = {
	{ NULL, 4096, EINVAL, "are not the header's" },
	{ NULL, OFFSET, EINVAL, "are not the header's" },
	{ NULL, OFFSET + 4095, EINVAL, "and then sectors of 4096" },
	{ NULL, UINT64_MAX - 4095, EFBIG, "too large" },
	{ plain, OFFSET + (2ULL << 40) + 4096, EINVAL, "up to 2 TiB" },
	{ readonly, OFFSET + 2 * MIB, EROFS, "read-only" },
	{ given_up, OFFSET + 2 * MIB, EIO, "its workers died" },
	{ no_file, OFFSET + 2 * MIB, EINVAL, "image: " },
};

/* @_i: the refusal.  Nothing has changed. */
START_TEST(test_refused)
{
	char text[256];

	if (refusals[_i].before)
		refusals[_i].before();
	resize_begin(&m, 2, refusals[_i].size);
	ck_assert_int_eq(told(text), refusals[_i].err);
	ck_assert_msg(strstr(text, refusals[_i].text), "%s", text);
	ck_assert(!asked());
	ck_assert_int_eq(m.resize.step, RESIZE_NONE);
	ck_assert_uint_eq(volume.info.data_size, MIB);
	if (refusals[_i].before != no_file)
		ck_assert_uint_eq(image_size(), OFFSET + MIB);
}
END_TEST

int main(void)
{
	const int nr = sizeof(refusals) / sizeof(refusals[0]);
	Suite *s = suite_create("daemon_resize");
	TCase *tc = tcase_create("daemon_resize");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_grow);
	tcase_add_test(tc, test_follow);
	tcase_add_test(tc, test_worker_dies);
	tcase_add_test(tc, test_worker_is_gone);
	tcase_add_test(tc, test_worker_refuses);
	tcase_add_test(tc, test_shrink);
	tcase_add_test(tc, test_shrink_in_use);
	tcase_add_test(tc, test_cannot_look);
	tcase_add_test(tc, test_cut_fails);
	tcase_add_test(tc, test_grow_fails);
	tcase_add_loop_test(tc, test_refused, 0, nr);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
