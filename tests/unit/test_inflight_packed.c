/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The in-flight log of packed rings: right wherever the process dies. */
#include <check.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/log_rig.h"

#define NUM LOG_RIG_NUM
#define FEATURES \
	(1ULL << VIRTIO_RING_F_EVENT_IDX | 1ULL << VIRTIO_F_RING_PACKED)

/* What the driver has offered, for the parent to read. */
struct notes {
	unsigned nr;
	struct note {
		uint16_t id, count, at;
		bool wrap;
	} list[100];
};

static struct log_rig rig;
static struct why why;

static struct notes *notes(void)
{
	return (void *)(rig.pages + P_NOTES * LOG_RIG_PAGE);
}

static void begin(void)
{
	log_rig_begin(&rig, FEATURES);
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
	return DRIVER_DATA + id * 64 + i * 2;
}

/* The driver makes a chain of @count available, and calls it @id. */
static void offer(unsigned id, unsigned count)
{
	struct notes *n = notes();
	struct driver_seg s[NUM];
	unsigned i;

	for (i = 0; rig.d.free[i] != id; i++)
		if (i + 1 == rig.d.nr_free)
			abort();
	rig.d.free[i] = rig.d.free[rig.d.nr_free - 1];
	rig.d.free[rig.d.nr_free - 1] = (uint16_t)id;
	n->list[n->nr] = (struct note){ (uint16_t)id, (uint16_t)count,
					rig.d.packed.next.idx,
					rig.d.packed.next.wrap };
	n->nr++;
	for (i = 0; i < count; i++)
		s[i] = (struct driver_seg){ address(id, i), 1, true };
	driver_add(&rig.d, DRIVER_DIRECT, s, count);
	driver_publish(&rig.d);
}

static void publish(void)
{
	uint16_t id;

	virtq_publish(rig.vq);
	while (driver_collect(&rig.d, &id, NULL))
		;
}

/* What the process does that may die anywhere. */
static void script_one_by_one(void)
{
	unsigned i;

	for (i = 0; i < 4; i++)
		offer(i, 1);
	start();
	for (i = 0; i < 4; i++) {
		pop(i);
		push(i);
		publish();
	}
}

/* Chains of all lengths, out of order, over several laps. */
static void script_chains(void)
{
	unsigned i;

	offer(0, 2);
	offer(1, 3);
	offer(2, 1);
	start();
	pop(0);
	pop(1);
	push(1);
	publish();
	pop(2);
	push(2);
	push(0);
	publish();
	offer(3, 3);
	offer(1, 4);
	offer(2, 1);
	pop(3);
	pop(1);
	pop(2);
	push(2);
	push(1);
	publish();
	offer(0, 5);
	pop(0);
	push(0);
	push(3);
	publish();
	for (i = 0; i < 3; i++) {
		offer(4, NUM);
		pop(4);
		push(4);
		publish();
		offer(5, 1 + i);
		pop(5);
		push(5);
		publish();
	}
	offer(6, 7);
	pop(6);
	offer(7, 1);
}

static void prepare_nothing(void)
{
}

/* A predecessor died when it had published, and did not get to say so. */
static void prepare_dead_after_answer(void)
{
	struct inflight_packed *p = rig.log.mem, before;

	offer(0, 2);
	offer(1, 1);
	offer(2, 2);
	offer(3, 1);
	start();
	pop(0);
	pop(1);
	pop(2);
	before = *p;
	push(1);
	virtq_publish(rig.vq);
	p->desc[2].inflight = 1;
	p->old_free_head = before.free_head;
	p->old_used_idx = before.used_idx;
	p->old_used_wrap_counter = before.used_wrap_counter;
	replace_queue();
}

/* It died just before. */
static void prepare_dead_before_answer(void)
{
	struct vring_packed_desc first = rig.d.packed.desc[0];

	prepare_dead_after_answer();
	first.flags = 1 << VRING_PACKED_DESC_F_AVAIL;
	rig.d.packed.desc[0].flags = first.flags;
}

/* Taking over, in which one may die as well. */
static void script_take_over(void)
{
	struct virtq_chain c;

	start();
	while (virtq_nr_replay(rig.vq)) {
		if (virtq_pop(rig.vq, &c) != VIRTQ_REQUEST || !c.replayed)
			abort();
		if (c.id != 2)
			push(c.id);
		virtq_publish(rig.vq);
	}
	pop(3);
	push(3);
	push(2);
	virtq_publish(rig.vq);
}

/*
 * What an answer left behind that nobody got to say so is gone: the entry can
 * be any of a later chain.
 */
static void script_take_over_more(void)
{
	start();
	pop(0);
	push(0);
	publish();
	pop(2);
	pop(3);
	offer(4, 2);
	pop(4);
	push(4);
	publish();
}

/* The driver resets; what was logged is void from then on. */
static void script_reset(void)
{
	start();
	pop(0);
	push(0);
	publish();
}

static void prepare_reset(void)
{
	offer(1, 3);
	offer(2, 1);
	start();
	pop(1);
	replace_queue();
	driver_reset(&rig.d);
	memset(notes(), 0, sizeof(*notes()));
	inflight_queue_reset(&rig.log);
	offer(0, 2);
}

static const struct {
	void (*prepare)(void);
	void (*script)(void);
	unsigned min_states;
} lives[] = {
	{ prepare_nothing, script_one_by_one, 90 },
	{ prepare_nothing, script_chains, 500 },
	{ prepare_dead_after_answer, script_take_over, 30 },
	{ prepare_dead_before_answer, script_take_over, 30 },
	{ prepare_reset, script_reset, 30 },
	{ prepare_dead_after_answer, script_take_over_more, 30 },
};

/* Whether the descriptor is used (or else available) in the lap of @wrap. */
static bool is(const struct vring_packed_desc *desc, bool wrap, bool used)
{
	return (desc->flags >> VRING_PACKED_DESC_F_AVAIL & 1) == wrap &&
	       (desc->flags >> VRING_PACKED_DESC_F_USED & 1) == (wrap == used);
}

static void follow(struct log_history *h, const uint8_t *pages)
{
	const struct vring_packed_desc *desc = (const void *)pages;
	const struct notes *n = notes();

	for (; h->offered < n->nr; h->offered++) {
		const struct note *note = &n->list[h->offered];

		/* The note comes first. */
		if (!is(&desc[note->at], note->wrap, false) &&
		    !is(&desc[note->at], note->wrap, true))
			break;
		ck_assert(!h->waiting[note->id]);
		h->waiting[note->id] = true;
		h->count[note->id] = note->count;
		h->last[note->id] = h->offered;
	}
	while (is(&desc[h->used.idx], h->used.wrap, true)) {
		unsigned id = desc[h->used.idx].id;

		ck_assert_uint_lt(id, NUM);
		ck_assert(h->waiting[id]);
		h->waiting[id] = false;
		h->used.idx = (uint16_t)(h->used.idx + h->count[id]);
		if (h->used.idx >= NUM) {
			h->used.idx = (uint16_t)(h->used.idx - NUM);
			h->used.wrap = !h->used.wrap;
		}
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
	struct inflight_packed *p;

	ck_assert_uint_eq(offsetof(struct inflight_packed, version), 8);
	ck_assert_uint_eq(offsetof(struct inflight_packed, desc_num), 10);
	ck_assert_uint_eq(offsetof(struct inflight_packed, free_head), 12);
	ck_assert_uint_eq(offsetof(struct inflight_packed, old_free_head), 14);
	ck_assert_uint_eq(offsetof(struct inflight_packed, used_idx), 16);
	ck_assert_uint_eq(offsetof(struct inflight_packed, old_used_idx), 18);
	ck_assert_uint_eq(offsetof(struct inflight_packed, used_wrap_counter),
			  20);
	ck_assert_uint_eq(
		offsetof(struct inflight_packed, old_used_wrap_counter), 21);
	ck_assert_uint_eq(offsetof(struct inflight_packed, desc), 32);
	ck_assert_uint_eq(offsetof(struct inflight_packed_desc, next), 2);
	ck_assert_uint_eq(offsetof(struct inflight_packed_desc, last), 4);
	ck_assert_uint_eq(offsetof(struct inflight_packed_desc, num), 6);
	ck_assert_uint_eq(offsetof(struct inflight_packed_desc, counter), 8);
	ck_assert_uint_eq(offsetof(struct inflight_packed_desc, id), 16);
	ck_assert_uint_eq(offsetof(struct inflight_packed_desc, flags), 18);
	ck_assert_uint_eq(offsetof(struct inflight_packed_desc, len), 20);
	ck_assert_uint_eq(offsetof(struct inflight_packed_desc, addr), 24);
	ck_assert_uint_ge(inflight_size(128), 32 + 128 * 32);
	begin();
	offer(3, 2);
	offer(5, 1);
	start();
	p = rig.log.mem;
	ck_assert_uint_eq(p->version, 1);
	ck_assert_uint_eq(p->desc_num, NUM);
	pop(3);
	pop(5);
	ck_assert_uint_eq(p->desc[0].inflight, 1);
	ck_assert_uint_eq(p->desc[0].num, 2);
	ck_assert_uint_eq(p->desc[0].last, 1);
	ck_assert_uint_eq(p->desc[1].id, 3);
	ck_assert_uint_eq(p->desc[1].addr, address(3, 1));
	ck_assert_uint_eq(p->desc[2].inflight, 1);
	ck_assert_uint_eq(p->old_free_head, 3);
	push(5);
	publish();
	ck_assert_uint_eq(p->desc[2].inflight, 0);
	ck_assert_uint_eq(p->old_free_head, 2);
	ck_assert_uint_eq(p->old_used_idx, 1);
	ck_assert_uint_eq(p->old_used_wrap_counter, 1);
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

static struct inflight_packed *packed(void)
{
	return rig.log.mem;
}

static void bad_version(void)
{
	packed()->version = 2;
}

static void bad_features(void)
{
	packed()->features = 1;
}

static void bad_mark(void)
{
	packed()->desc[3].inflight = 7;
}

static void bad_used(void)
{
	packed()->used_idx = packed()->old_used_idx = NUM;
}

static void bad_old_used(void)
{
	packed()->old_used_idx = 65535;
}

static void bad_wrap(void)
{
	packed()->old_used_wrap_counter = 2;
}

static void bad_free_head(void)
{
	packed()->old_free_head = NUM + 1;
}

static void bad_free_loop(void)
{
	packed()->desc[packed()->old_free_head].next = packed()->old_free_head;
}

static void bad_free_short(void)
{
	packed()->desc[packed()->old_free_head].next = NUM;
}

static void bad_num(void)
{
	packed()->desc[3].num = 0;
}

static void bad_num_long(void)
{
	packed()->desc[3].num = NUM + 1;
}

static void bad_last(void)
{
	packed()->desc[3].last = 3;
}

static void bad_next(void)
{
	packed()->desc[3].next = 65535;
}

static void bad_into_another(void)
{
	packed()->desc[3].next = 5;
}

static void bad_id(void)
{
	packed()->desc[4].id = NUM;
}

static void bad_id_twice(void)
{
	packed()->desc[4].id = packed()->desc[5].id;
}

static void bad_counter(void)
{
	packed()->desc[3].counter = packed()->desc[5].counter;
}

static void bad_lost(void)
{
	packed()->desc[5].inflight = 0;
}

static void bad_noise(void)
{
	unsigned i;

	for (i = 0; i < NUM; i++)
		memset(&packed()->desc[i], 0x80 + (int)i, 32);
}

static void (*const spoil[])(void) = {
	bad_version,	bad_features,	  bad_mark,	 bad_used,
	bad_old_used,	bad_wrap,	  bad_free_head, bad_free_loop,
	bad_free_short, bad_num,	  bad_num_long,	 bad_last,
	bad_next,	bad_into_another, bad_id,	 bad_id_twice,
	bad_counter,	bad_lost,	  bad_noise,
};

#define NR_SPOIL ((int)(sizeof(spoil) / sizeof(*spoil)))

START_TEST(test_corrupt_log)
{
	begin();
	offer(0, 3);
	offer(1, 2);
	offer(2, 1);
	start();
	pop(0);
	pop(1);
	pop(2);
	push(0);
	publish();
	spoil[_i]();
	replace_queue();
	why.text[0] = '\0';
	ck_assert_int_eq(virtq_start(rig.vq, &rig.d.setup, &why), -EUCLEAN);
	ck_assert_str_ne(why.text, "");
	/* A reset makes it good. */
	inflight_queue_reset(&rig.log);
	driver_reset(&rig.d);
	offer(6, 4);
	start();
	pop(6);
	push(6);
	publish();
	end();
}
END_TEST

/* Who changes the log while it is in use breaks the ring, and no more. */
START_TEST(test_changed_log)
{
	struct virtq_chain c;
	unsigned i;

	begin();
	offer(0, 3);
	offer(1, 2);
	start();
	pop(0);
	pop(1);
	replace_queue();
	start();
	for (i = 0; i < NUM; i++)
		memset(&packed()->desc[i], _i ? 0xff : 0, 32);
	ck_assert_uint_eq(virtq_nr_replay(rig.vq), 2);
	ck_assert_int_eq(virtq_pop(rig.vq, &c), VIRTQ_BROKEN);
	replace_queue();
	driver_reset(&rig.d);
	inflight_queue_reset(&rig.log);
	offer(0, 3);
	offer(1, 2);
	start();
	for (i = 0; i < NUM; i++)
		memset(&packed()->desc[i], _i ? 0xff : 0, 32);
	pop(0);
	pop(1);
	push(1);
	push(0);
	publish();
	end();
}
END_TEST

/* Chains that grow between the check and the replay. */
START_TEST(test_grown_log)
{
	struct virtq_chain c;
	unsigned i;

	begin();
	offer(0, 1);
	offer(1, 1);
	start();
	pop(0);
	pop(1);
	replace_queue();
	start();
	for (i = 0; i < NUM; i++) {
		packed()->desc[i].num = NUM;
		packed()->desc[i].next = (uint16_t)((i + 1) % NUM);
		packed()->desc[i].id = (uint16_t)((i + 1) % NUM);
		packed()->desc[i].addr = DRIVER_DATA;
		packed()->desc[i].len = 1;
	}
	while (virtq_pop(rig.vq, &c) == VIRTQ_REQUEST)
		virtq_push(rig.vq, c.id, 0);
	virtq_publish(rig.vq);
	for (i = 0; i < NUM; i++)
		rig.d.packed.desc[i].flags = 1 << VRING_PACKED_DESC_F_AVAIL |
					     VRING_DESC_F_NEXT;
	ck_assert_int_eq(virtq_pop(rig.vq, &c), VIRTQ_BROKEN);
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("inflight_packed");
	TCase *tc = tcase_create("log");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_death, 0, sizeof(lives) / sizeof(*lives));
	tcase_add_test(tc, test_layout);
	tcase_add_test(tc, test_interrupt);
	tcase_add_test(tc, test_too_small);
	tcase_add_loop_test(tc, test_corrupt_log, 0, NR_SPOIL);
	tcase_add_loop_test(tc, test_changed_log, 0, 2);
	tcase_add_test(tc, test_grown_log);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
