/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Death at every store: see log_rig.h.
 *
 * The process that may die has the pages read-only, so that every store to
 * them stops it.  From there it is run instruction by instruction until the
 * pages have changed, and is let go until the next store.
 */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/guard.h"
#include "tests/unit/log_rig.h"

#define LEN ((size_t)NR_PAGES * LOG_RIG_PAGE)

static uint8_t *locked;

static void use_pages(struct driver *d, uint8_t *pages)
{
	static const uint64_t iova[] = { DRIVER_DESC, DRIVER_AVAIL,
					 DRIVER_USED };
	int i;

	for (i = 0; i < 3; i++) {
		driver_mem_unmap(&d->mem, iova[i]);
		driver_mem_map(&d->mem, iova[i], LOG_RIG_PAGE,
			       pages + i * LOG_RIG_PAGE);
	}
	d->desc = (void *)(pages + P_DESC * LOG_RIG_PAGE);
	d->avail = (void *)(pages + P_DRIVER * LOG_RIG_PAGE);
	d->used = (void *)(pages + P_DEVICE * LOG_RIG_PAGE);
	if (d->packed.desc) {
		d->packed.desc = (void *)d->desc;
		d->packed.driver = (void *)d->avail;
		d->packed.device = (void *)d->used;
	}
	driver_reset(d);
}

static uint8_t *map(int flags)
{
	void *p = mmap(NULL, LEN, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS,
		       -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	return p;
}

void log_rig_begin(struct log_rig *rig, uint64_t features)
{
	ck_assert_int_eq(guard_install(), 0);
	ck_assert_uint_le(inflight_size(LOG_RIG_NUM), LOG_RIG_PAGE);
	rig->pages = map(MAP_SHARED);
	rig->copy = map(MAP_PRIVATE);
	driver_init(&rig->d, LOG_RIG_NUM, features);
	use_pages(&rig->d, rig->pages);
	driver_init(&rig->heir, LOG_RIG_NUM, features);
	use_pages(&rig->heir, rig->copy);
	inflight_queue_init(&rig->log, rig->pages + P_LOG * LOG_RIG_PAGE,
			    LOG_RIG_NUM);
	rig->d.setup.inflight = &rig->log;
	ck_assert_int_eq(virtq_new(LOG_RIG_NUM, LOG_RIG_NUM, &rig->vq), 0);
}

void log_rig_end(struct log_rig *rig)
{
	virtq_free(rig->vq);
	driver_free(&rig->d);
	driver_free(&rig->heir);
	munmap(rig->pages, LEN);
	munmap(rig->copy, LEN);
}

void log_rig_start(struct log_rig *rig)
{
	struct why why = { "" };
	int err = virtq_start(rig->vq, &rig->d.setup, &why);

	ck_assert_msg(!err, "%s", why.text);
}

void log_rig_replace(struct log_rig *rig)
{
	virtq_free(rig->vq);
	ck_assert_int_eq(virtq_new(LOG_RIG_NUM, LOG_RIG_NUM, &rig->vq), 0);
}

void log_rig_pop(struct log_rig *rig, unsigned want)
{
	struct virtq_chain c;

	if (virtq_pop(rig->vq, &c) != VIRTQ_REQUEST || c.id != want)
		abort();
}

void log_rig_push(struct log_rig *rig, unsigned id)
{
	virtq_push(rig->vq, (uint16_t)id, 1);
}

static struct virtq *new_heir(struct log_rig *rig, struct inflight_queue *log)
{
	struct why why = { "" };
	struct virtq *heir;
	int err;

	inflight_queue_init(log, rig->copy + P_LOG * LOG_RIG_PAGE, LOG_RIG_NUM);
	rig->heir.setup.inflight = log;
	ck_assert_int_eq(virtq_new(LOG_RIG_NUM, LOG_RIG_NUM, &heir), 0);
	err = virtq_start(heir, &rig->heir.setup, &why);
	ck_assert_msg(!err, "%s", why.text);
	return heir;
}

static void check_chain(struct log_rig *rig, const struct log_rig_ops *ops,
			const struct log_history *h,
			const struct virtq_chain *c)
{
	unsigned i;

	ck_assert_int_eq(c->err, 0);
	ck_assert_uint_eq(c->nr_in, h->count[c->id]);
	for (i = 0; i < c->nr_in; i++)
		ck_assert_ptr_eq(c->iov[i].iov_base,
				 driver_at(&rig->heir, ops->address(c->id, i)));
}

static void check_none_waits(const struct log_history *h)
{
	unsigned i;

	for (i = 0; i < LOG_RIG_NUM; i++)
		ck_assert(!h->waiting[i]);
}

/* All that wait are given out, in the order in which they were offered. */
static void answer_all(struct log_rig *rig, const struct log_rig_ops *ops,
		       const struct log_history *h, struct virtq *heir)
{
	struct log_history mine = *h;
	struct virtq_chain c;
	int last = -1;

	while (virtq_pop(heir, &c) == VIRTQ_REQUEST) {
		ck_assert(mine.waiting[c.id]);
		mine.waiting[c.id] = false;
		ck_assert_int_gt(h->last[c.id], last);
		last = h->last[c.id];
		check_chain(rig, ops, h, &c);
		virtq_push(heir, c.id, 1);
	}
	ck_assert_ptr_null(virtq_broken(heir));
	check_none_waits(&mine);
	/* The driver sees each of them answered, once. */
	mine = *h;
	virtq_publish(heir);
	ops->follow(&mine, rig->copy);
	check_none_waits(&mine);
}

static void take_over(struct log_rig *rig, const struct log_rig_ops *ops,
		      const struct log_history *h)
{
	struct inflight_queue log;
	struct virtq_chain c;
	struct virtq *heir;
	int again;

	for (again = 0; again < 2; again++) {
		memcpy(rig->copy, rig->pages, LEN);
		heir = new_heir(rig, &log);
		if (again) {
			/* It dies at once, and has an heir. */
			virtq_pop(heir, &c);
			virtq_free(heir);
			heir = new_heir(rig, &log);
		}
		answer_all(rig, ops, h, heir);
		virtq_stop(heir);
		virtq_free(heir);
	}
}

static void unlock(int sig)
{
	if (mprotect(locked, LEN, PROT_READ | PROT_WRITE))
		_exit(3);
}

static void lock(int sig)
{
	if (mprotect(locked, LEN, PROT_READ))
		_exit(3);
}

static void live(struct log_rig *rig, void (*script)(void))
{
	locked = rig->pages;
	if (signal(SIGSEGV, unlock) == SIG_ERR ||
	    signal(SIGUSR1, lock) == SIG_ERR ||
	    ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(2);
	raise(SIGUSR1);
	script();
	_exit(0);
}

/* The signal that the process stops with; 0: it has ended well. */
static int stopped(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFSTOPPED(status))
		return WSTOPSIG(status);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return 0;
}

/* Until the next store has changed the pages, of which @before is a copy. */
static bool next_store(pid_t pid, const uint8_t *pages, uint8_t *before)
{
	int sig;

	ck_assert(!ptrace(PTRACE_CONT, pid, NULL, SIGUSR1));
	sig = stopped(pid);
	if (!sig)
		return false;
	ck_assert_int_eq(sig, SIGSEGV);
	do {
		ck_assert(!ptrace(PTRACE_SINGLESTEP, pid, NULL,
				  sig == SIGSEGV ? SIGSEGV : 0));
		sig = stopped(pid);
		if (!sig)
			return false;
		ck_assert_int_eq(sig, SIGTRAP);
	} while (!memcmp(before, pages, LEN));
	memcpy(before, pages, LEN);
	return true;
}

unsigned log_rig_die(struct log_rig *rig, const struct log_rig_ops *ops,
		     void (*script)(void))
{
	struct log_history h = { .used.wrap = true };
	uint8_t *before = map(MAP_PRIVATE);
	unsigned deaths = 0;
	pid_t pid;

	memcpy(before, rig->pages, LEN);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid)
		live(rig, script);
	ck_assert_int_eq(stopped(pid), SIGUSR1);
	do {
		ops->follow(&h, rig->pages);
		take_over(rig, ops, &h);
		deaths++;
	} while (next_store(pid, rig->pages, before));
	munmap(before, LEN);
	return deaths;
}
