/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The in-flight log of split rings: right wherever the process dies. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/log_rig.h"

#define NUM LOG_RIG_NUM

static struct log_rig rig;
static struct why why;

static void begin(void)
{
	log_rig_begin(&rig, 1ULL << VIRTIO_RING_F_EVENT_IDX);
}

static void end(void)
{
	log_rig_end(&rig);
}

static void start(void)
{
	log_rig_start(&rig);
}

static void replace_queue(void)
{
	log_rig_replace(&rig);
}

static void pop(unsigned want)
{
	log_rig_pop(&rig, want);
}

static void push(unsigned id)
{
	log_rig_push(&rig, id);
}

static uint64_t address(unsigned id, unsigned i)
{
	return DRIVER_DATA + id;
}

/* The driver makes the descriptor @head, all by itself, available. */
static void offer(unsigned head)
{
	driver_raw_desc(&rig.d, head, address(head, 0), 1, VRING_DESC_F_WRITE,
			0);
	driver_raw_avail(&rig.d, (uint16_t)head);
	driver_publish(&rig.d);
}

/* What the process does that may die anywhere. */
static void script_one_by_one(void)
{
	unsigned i;

	for (i = 0; i < 4; i++)
		offer(i);
	start();
	for (i = 0; i < 4; i++) {
		pop(i);
		push(i);
		virtq_publish(rig.vq);
	}
}

static void script_batches(void)
{
	unsigned i;

	for (i = 0; i < NUM; i++)
		offer(i);
	start();
	for (i = 0; i < 5; i++)
		pop(i);
	push(3);
	push(0);
	push(4);
	virtq_publish(rig.vq);
	pop(5);
	/* Heads are used again, in another order. */
	offer(4);
	offer(3);
	pop(6);
	pop(7);
	pop(4);
	push(7);
	push(1);
	push(4);
	virtq_publish(rig.vq);
	pop(3);
	offer(4);
	offer(0);
	pop(4);
	push(4);
	virtq_publish(rig.vq);
	push(2);
	push(6);
	push(3);
	push(5);
	virtq_publish(rig.vq);
	pop(0);
}

static void prepare_nothing(void)
{
}

/* A predecessor died between publishing a batch and clearing its marks. */
static void prepare_dead_in_batch(void)
{
	struct inflight_split *s = rig.log.mem;
	struct inflight_split before;
	uint8_t marks[NUM];
	unsigned i;

	for (i = 0; i < 6; i++)
		offer(i);
	start();
	for (i = 0; i < 5; i++)
		pop(i);
	before = *s;
	for (i = 0; i < NUM; i++)
		marks[i] = s->desc[i].inflight;
	push(1);
	push(3);
	virtq_publish(rig.vq);
	for (i = 0; i < NUM; i++)
		s->desc[i].inflight = marks[i];
	s->used_idx = before.used_idx;
	/* The queue that died is no more. */
	replace_queue();
}

/* Taking over, in which one may die as well. */
static void script_take_over(void)
{
	start();
	pop(0);
	pop(2);
	pop(4);
	push(4);
	virtq_publish(rig.vq);
	pop(5);
	push(0);
	push(5);
	virtq_publish(rig.vq);
}

/* A head of the dead one's batch is in flight again when the next answers. */
static void script_take_over_again(void)
{
	start();
	pop(0);
	pop(2);
	pop(4);
	offer(1);
	pop(5);
	pop(1);
	push(0);
	virtq_publish(rig.vq);
}

/* The driver resets; what was logged is void from then on. */
static void script_reset(void)
{
	start();
	pop(0);
	push(0);
	virtq_publish(rig.vq);
}

static void prepare_reset(void)
{
	offer(1);
	offer(2);
	start();
	pop(1);
	replace_queue();
	driver_reset(&rig.d);
	inflight_queue_reset(&rig.log);
	offer(0);
}

static const struct {
	void (*prepare)(void);
	void (*script)(void);
	unsigned min_states;
} lives[] = {
	{ prepare_nothing, script_one_by_one, 50 },
	{ prepare_nothing, script_batches, 120 },
	{ prepare_dead_in_batch, script_take_over, 20 },
	{ prepare_reset, script_reset, 8 },
	{ prepare_dead_in_batch, script_take_over_again, 10 },
};

static void follow(struct log_history *h, const uint8_t *pages)
{
	const struct vring_avail *avail =
		(const void *)(pages + P_DRIVER * LOG_RIG_PAGE);
	const struct vring_used *used =
		(const void *)(pages + P_DEVICE * LOG_RIG_PAGE);

	for (; h->offered != avail->idx; h->offered++) {
		unsigned id = avail->ring[h->offered % NUM];

		ck_assert(!h->waiting[id]);
		h->waiting[id] = true;
		h->count[id] = 1;
		h->last[id] = h->offered;
	}
	for (; h->used.idx != used->idx; h->used.idx++) {
		unsigned id = used->ring[h->used.idx % NUM].id;

		ck_assert_uint_lt(id, NUM);
		ck_assert(h->waiting[id]);
		h->waiting[id] = false;
	}
}

START_TEST(test_death)
{
	static const struct log_rig_ops ops = { follow, address };

	begin();
	lives[_i].prepare();
	ck_assert_uint_gt(log_rig_die(&rig, &ops, lives[_i].script),
			  lives[_i].min_states);
	end();
}
END_TEST

START_TEST(test_layout)
{
	struct inflight_split *s;

	ck_assert_uint_eq(offsetof(struct inflight_split, version), 8);
	ck_assert_uint_eq(offsetof(struct inflight_split, desc_num), 10);
	ck_assert_uint_eq(offsetof(struct inflight_split, last_batch_head), 12);
	ck_assert_uint_eq(offsetof(struct inflight_split, used_idx), 14);
	ck_assert_uint_eq(offsetof(struct inflight_split, desc), 16);
	ck_assert_uint_eq(offsetof(struct inflight_split_desc, next), 6);
	ck_assert_uint_eq(offsetof(struct inflight_split_desc, counter), 8);
	ck_assert_uint_eq(inflight_size(128) % 64, 0);
	ck_assert_uint_ge(inflight_size(128), 16 + 128 * 16);
	begin();
	offer(3);
	offer(5);
	start();
	s = rig.log.mem;
	ck_assert_uint_eq(s->version, 1);
	ck_assert_uint_eq(s->features, 0);
	ck_assert_uint_eq(s->desc_num, NUM);
	pop(3);
	pop(5);
	ck_assert_uint_eq(s->desc[3].inflight, 1);
	ck_assert_uint_eq(s->desc[5].inflight, 1);
	ck_assert_uint_lt(s->desc[3].counter, s->desc[5].counter);
	push(5);
	ck_assert_uint_eq(s->desc[5].inflight, 1);
	virtq_publish(rig.vq);
	ck_assert_uint_eq(s->desc[3].inflight, 1);
	ck_assert_uint_eq(s->desc[5].inflight, 0);
	ck_assert_uint_eq(s->last_batch_head, 5);
	ck_assert_uint_eq(s->used_idx, 1);
	end();
}
END_TEST

/* A start that goes on interrupts the driver, even with nothing to do. */
START_TEST(test_interrupt)
{
	begin();
	start();
	ck_assert_uint_eq(virtq_publish(rig.vq), 0);
	virtq_stop(rig.vq);
	start();
	ck_assert_uint_eq(virtq_publish(rig.vq), 1);
	ck_assert_uint_eq(virtq_publish(rig.vq), 0);
	end();
}
END_TEST

START_TEST(test_too_small)
{
	begin();
	rig.log.num = NUM / 2;
	ck_assert_int_eq(virtq_start(rig.vq, &rig.d.setup, &why), -EINVAL);
	ck_assert_str_ne(why.text, "");
	end();
}
END_TEST

/* Another ring, or other features: what is logged is not about them. */
static void other_features(void)
{
	rig.d.setup.features |= 1ULL << 63;
}

static void other_address(void)
{
	rig.d.setup.desc_addr = DRIVER_DATA;
}

static void other_size(void)
{
	rig.d.setup.num = NUM / 2;
}

START_TEST(test_binding)
{
	static void (*const change[])(void) = { other_features, other_address,
						other_size };

	begin();
	offer(0);
	start();
	pop(0);
	driver_reset(&rig.d);
	replace_queue();
	change[_i]();
	start();
	ck_assert_uint_eq(virtq_nr_replay(rig.vq), 0);
	ck_assert_uint_eq(virtq_state(rig.vq).avail_index, 0);
	end();
}
END_TEST

static struct inflight_split *split(void)
{
	return rig.log.mem;
}

static void bad_version(void)
{
	split()->version = 2;
}

static void bad_features(void)
{
	split()->features = 1;
}

static void bad_mark(void)
{
	split()->desc[2].inflight = 7;
}

static void bad_used(void)
{
	split()->used_idx -= NUM + 1;
}

static void bad_used_ahead(void)
{
	split()->used_idx += 2;
}

static void bad_batch_head(void)
{
	split()->used_idx--;
	split()->last_batch_head = 65535;
}

static void bad_batch_next(void)
{
	split()->used_idx -= 2;
	split()->desc[split()->last_batch_head].next = NUM;
}

static void bad_batch_loop(void)
{
	split()->used_idx -= 2;
	split()->desc[split()->last_batch_head].next = split()->last_batch_head;
}

static void bad_counter(void)
{
	split()->desc[2].counter = split()->desc[3].counter;
}

static void bad_too_many(void)
{
	unsigned i;

	for (i = 0; i < NUM; i++) {
		split()->desc[i].inflight = 1;
		split()->desc[i].counter = i;
	}
}

static void bad_noise(void)
{
	unsigned i;

	for (i = 0; i < NUM; i++)
		memset(&split()->desc[i], 0x80 + (int)i, 16);
}

static void (*const spoil[])(void) = {
	bad_version,	bad_features,	bad_mark,	bad_used,
	bad_used_ahead, bad_batch_head, bad_batch_next, bad_batch_loop,
	bad_counter,	bad_too_many,	bad_noise,
};

#define NR_SPOIL ((int)(sizeof(spoil) / sizeof(*spoil)))

/* Two answered, two in flight: without the log nobody knows which. */
static void half_way(void)
{
	unsigned i;

	begin();
	for (i = 0; i < 4; i++)
		offer(i);
	start();
	for (i = 0; i < 4; i++)
		pop(i);
	push(0);
	push(1);
	virtq_publish(rig.vq);
}

START_TEST(test_corrupt_log)
{
	half_way();
	spoil[_i]();
	replace_queue();
	why.text[0] = '\0';
	ck_assert_int_eq(virtq_start(rig.vq, &rig.d.setup, &why), -EUCLEAN);
	ck_assert_str_ne(why.text, "");
	/* A reset makes it good. */
	inflight_queue_reset(&rig.log);
	driver_reset(&rig.d);
	offer(6);
	start();
	pop(6);
	push(6);
	virtq_publish(rig.vq);
	end();
}
END_TEST

/* Nothing is in flight: no log is needed. */
START_TEST(test_corrupt_log_idle)
{
	half_way();
	push(2);
	push(3);
	virtq_publish(rig.vq);
	spoil[_i]();
	replace_queue();
	start();
	ck_assert_uint_eq(virtq_nr_replay(rig.vq), 0);
	ck_assert_uint_eq(virtq_state(rig.vq).avail_index, 4);
	offer(2);
	pop(2);
	end();
}
END_TEST

/* Nothing was answered yet: the ring has it all. */
START_TEST(test_corrupt_log_untouched)
{
	unsigned i;

	begin();
	for (i = 0; i < 4; i++)
		offer(i);
	start();
	for (i = 0; i < 4; i++)
		pop(i);
	split()->desc[2].inflight = 9;
	replace_queue();
	start();
	for (i = 0; i < 4; i++)
		pop(i);
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("inflight");
	TCase *tc = tcase_create("log");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_death, 0, sizeof(lives) / sizeof(*lives));
	tcase_add_test(tc, test_layout);
	tcase_add_test(tc, test_interrupt);
	tcase_add_test(tc, test_too_small);
	tcase_add_loop_test(tc, test_binding, 0, 3);
	tcase_add_loop_test(tc, test_corrupt_log, 0, NR_SPOIL);
	tcase_add_loop_test(tc, test_corrupt_log_idle, 0, NR_SPOIL);
	tcase_add_test(tc, test_corrupt_log_untouched);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
