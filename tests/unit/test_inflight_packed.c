/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The in-flight log of packed rings, as test_inflight.c does it for split
 * ones: death at every store, and a log that contradicts itself.
 */
#include <check.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <signal.h>
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

#define NUM 8
#define FEATURES \
	(1ULL << VIRTIO_RING_F_EVENT_IDX | 1ULL << VIRTIO_F_RING_PACKED)
#define PAGE 4096

/* One page each, in one shared mapping. */
enum page {
	P_DESC,
	P_DRIVER,
	P_DEVICE,
	P_LOG,
	P_NOTES,
	NR_PAGES
};

/* What the driver has offered, for the parent to read. */
struct notes {
	unsigned nr;
	struct note {
		uint16_t id, count, at;
		bool wrap;
	} list[100];
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
	drv->packed.desc = (void *)(base + P_DESC * PAGE);
	drv->packed.driver = (void *)(base + P_DRIVER * PAGE);
	drv->packed.device = (void *)(base + P_DEVICE * PAGE);
	driver_reset(drv);
}

static struct notes *notes(void)
{
	return (void *)(shared + P_NOTES * PAGE);
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
	driver_init(&d, NUM, FEATURES);
	use_pages(&d, shared);
	inflight_queue_init(&log_, shared + P_LOG * PAGE, NUM);
	d.setup.inflight = &log_;
	ck_assert_int_eq(virtq_new(NUM, NUM, &vq), 0);
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

	for (i = 0; d.free[i] != id; i++)
		if (i + 1 == d.nr_free)
			abort();
	d.free[i] = d.free[d.nr_free - 1];
	d.free[d.nr_free - 1] = (uint16_t)id;
	n->list[n->nr] = (struct note){ (uint16_t)id, (uint16_t)count,
					d.packed.next.idx, d.packed.next.wrap };
	n->nr++;
	for (i = 0; i < count; i++)
		s[i] = (struct driver_seg){ address(id, i), 1, true };
	driver_add(&d, DRIVER_DIRECT, s, count);
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

static void publish(void)
{
	uint16_t id;

	virtq_publish(vq);
	while (driver_collect(&d, &id, NULL))
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

static void replace_queue(void)
{
	virtq_free(vq);
	ck_assert_int_eq(virtq_new(NUM, NUM, &vq), 0);
}

/* A predecessor died when it had published, and did not get to say so. */
static void prepare_dead_after_answer(void)
{
	struct inflight_packed *p = log_.mem, before;

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
	virtq_publish(vq);
	p->desc[2].inflight = 1;
	p->old_free_head = before.free_head;
	p->old_used_idx = before.used_idx;
	p->old_used_wrap_counter = before.used_wrap_counter;
	replace_queue();
}

/* It died just before. */
static void prepare_dead_before_answer(void)
{
	struct vring_packed_desc first = d.packed.desc[0];

	prepare_dead_after_answer();
	first.flags = 1 << VRING_PACKED_DESC_F_AVAIL;
	d.packed.desc[0].flags = first.flags;
}

/* Taking over, in which one may die as well. */
static void script_take_over(void)
{
	struct virtq_chain c;

	start();
	while (virtq_nr_replay(vq)) {
		if (virtq_pop(vq, &c) != VIRTQ_REQUEST || !c.replayed)
			abort();
		if (c.id != 2)
			push(c.id);
		virtq_publish(vq);
	}
	pop(3);
	push(3);
	push(2);
	virtq_publish(vq);
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
	driver_reset(&d);
	memset(notes(), 0, sizeof(*notes()));
	inflight_queue_reset(&log_);
	offer(0, 2);
}

static const struct {
	void (*prepare)(void);
	void (*script)(void);
	unsigned min_states;
} lives[] = {
	{ prepare_nothing, script_one_by_one, 40 },
	{ prepare_nothing, script_chains, 200 },
	{ prepare_dead_after_answer, script_take_over, 10 },
	{ prepare_dead_before_answer, script_take_over, 10 },
	{ prepare_reset, script_reset, 10 },
};

/* What the driver sees, gathered while the process lives. */
struct history {
	unsigned offered;
	struct driver_pos used;
	int last[NUM]; /* for each id: when it was offered last */
	uint16_t count[NUM];
	bool waiting[NUM];
};

/* Whether the descriptor is used (or else available) in the lap of @wrap. */
static bool is(const struct vring_packed_desc *desc, bool wrap, bool used)
{
	return (desc->flags >> VRING_PACKED_DESC_F_AVAIL & 1) == wrap &&
	       (desc->flags >> VRING_PACKED_DESC_F_USED & 1) == (wrap == used);
}

static void follow(struct history *h, const uint8_t *base)
{
	const struct vring_packed_desc *desc = (const void *)base;
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
		h->last[note->id] = (int)h->offered;
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

static void check_chain(const struct history *h, struct driver *e,
			const struct virtq_chain *c)
{
	unsigned i;

	ck_assert_int_eq(c->err, 0);
	ck_assert_uint_eq(c->nr_in, h->count[c->id]);
	for (i = 0; i < c->nr_in; i++)
		ck_assert_ptr_eq(c->iov[i].iov_base,
				 driver_at(e, address(c->id, i)));
}

/* A successor takes over a copy of shared memory, and answers all. */
static void take_over(const struct history *h)
{
	struct history mine;
	struct inflight_queue log;
	struct virtq_chain c;
	struct virtq *heir;
	struct driver e;
	unsigned i, k, round;
	int last;

	for (round = 0; round < 2; round++) {
		driver_init(&e, NUM, FEATURES);
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
			ck_assert_int_eq(virtq_new(NUM, NUM, &heir), 0);
			ck_assert_msg(!virtq_start(heir, &e.setup, &why), "%s",
				      why.text);
		}
		mine = *h;
		for (last = -1; virtq_pop(heir, &c) == VIRTQ_REQUEST;) {
			ck_assert(mine.waiting[c.id]);
			mine.waiting[c.id] = false;
			ck_assert_int_gt(h->last[c.id], last);
			last = h->last[c.id];
			check_chain(h, &e, &c);
			virtq_push(heir, c.id, 1);
		}
		ck_assert_ptr_null(virtq_broken(heir));
		for (i = 0; i < NUM; i++)
			ck_assert(!mine.waiting[i]);
		/* The driver sees each of them answered, once. */
		mine = *h;
		virtq_publish(heir);
		follow(&mine, copy);
		for (i = 0; i < NUM; i++)
			ck_assert(!mine.waiting[i]);
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
	struct history h = { .used.wrap = true };
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
	follow(&h, shared);
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
		follow(&h, shared);
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
	p = log_.mem;
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

static struct inflight_packed *packed(void)
{
	return log_.mem;
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
	ck_assert_int_eq(virtq_start(vq, &d.setup, &why), -EUCLEAN);
	ck_assert_str_ne(why.text, "");
	/* A reset makes it good. */
	inflight_queue_reset(&log_);
	driver_reset(&d);
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
	ck_assert_uint_eq(virtq_nr_replay(vq), 2);
	ck_assert_int_eq(virtq_pop(vq, &c), VIRTQ_BROKEN);
	replace_queue();
	driver_reset(&d);
	inflight_queue_reset(&log_);
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
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
