/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Carrying a changed header to its image: see luks_commit.h.
 *
 * At any moment one copy of the header is whole, and the key slots that it
 * knows are.  A slot that is gone from both has lost its salt with them, so
 * what is left of it opens nothing, even if the last step never comes.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypt/luks1_phdr.h"
#include "crypt/luks_commit.h"
#include "lib/transfer.h"
#include "lib/why.h"

struct commit {
	int fd;
	const uint8_t *copy;
	struct why *why;
};

static uint64_t slots_start(const struct luks_plan *plan)
{
	return plan->header_size * plan->copies;
}

bool luks_plan_sane(const struct luks_plan *plan, uint64_t limit)
{
	const struct luks_area *area;
	unsigned int i;

	if (plan->copies < 1 || plan->copies > 2 ||
	    plan->header_size < LUKS1_HEADER_SIZE ||
	    plan->header_size > LUKS_END_MAX / 2 ||
	    plan->nr_used > LUKS_AREAS_MAX || plan->end > LUKS_END_MAX ||
	    plan->end > limit || slots_start(plan) > plan->end)
		return false;
	for (i = 0; i < plan->nr_used; i++) {
		area = &plan->used[i];
		if (area->offset < slots_start(plan) ||
		    area->offset > plan->end ||
		    area->size > plan->end - area->offset)
			return false;
	}
	return true;
}

static int failed(struct commit *c, int err)
{
	return why_set(c->why, -err, "the header cannot be written: %s",
		       strerror(err));
}

static int write_range(struct commit *c, uint64_t from, uint64_t to)
{
	bool changed;
	int r = 0;

	if (from < to)
		r = transfer_update(c->fd, c->copy + from, to - from, from,
				    &changed);
	return r ? failed(c, -r) : 0;
}

static int sync_image(struct commit *c)
{
	return fsync(c->fd) ? failed(c, errno) : 0;
}

static int write_header(struct commit *c, const struct luks_plan *plan,
			uint32_t copy)
{
	uint64_t at = plan->header_size * copy;
	int r = write_range(c, at, at + plan->header_size);

	return r ? r : sync_image(c);
}

/* The first byte at @at or after that an old key slot has, or the end. */
static uint64_t next_used(const struct luks_plan *plan, uint64_t at,
			  uint64_t *ret_end)
{
	uint64_t found = plan->end;
	unsigned int i;

	*ret_end = plan->end;
	for (i = 0; i < plan->nr_used; i++) {
		const struct luks_area *a = &plan->used[i];
		uint64_t end = a->offset + a->size;

		if (end > at && a->offset < found) {
			found = a->offset > at ? a->offset : at;
			*ret_end = end;
		}
	}
	return found;
}

/* Everything after the headers but the old key slots. */
static int write_unused(struct commit *c, const struct luks_plan *plan)
{
	uint64_t used, end, at = slots_start(plan);
	int r = 0;

	while (!r && at < plan->end) {
		used = next_used(plan, at, &end);
		r = write_range(c, at, used);
		at = end;
	}
	return r ? r : sync_image(c);
}

static int write_used(struct commit *c, const struct luks_plan *plan)
{
	unsigned int i;
	int r = 0;

	for (i = 0; !r && i < plan->nr_used; i++)
		r = write_range(c, plan->used[i].offset,
				plan->used[i].offset + plan->used[i].size);
	return r ? r : sync_image(c);
}

int luks_commit(int fd, int copy_fd, const struct luks_plan *plan,
		struct why *why)
{
	struct commit c = { .fd = fd, .why = why };
	void *p = mmap(NULL, plan->end, PROT_READ, MAP_SHARED, copy_fd, 0);
	int r;

	if (p == MAP_FAILED)
		return why_set(why, -ENOMEM, "no memory for the header");
	c.copy = p;
	r = write_unused(&c, plan);
	if (!r)
		r = write_header(&c, plan, plan->second_first ? 1 : 0);
	if (!r && plan->copies == 2)
		r = write_header(&c, plan, plan->second_first ? 0 : 1);
	if (!r)
		r = write_used(&c, plan);
	munmap(p, plan->end);
	return r;
}
