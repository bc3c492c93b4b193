/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The in-flight log.  A process that works on a ring is run instruction by
 * instruction; whenever shared memory has changed, its death is played: a
 * second queue takes over a copy of the memory, and must give out exactly
 * what the driver still waits for, in the order of fetching.
 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/guard.h"
#include "lib/why.h"
#include "tests/unit/driver_split.h"
#include "virtio/inflight.h"
#include "virtio/virtq.h"

#define NUM   8
#define EVENT (1ULL << VIRTIO_RING_F_EVENT_IDX)
#define PAGE  4096

/* One page each, in one shared mapping. */
enum page {
	P_DESC,
	P_AVAIL,
	P_USED,
	P_LOG,
	NR_PAGES
};

static struct driver d;
static struct virtq *vq;
static struct inflight_queue log_;
static struct why why;
static uint8_t *shared, *copy;

static void use_pages(struct driver *drv, uint8_t *base)
{
	static const uint64_t iova[] = { DRIVER_DESC, DRIVER_AVAIL,
					 DRIVER_USED };
	int i;

	for (i = 0; i < 3; i++) {
		driver_mem_unmap(&drv->mem, iova[i]);
		driver_mem_map(&drv->mem, iova[i], PAGE, base + i * PAGE);
	}
	drv->desc = (void *)(base + P_DESC * PAGE);
	drv->avail = (void *)(base + P_AVAIL * PAGE);
	drv->used = (void *)(base + P_USED * PAGE);
	driver_reset(drv);
}

static void begin(void)
{
	ck_assert_int_eq(guard_install(), 0);
	shared = mmap(NULL, NR_PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	copy = mmap(NULL, NR_PAGES * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert(shared != MAP_FAILED && copy != MAP_FAILED);
	ck_assert_uint_le(inflight_size(NUM), PAGE);
	driver_init(&d, NUM, EVENT);
	use_pages(&d, shared);
	inflight_queue_init(&log_, shared + P_LOG * PAGE, NUM);
	d.setup.inflight = &log_;
	ck_assert_int_eq(virtq_new(NUM, 4, &vq), 0);
}

static void end(void)
{
	virtq_free(vq);
	driver_free(&d);
	munmap(shared, NR_PAGES * PAGE);
	munmap(copy, NR_PAGES * PAGE);
}

static void start(void)
{
	int err = virtq_start(vq, &d.setup, &why);

	ck_assert_msg(!err, "%s", why.text);
}

/* The driver makes the descriptor @head, all by itself, available. */
static void offer(unsigned head)
{
	driver_raw_desc(&d, head, DRIVER_DATA + head, 1, VRING_DESC_F_WRITE, 0);
	driver_raw_avail(&d, (uint16_t)head);
	driver_publish(&d);
}

static void pop(unsigned want)
{
	struct virtq_chain c;

	if (virtq_pop(vq, &c) != VIRTQ_REQUEST || c.id != want)
		abort();
}

static void push(unsigned id)
{
	virtq_push(vq, (uint16_t)id, 1);
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
		virtq_publish(vq);
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
	virtq_publish(vq);
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
	virtq_publish(vq);
	pop(3);
	offer(4);
	offer(0);
	pop(4);
	push(4);
	virtq_publish(vq);
	push(2);
	push(6);
	push(3);
	push(5);
	virtq_publish(vq);
	pop(0);
}

static void prepare_nothing(void)
{
}

/* A predecessor died between publishing a batch and clearing its marks. */
static void prepare_dead_in_batch(void)
{
	struct inflight_split *s = log_.mem;
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
	virtq_publish(vq);
	for (i = 0; i < NUM; i++)
		s->desc[i].inflight = marks[i];
	s->used_idx = before.used_idx;
	/* The queue that died is no more. */
	virtq_free(vq);
	ck_assert_int_eq(virtq_new(NUM, 4, &vq), 0);
}

/* Taking over, in which one may die as well. */
static void script_take_over(void)
{
	start();
	pop(0);
	pop(2);
	pop(4);
	push(4);
	virtq_publish(vq);
	pop(5);
	push(0);
	push(5);
	virtq_publish(vq);
}

/* The driver resets; what was logged is void from then on. */
static void script_reset(void)
{
	start();
	pop(0);
	push(0);
	virtq_publish(vq);
}

static void prepare_reset(void)
{
	offer(1);
	offer(2);
	start();
	pop(1);
	virtq_free(vq);
	ck_assert_int_eq(virtq_new(NUM, 4, &vq), 0);
	driver_reset(&d);
	inflight_queue_reset(&log_);
	offer(0);
}

static const struct {
	void (*prepare)(void);
	void (*script)(void);
	unsigned min_states;
} lives[] = {
	{ prepare_nothing, script_one_by_one, 20 },
	{ prepare_nothing, script_batches, 60 },
	{ prepare_dead_in_batch, script_take_over, 10 },
	{ prepare_reset, script_reset, 5 },
};

/* What the driver sees, gathered while the process lives. */
struct history {
	uint16_t avail_idx, used_idx;
	uint16_t last[NUM]; /* for each head: when it was offered last */
	bool waiting[NUM];
};

static void follow(struct history *h)
{
	for (; h->avail_idx != d.avail->idx; h->avail_idx++) {
		unsigned id = d.avail->ring[h->avail_idx % NUM];

		ck_assert(!h->waiting[id]);
		h->waiting[id] = true;
		h->last[id] = h->avail_idx;
	}
	for (; h->used_idx != d.used->idx; h->used_idx++) {
		unsigned id = d.used->ring[h->used_idx % NUM].id;

		ck_assert(h->waiting[id]);
		h->waiting[id] = false;
	}
}

/* A successor takes over a copy of shared memory, and answers all. */
static void take_over(const struct history *h)
{
	bool waiting[NUM];
	struct inflight_queue log;
	struct virtq_chain c;
	struct virtq *heir;
	struct driver e;
	unsigned i, k, round;
	int last;

	for (round = 0; round < 2; round++) {
		driver_init(&e, NUM, EVENT);
		use_pages(&e, copy);
		memcpy(copy, shared, NR_PAGES * PAGE);
		inflight_queue_init(&log, copy + P_LOG * PAGE, NUM);
		e.setup.inflight = &log;
		/* Second round: the heir dies at once, and has an heir. */
		for (k = 0; k <= round; k++) {
			if (k) {
				virtq_pop(heir, &c);
				virtq_free(heir);
			}
			ck_assert_int_eq(virtq_new(NUM, 4, &heir), 0);
			ck_assert_msg(!virtq_start(heir, &e.setup, &why), "%s",
				      why.text);
		}
		memcpy(waiting, h->waiting, sizeof(waiting));
		for (last = -1; virtq_pop(heir, &c) == VIRTQ_REQUEST;) {
			ck_assert(waiting[c.id]);
			waiting[c.id] = false;
			ck_assert_int_gt(h->last[c.id], last);
			last = h->last[c.id];
			virtq_push(heir, c.id, 1);
		}
		ck_assert_ptr_null(virtq_broken(heir));
		for (i = 0; i < NUM; i++)
			ck_assert(!waiting[i]);
		virtq_publish(heir);
		ck_assert_uint_eq(e.used->idx, e.avail->idx);
		virtq_stop(heir);
		virtq_free(heir);
		driver_free(&e);
	}
}

static void live(void (*script)(void))
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(2);
	raise(SIGSTOP);
	script();
	_exit(0);
}

START_TEST(test_death)
{
	static uint8_t before[NR_PAGES * PAGE];
	struct history h = { 0 };
	unsigned states = 0;
	int status;
	pid_t pid;

	begin();
	lives[_i].prepare();
	memcpy(before, shared, sizeof(before));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid)
		live(lives[_i].script);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSTOPPED(status));
	follow(&h);
	take_over(&h);
	for (;;) {
		ck_assert(!ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL));
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		if (!WIFSTOPPED(status))
			break;
		ck_assert_int_eq(WSTOPSIG(status), SIGTRAP);
		if (!memcmp(before, shared, sizeof(before)))
			continue;
		memcpy(before, shared, sizeof(before));
		follow(&h);
		take_over(&h);
		states++;
	}
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_uint_ge(states, lives[_i].min_states);
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
	s = log_.mem;
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
	virtq_publish(vq);
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
	ck_assert_uint_eq(virtq_publish(vq), 0);
	virtq_stop(vq);
	start();
	ck_assert_uint_eq(virtq_publish(vq), 1);
	ck_assert_uint_eq(virtq_publish(vq), 0);
	end();
}
END_TEST

START_TEST(test_too_small)
{
	begin();
	log_.num = NUM / 2;
	ck_assert_int_eq(virtq_start(vq, &d.setup, &why), -EINVAL);
	ck_assert_str_ne(why.text, "");
	end();
}
END_TEST

/* Another ring, or other features: what is logged is not about them. */
static void other_features(void)
{
	d.setup.features |= 1ULL << 63;
}

static void other_address(void)
{
	d.setup.desc_addr = DRIVER_DATA;
}

static void other_size(void)
{
	d.setup.num = NUM / 2;
}

START_TEST(test_binding)
{
	static void (*const change[])(void) = { other_features, other_address,
						other_size };

	begin();
	offer(0);
	start();
	pop(0);
	driver_reset(&d);
	virtq_free(vq);
	ck_assert_int_eq(virtq_new(NUM, 4, &vq), 0);
	change[_i]();
	start();
	ck_assert_uint_eq(virtq_nr_replay(vq), 0);
	ck_assert_uint_eq(virtq_state(vq).avail_index, 0);
	end();
}
END_TEST

static struct inflight_split *split(void)
{
	return log_.mem;
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
	virtq_publish(vq);
}

static void replace_queue(void)
{
	virtq_free(vq);
	ck_assert_int_eq(virtq_new(NUM, 4, &vq), 0);
}

START_TEST(test_corrupt_log)
{
	half_way();
	spoil[_i]();
	replace_queue();
	why.text[0] = '\0';
	ck_assert_int_eq(virtq_start(vq, &d.setup, &why), -EUCLEAN);
	ck_assert_str_ne(why.text, "");
	/* A reset makes it good. */
	inflight_queue_reset(&log_);
	driver_reset(&d);
	offer(6);
	start();
	pop(6);
	push(6);
	virtq_publish(vq);
	end();
}
END_TEST

/* Nothing is in flight: no log is needed. */
START_TEST(test_corrupt_log_idle)
{
	half_way();
	push(2);
	push(3);
	virtq_publish(vq);
	spoil[_i]();
	replace_queue();
	start();
	ck_assert_uint_eq(virtq_nr_replay(vq), 0);
	ck_assert_uint_eq(virtq_state(vq).avail_index, 4);
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
