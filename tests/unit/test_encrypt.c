/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Encrypting an image: what the container holds afterwards, runs that are
 * stopped anywhere and gone on with, images that change, disks that lie.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt/encrypt.h"
#include "crypt/luks_format.h"
#include "lib/secmem.h"
#include "lib/why.h"
#include "tests/unit/crypt_help.h"

#define OFFSET (1u << 20) /* of the data in the container */
#define CHUNK  (512u << 10)

struct encrypt_rig {
	struct encrypt_job job;
	struct why why;
	uint8_t key[VOLUME_KEY_MAX];
	uint8_t *plain; /* the image, and zeroes up to a sector */
	uint64_t size, data;
	uint64_t stop_at; /* of progress; 0: never */
	unsigned calls;
};

static int new_file(off_t size)
{
	char path[] = "/tmp/vcrypt-encrypt-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	unlink(path);
	ck_assert_int_eq(ftruncate(fd, size), 0);
	return fd;
}

static int on_progress(void *arg, enum encrypt_phase phase, uint64_t at,
		       uint64_t of)
{
	struct encrypt_rig *r = arg;

	ck_assert_uint_eq(of, r->data);
	ck_assert_uint_le(at, of);
	r->calls++;
	return r->stop_at && at >= r->stop_at ? -EINTR : 0;
}

static void note_source(struct encrypt_rig *r)
{
	struct stat st;

	ck_assert_int_eq(fstat(r->job.image_fd, &st), 0);
	encrypt_source(&st, &r->job.journal.source);
}

/* An image with a hole in its second and third quarter. */
static void open_rig(struct encrypt_rig *r, uint64_t size, uint32_t sector)
{
	uint64_t part = size / 4;

	memset(r, 0, sizeof(*r));
	r->size = size;
	r->data = (size + sector - 1) / sector * sector;
	r->plain = calloc(1, r->data);
	ck_assert_ptr_nonnull(r->plain);
	fill_bytes(r->key, sizeof(r->key), 7);
	fill_bytes(r->plain, part, 8);
	fill_bytes(r->plain + size - part, part, 9);
	r->job = (struct encrypt_job){
		.image_fd = new_file((off_t)size),
		.container_fd = new_file((off_t)(OFFSET + r->data)),
		.image_name = "plain",
		.container_name = "box",
		.key = r->key,
		.info = { .cipher = "aes-xts-plain64",
			  .key_bytes = 64,
			  .sector_size = sector,
			  .data_offset = OFFSET,
			  .data_size = r->data },
		.journal = { .phase = ENCRYPT_COPY,
			     .container = OFFSET + r->data },
		.progress = on_progress,
		.arg = r,
	};
	ck_assert_int_eq(pwrite(r->job.image_fd, r->plain, part, 0), part);
	ck_assert_int_eq(pwrite(r->job.image_fd, r->plain + size - part, part,
				(off_t)(size - part)),
			 part);
	note_source(r);
	ck_assert_int_eq(
		encrypt_journal_write(r->job.container_fd, &r->job.journal), 0);
}

static void close_rig(struct encrypt_rig *r)
{
	close(r->job.image_fd);
	close(r->job.container_fd);
	free(r->plain);
}

static int run(struct encrypt_rig *r)
{
	r->why.text[0] = '\0';
	return encrypt_run(&r->job, &r->why);
}

/* What another process would know. */
static void forget(struct encrypt_rig *r)
{
	struct stat st;

	ck_assert_int_eq(fstat(r->job.container_fd, &st), 0);
	memset(&r->job.journal, 0xee, sizeof(r->job.journal));
	ck_assert_int_eq(encrypt_journal_read(r->job.container_fd,
					      (uint64_t)st.st_size,
					      &r->job.journal),
			 0);
	ck_assert_int_eq(encrypt_job_check(&r->job, &r->why), 0);
}

static void assert_encrypted(const struct encrypt_rig *r)
{
	const struct cryptdev_params params = {
		.key = r->key,
		.key_bytes = r->job.info.key_bytes,
		.sector_size = r->job.info.sector_size,
		.iv = strcmp(r->job.info.cipher, "aes-xts-plain")
			      ? XTS_IV_PLAIN64
			      : XTS_IV_PLAIN,
	};
	uint8_t *stored = malloc(r->data), *want = malloc(r->data);

	ck_assert(stored && want);
	/* Direct I/O would want a buffer that is aligned. */
	ck_assert_int_eq(fcntl(r->job.container_fd, F_SETFL, 0), 0);
	ck_assert_int_eq(pread(r->job.container_fd, stored, r->data, OFFSET),
			 r->data);
	ref_crypt(&params, true, 0, want, r->plain, r->data);
	ck_assert(!memcmp(stored, want, r->data));
	free(stored);
	free(want);
}

/* --- what comes out ---------------------------------------------------- */

static const struct size_row {
	uint64_t size;
	uint32_t sector;
} size_rows[] = {
	{ 512, 512 },		{ 513, 512 },
	{ 4095, 4096 },		{ 5000, 4096 },
	{ CHUNK, 4096 },	{ CHUNK + 1, 512 },
	{ 4 * CHUNK, 4096 },	{ 4 * CHUNK + 4095, 4096 },
	{ 9 * CHUNK + 7, 512 }, { 9 * CHUNK + 7, 2048 },
};

START_TEST(test_sizes)
{
	const struct size_row *row = &size_rows[_i];
	struct encrypt_rig r;

	open_rig(&r, row->size, row->sector);
	ck_assert_int_eq(encrypt_job_check(&r.job, &r.why), 0);
	ck_assert_msg(!run(&r), "%s", r.why.text);
	assert_encrypted(&r);
	forget(&r);
	ck_assert_int_eq(r.job.journal.phase, ENCRYPT_VERIFY);
	ck_assert_uint_eq(r.job.journal.at, r.data);
	ck_assert_uint_gt(r.calls, 1);
	close_rig(&r);
}
END_TEST

START_TEST(test_plain_iv_and_small_key)
{
	struct encrypt_rig r;

	open_rig(&r, 3 * CHUNK, 512);
	strcpy(r.job.info.cipher, "aes-xts-plain");
	r.job.info.key_bytes = 32;
	r.job.progress = NULL;
	ck_assert_msg(!run(&r), "%s", r.why.text);
	assert_encrypted(&r);
	close_rig(&r);
}
END_TEST

/* Stopped at every chunk of both phases, each time by another process. */
START_TEST(test_goes_on)
{
	struct encrypt_rig r;
	unsigned stops = 0;
	int err;

	open_rig(&r, 40 * CHUNK + 100, 4096);
	do {
		forget(&r);
		r.stop_at = r.job.journal.at + (1 + stops % 5) * CHUNK;
		err = run(&r);
		ck_assert(!err || err == -EINTR);
		stops += err != 0;
	} while (err);
	ck_assert_uint_ge(stops, 2);
	assert_encrypted(&r);
	close_rig(&r);
}
END_TEST

/* --- what goes wrong --------------------------------------------------- */

START_TEST(test_image_changes)
{
	const struct timespec times[2] = { { 0, UTIME_OMIT }, { 77, 0 } };
	struct encrypt_rig r;

	open_rig(&r, 20 * CHUNK, 4096);
	if (_i == 0) {
		ck_assert_int_eq(futimens(r.job.image_fd, times), 0);
	} else if (_i == 1) {
		ck_assert_int_eq(ftruncate(r.job.image_fd, 100), 0);
	} else {
		r.stop_at = 4 * CHUNK;
		ck_assert_int_eq(run(&r), -EINTR);
		r.stop_at = 0;
		ck_assert_int_eq(
			ftruncate(r.job.image_fd, (off_t)r.size + 4096), 0);
	}
	ck_assert_int_eq(run(&r), -ESTALE);
	ck_assert_msg(strstr(r.why.text, "plain: has changed"), "%s",
		      r.why.text);
	close_rig(&r);
}
END_TEST

/* A disk that does not keep what was written is found out. */
START_TEST(test_spoiled)
{
	struct encrypt_rig r;

	open_rig(&r, 60 * CHUNK, 4096);
	ck_assert_int_eq(run(&r), 0);
	/* What was proved is spoiled before it is proved again. */
	ck_assert_int_eq(fcntl(r.job.container_fd, F_SETFL, 0), 0);
	ck_assert_int_eq(pwrite(r.job.container_fd, r.key, 64,
				(off_t)(OFFSET + r.data - 4096)),
			 64);
	r.job.journal.at = 0;
	ck_assert_int_eq(run(&r), -EBADMSG);
	ck_assert_msg(strstr(r.why.text, "box: differs from plain at byte"),
		      "%s", r.why.text);
	forget(&r);
	ck_assert_int_eq(r.job.journal.phase, ENCRYPT_COPY);
	ck_assert_uint_eq(r.job.journal.at, 59 * CHUNK);
	ck_assert_int_eq(run(&r), 0);
	assert_encrypted(&r);
	close_rig(&r);
}
END_TEST

/* As a full disk would: and then there is room. */
START_TEST(test_no_room)
{
	const struct rlimit less = { OFFSET + 10 * CHUNK, RLIM_INFINITY };
	const struct rlimit more = { RLIM_INFINITY, RLIM_INFINITY };
	struct encrypt_rig r;

	signal(SIGXFSZ, SIG_IGN);
	open_rig(&r, 40 * CHUNK, 4096);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &less), 0);
	ck_assert_int_eq(run(&r), -EFBIG);
	ck_assert_msg(strstr(r.why.text, "box: cannot be written"), "%s",
		      r.why.text);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &more), 0);
	forget(&r);
	ck_assert_int_eq(run(&r), 0);
	assert_encrypted(&r);
	close_rig(&r);
}
END_TEST

START_TEST(test_bad_descriptors)
{
	struct encrypt_rig r;
	int fd;

	open_rig(&r, CHUNK, 4096);
	fd = r.job.image_fd;
	r.job.image_fd = -1;
	ck_assert_int_eq(run(&r), -EBADF);
	r.job.image_fd = fd;
	fd = r.job.container_fd;
	r.job.container_fd = -1;
	ck_assert_int_eq(run(&r), -EBADF);
	r.job.container_fd = fd;
	/* A container that is too small for what its header says. */
	ck_assert_int_eq(ftruncate(fd, OFFSET), 0);
	ck_assert_int_eq(run(&r), -EINVAL);
	ck_assert_msg(strstr(r.why.text, "box: "), "%s", r.why.text);
	close_rig(&r);
}
END_TEST

/* --- header and journal ------------------------------------------------ */

static const struct check_row {
	uint64_t container, source, at, offset;
	uint32_t sector;
	int err;
} check_rows[] = {
	{ OFFSET + 8192, 8192, 0, OFFSET, 4096, 0 },
	{ OFFSET + 8192, 8191, 8192, OFFSET, 4096, 0 },
	{ OFFSET + 2 * CHUNK, 2 * CHUNK, CHUNK, OFFSET, 4096, 0 },
	{ OFFSET + 8192, 4096, 0, OFFSET, 4096, -EINVAL },
	{ OFFSET + 8192, 8193, 0, OFFSET, 4096, -EINVAL },
	{ OFFSET + 8192, 8192, 512, OFFSET, 4096, -EINVAL },
	{ OFFSET + 8192, 8192, CHUNK, OFFSET, 4096, -EINVAL },
	{ OFFSET + 8192, 8192, 0, 2 * OFFSET, 4096, -EINVAL },
	{ OFFSET + 8704, 8704, 0, OFFSET, 4096, -EINVAL },
	{ OFFSET, 0, 0, OFFSET, 4096, -EINVAL },
};

START_TEST(test_job_check)
{
	const struct check_row *row = &check_rows[_i];
	struct encrypt_job job = {
		.info = { .sector_size = row->sector,
			  .data_offset = row->offset },
		.journal = { .at = row->at,
			     .container = row->container,
			     .source.size = row->source },
	};

	ck_assert_int_eq(encrypt_job_check(&job, NULL), row->err);
}
END_TEST

START_TEST(test_header)
{
	/* Secret memory is a file too: room for that, not for a header. */
	const struct rlimit less = { 4 << 20, RLIM_INFINITY };
	struct luks_format what = {
		.kdf = { .type = "pbkdf2", .iterations = 1000 },
		.place = { .data_offset = LUKS_DATA_OFFSET },
	};
	int fd = new_file(LUKS_DATA_OFFSET + (1 << 20));
	struct volume_info info;
	struct why why = { "" };
	char *pass;

	ck_assert_int_eq(secmem_alloc(16, (void **)&pass), 0);
	memcpy(pass, "pw", 2);
	ck_assert_int_eq(luks_format_check(&what, LUKS_DATA_OFFSET + (1 << 20),
					   &why),
			 0);
	ck_assert_int_eq(encrypt_write_header(fd, fd, &what, pass, 2, &why), 0);
	ck_assert_int_eq(volume_probe(&VOLUME_REQUEST(fd), &info, &why), 0);
	ck_assert_uint_eq(info.data_size, 1 << 20);
	/* Errors come with their reason, and without one there is one. */
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &less), 0);
	ck_assert_int_lt(encrypt_write_header(fd, fd, &what, pass, 2, &why), 0);
	ck_assert_msg(strstr(why.text, "header cannot be written"), "%s",
		      why.text);
	signal(SIGXFSZ, SIG_DFL);
	why.text[0] = '\0';
	ck_assert_int_eq(encrypt_write_header(fd, fd, &what, pass, 2, &why),
			 -EIO);
	ck_assert_msg(strstr(why.text, "died"), "%s", why.text);
	secmem_free(pass, 16);
	close(fd);
}
END_TEST

#define LEN(rows) (int)(sizeof(rows) / sizeof((rows)[0]))

int main(void)
{
	Suite *s = suite_create("encrypt");
	TCase *tc = tcase_create("encrypt");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, test_sizes, 0, LEN(size_rows));
	tcase_add_test(tc, test_plain_iv_and_small_key);
	tcase_add_test(tc, test_goes_on);
	tcase_add_loop_test(tc, test_image_changes, 0, 3);
	tcase_add_test(tc, test_spoiled);
	tcase_add_test(tc, test_no_room);
	tcase_add_test(tc, test_bad_descriptors);
	tcase_add_loop_test(tc, test_job_check, 0, LEN(check_rows));
	tcase_add_test(tc, test_header);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
