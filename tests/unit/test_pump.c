/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Copying and comparing block devices: all bytes, the tail, holes, what is
 * said to be done and durable, and every way to fail.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/blk.h"
#include "backend/holes.h"
#include "backend/mem.h"
#include "backend/pump.h"
#include "lib/why.h"
#include "tests/unit/blk_help.h"
#include "tests/unit/fault_blk.h"

#define MIB	 (1U << 20)
#define INTERVAL (8U * MIB)

static const uint8_t tail[] = "the last bytes";

/* Two memory devices below fault devices, and what the pump has told. */
struct pump_rig {
	struct blk_dev *from_mem, *to_mem;
	struct fault_blk *from, *to;
	struct pump pump;
	struct why why;
	uint64_t from_len;
	uint64_t progress, noted; /* the latest */
	unsigned notes, flushes;
	uint64_t stop_at;   /* of progress; 0: never */
	unsigned fail_note; /* the Nth checkpoint fails; 0: none */
	uint64_t hole_at;   /* the holes end here */
};

static void assert_equal(const struct pump_rig *r, uint64_t len)
{
	ck_assert(!memcmp(mem_blk_data(r->from_mem), mem_blk_data(r->to_mem),
			  len));
}

static int on_checkpoint(void *arg, uint64_t at, struct why *why)
{
	struct pump_rig *r = arg;

	ck_assert_uint_ge(at, r->noted);
	/* What is noted has arrived below, and a flush came after it. */
	if (r->pump.job == PUMP_COPY) {
		ck_assert_uint_gt(r->to->count[BLK_FLUSH], r->flushes);
		r->flushes = r->to->count[BLK_FLUSH];
	}
	assert_equal(r, at < r->from_len ? at : r->from_len);
	if (++r->notes == r->fail_note)
		return why_set(why, -ENOSPC, "no note");
	r->noted = at;
	return 0;
}

static int on_progress(void *arg, uint64_t at)
{
	struct pump_rig *r = arg;

	ck_assert_uint_ge(at, r->progress);
	r->progress = at;
	return r->stop_at && at >= r->stop_at ? -EINTR : 0;
}

static bool on_is_zero(void *arg, uint64_t at, uint64_t len)
{
	struct pump_rig *r = arg;

	return at + len <= r->hole_at;
}

static void open_devices(struct pump_rig *r, uint64_t from, uint64_t to,
			 bool deferred)
{
	const struct mem_blk_options opt = { .deferred = deferred };

	memset(r, 0, sizeof(*r));
	r->from_len = from;
	ck_assert_int_eq(mem_blk_new(from / 512, &opt, &r->from_mem), 0);
	ck_assert_int_eq(mem_blk_new(to / 512, &opt, &r->to_mem), 0);
	ck_assert_int_eq(fault_blk_new(r->from_mem, &r->from), 0);
	ck_assert_int_eq(fault_blk_new(r->to_mem, &r->to), 0);
	fill_bytes(mem_blk_data(r->from_mem), from, 1);
	r->pump = (struct pump){
		.job = PUMP_COPY,
		.from = &r->from->base,
		.to = &r->to->base,
		.from_name = "plain",
		.to_name = "box",
		.interval = INTERVAL,
		.checkpoint = on_checkpoint,
		.progress = on_progress,
		.arg = r,
	};
}

static void close_devices(struct pump_rig *r)
{
	blk_close(&r->from->base);
	blk_close(&r->to->base);
}

static int run(struct pump_rig *r, uint64_t *at)
{
	r->why.text[0] = '\0';
	return pump_run(&r->pump, at, &r->why);
}

/* --- what is copied ---------------------------------------------------- */

static const struct size_row {
	uint64_t from, to;
	size_t tail_len;
} size_rows[] = {
	{ 512, 512, 0 },
	{ 512, 1024, sizeof(tail) },
	{ PUMP_CHUNK, PUMP_CHUNK, 0 },
	{ PUMP_CHUNK, PUMP_CHUNK + 512, sizeof(tail) },
	{ PUMP_CHUNK + 512, PUMP_CHUNK + 4096, sizeof(tail) },
	{ 5 * MIB, 5 * MIB, 0 },
	{ 5 * MIB + 512, 5 * MIB + 1024, 1 },
	{ 20 * MIB + 1024, 20 * MIB + 4096, sizeof(tail) },
};

/* Requests end at once, at the end of the turn, and in any order. */
START_TEST(test_copies)
{
	const struct size_row *row = &size_rows[_i / 3];
	static uint8_t zeroes[8192];
	struct pump_rig r;
	uint64_t at = 0;
	const uint8_t *end;

	open_devices(&r, row->from, row->to, _i % 3 == 1);
	memset(mem_blk_data(r.to_mem), 0xee, row->to);
	r.from->reorder = r.to->reorder = _i % 3 == 2;
	r.pump.tail = tail;
	r.pump.tail_len = row->tail_len;
	ck_assert_msg(!run(&r, &at), "%s", r.why.text);
	ck_assert_uint_eq(at, row->to);
	ck_assert_uint_eq(r.noted, row->to);
	ck_assert_uint_eq(r.progress, row->to);
	assert_equal(&r, row->from);
	end = mem_blk_data(r.to_mem) + row->from;
	ck_assert(!memcmp(end, tail, row->tail_len));
	ck_assert(!memcmp(end + row->tail_len, zeroes,
			  row->to - row->from - row->tail_len));
	if (row->from > INTERVAL && _i % 3) {
		ck_assert_uint_ge(r.from->max_in_flight, 4);
		ck_assert_uint_ge(r.notes, 2);
	}

	r.pump.job = PUMP_COMPARE;
	r.progress = r.noted = at = 0;
	ck_assert_msg(!run(&r, &at), "%s", r.why.text);
	ck_assert_uint_eq(at, row->to);
	ck_assert_uint_eq(r.noted, row->to);
	close_devices(&r);
}
END_TEST

START_TEST(test_goes_on_where_it_was)
{
	static uint8_t zeroes[4 * MIB];
	uint64_t at = 4 * MIB;
	struct pump_rig r;

	open_devices(&r, 9 * MIB, 9 * MIB, true);
	r.pump.checkpoint = NULL;
	ck_assert_int_eq(run(&r, &at), 0);
	ck_assert(!memcmp(mem_blk_data(r.to_mem), zeroes, 4 * MIB));
	ck_assert(!memcmp(mem_blk_data(r.from_mem) + 4 * MIB,
			  mem_blk_data(r.to_mem) + 4 * MIB, 5 * MIB));
	close_devices(&r);
}
END_TEST

/* A hole is not read, and overwrites what was there. */
START_TEST(test_holes)
{
	struct pump_rig r;
	uint64_t at = 0;

	open_devices(&r, 4 * MIB, 4 * MIB, true);
	memset(mem_blk_data(r.from_mem), 0, 3 * MIB);
	memset(mem_blk_data(r.to_mem), 0xee, 4 * MIB);
	r.hole_at = 3 * MIB;
	r.pump.is_zero = on_is_zero;
	ck_assert_int_eq(run(&r, &at), 0);
	assert_equal(&r, 4 * MIB);
	ck_assert_uint_eq(r.from->count[BLK_READ], MIB / PUMP_CHUNK);
	ck_assert_uint_eq(r.to->count[BLK_WRITE_ZEROES], 3 * MIB / PUMP_CHUNK);
	/* To compare is to read: the holes may have been a mistake. */
	r.pump.job = PUMP_COMPARE;
	r.progress = r.noted = at = 0;
	mem_blk_data(r.from_mem)[MIB] = 1;
	ck_assert_int_eq(run(&r, &at), -EBADMSG);
	close_devices(&r);
}
END_TEST

/* --- failures ---------------------------------------------------------- */

START_TEST(test_differs)
{
	const uint64_t where[] = { 0,		511,	     PUMP_CHUNK,
				   3 * MIB + 7, 4 * MIB - 1, 4 * MIB + 511 };
	struct pump_rig r;
	char text[64];
	uint64_t at = 0;

	open_devices(&r, 4 * MIB, 4 * MIB + 512, _i % 2);
	r.pump.tail = tail;
	r.pump.tail_len = sizeof(tail);
	ck_assert_int_eq(run(&r, &at), 0);
	mem_blk_data(r.to_mem)[where[_i / 2]] ^= 1;
	r.pump.job = PUMP_COMPARE;
	r.progress = r.noted = at = 0;
	r.pump.checkpoint = NULL;
	ck_assert_int_eq(run(&r, &at), -EBADMSG);
	snprintf(text, sizeof(text), "box: differs from plain at byte %llu",
		 (unsigned long long)where[_i / 2]);
	ck_assert_str_eq(r.why.text, text);
	ck_assert_uint_eq(at, where[_i / 2] / PUMP_CHUNK * PUMP_CHUNK);
	close_devices(&r);
}
END_TEST

static const struct fault_row {
	bool below; /* in what is written */
	enum pump_job job;
	enum blk_op op;
	unsigned nth;
	int err;
	const char *text;
} fault_rows[] = {
	{ false, PUMP_COPY, BLK_READ, 1, -EIO, "plain: cannot be read at " },
	{ false, PUMP_COPY, BLK_READ, 30, -EIO, "plain: cannot be read at " },
	{ true, PUMP_COPY, BLK_WRITE, 1, -ENOSPC, "box: cannot be written " },
	{ true, PUMP_COPY, BLK_WRITE, 30, -ENOSPC,
	  "box: cannot be written at " },
	{ true, PUMP_COPY, BLK_FLUSH, 1, -EIO,
	  "box: cannot be made durable: " },
	{ true, PUMP_COPY, BLK_FLUSH, 2, -EDQUOT,
	  "box: cannot be made durable: " },
	{ false, PUMP_COMPARE, BLK_READ, 30, -EIO, "plain: cannot be read" },
	{ true, PUMP_COMPARE, BLK_READ, 30, -EIO, "box: cannot be read" },
};

/* A fault ends it, and without the fault it goes on to the end. */
START_TEST(test_faults)
{
	const struct fault_row *row = &fault_rows[_i / 2];
	struct fault_blk *f;
	struct pump_rig r;
	uint64_t at = 0;

	open_devices(&r, 20 * MIB, 20 * MIB, true);
	r.from->reorder = r.to->reorder = _i % 2;
	if (row->job == PUMP_COMPARE)
		memcpy(mem_blk_data(r.to_mem), mem_blk_data(r.from_mem),
		       20 * MIB);
	f = row->below ? r.to : r.from;
	f->op = row->op;
	f->nth = row->nth;
	f->err = row->err;
	r.pump.job = row->job;
	ck_assert_int_eq(run(&r, &at), row->err);
	ck_assert_msg(strstr(r.why.text, row->text) == r.why.text, "%s",
		      r.why.text);
	ck_assert_uint_le(at, row->op == BLK_FLUSH
				      ? 20 * MIB
				      : row->nth * (uint64_t)PUMP_CHUNK);
	/* All that is done is noted, unless that is what fails. */
	if (row->op == BLK_FLUSH) {
		ck_assert_uint_ge(r.noted, (row->nth - 1) * INTERVAL);
		ck_assert_uint_lt(r.noted, 20 * MIB);
	} else {
		ck_assert_uint_eq(r.noted, at);
	}
	f->nth = 0;
	at = r.progress = r.noted;
	ck_assert_msg(!run(&r, &at), "%s", r.why.text);
	assert_equal(&r, 20 * MIB);
	close_devices(&r);
}
END_TEST

START_TEST(test_checkpoint_fails)
{
	struct pump_rig r;
	uint64_t at = 0;

	open_devices(&r, 20 * MIB, 20 * MIB, true);
	r.fail_note = 2;
	r.pump.job = _i ? PUMP_COMPARE : PUMP_COPY;
	if (_i)
		memcpy(mem_blk_data(r.to_mem), mem_blk_data(r.from_mem),
		       20 * MIB);
	ck_assert_int_eq(run(&r, &at), -ENOSPC);
	ck_assert_str_eq(r.why.text, "no note");
	ck_assert_uint_ge(r.noted, INTERVAL);
	close_devices(&r);
}
END_TEST

/* What is done when somebody stops it is noted. */
START_TEST(test_stops)
{
	struct pump_rig r;
	uint64_t at = 0;

	open_devices(&r, 20 * MIB, 20 * MIB, true);
	r.stop_at = 10 * MIB;
	r.pump.job = _i ? PUMP_COMPARE : PUMP_COPY;
	if (_i)
		memcpy(mem_blk_data(r.to_mem), mem_blk_data(r.from_mem),
		       20 * MIB);
	ck_assert_int_eq(run(&r, &at), -EINTR);
	ck_assert_uint_ge(at, 10 * MIB);
	ck_assert_uint_lt(at, 20 * MIB);
	ck_assert_uint_eq(r.noted, at);
	r.stop_at = 0;
	ck_assert_int_eq(run(&r, &at), 0);
	assert_equal(&r, 20 * MIB);
	close_devices(&r);
}
END_TEST

START_TEST(test_no_queue)
{
	struct pump_rig r;
	uint64_t at = 0;
	int fds[1024];
	unsigned n = 0;

	open_devices(&r, MIB, MIB, false);
	/* No descriptor is left for a ring. */
	while (n < 1024 && (fds[n] = dup(0)) >= 0)
		n++;
	if (n < 1024)
		ck_assert_int_eq(run(&r, &at), -EMFILE);
	while (n)
		close(fds[--n]);
	ck_assert_int_eq(run(&r, &at), 0);
	close_devices(&r);
}
END_TEST

/* --- holes of a file --------------------------------------------------- */

START_TEST(test_file_holes)
{
	char path[] = "/tmp/vcrypt-holes-XXXXXX";
	struct file_holes holes = { .fd = mkstemp(path) };

	ck_assert_int_ge(holes.fd, 0);
	unlink(path);
	ck_assert_int_eq(ftruncate(holes.fd, 64 * MIB), 0);
	ck_assert_int_eq(pwrite(holes.fd, "x", 1, 32 * MIB), 1);
	ck_assert(file_is_hole(&holes, 0, MIB));
	ck_assert(file_is_hole(&holes, MIB, 8 * MIB));
	ck_assert(!file_is_hole(&holes, 31 * MIB, 2 * MIB));
	ck_assert(!file_is_hole(&holes, 32 * MIB, 512));
	ck_assert(file_is_hole(&holes, 48 * MIB, 16 * MIB));
	ck_assert(file_is_hole(&holes, 8 * MIB, MIB));
	close(holes.fd);
	/* What does not tell has none. */
	holes = (struct file_holes){ .fd = -1 };
	ck_assert(!file_is_hole(&holes, 0, 512));
}
END_TEST

#define LEN(rows) (int)(sizeof(rows) / sizeof((rows)[0]))

int main(void)
{
	Suite *s = suite_create("pump");
	TCase *tc = tcase_create("pump");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, test_copies, 0, 3 * LEN(size_rows));
	tcase_add_test(tc, test_goes_on_where_it_was);
	tcase_add_test(tc, test_holes);
	tcase_add_loop_test(tc, test_differs, 0, 12);
	tcase_add_loop_test(tc, test_faults, 0, 2 * LEN(fault_rows));
	tcase_add_loop_test(tc, test_checkpoint_fails, 0, 2);
	tcase_add_loop_test(tc, test_stops, 0, 2);
	tcase_add_test(tc, test_no_queue);
	tcase_add_test(tc, test_file_holes);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
