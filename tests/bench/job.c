// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * One queue and the thread that drives it.  A request's slot owns its header,
 * its data and its status byte, so that the chain of descriptors is written
 * once, and again only when a read becomes a write.
 */
#include <err.h>
#include <linux/virtio_blk.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/bench/job.h"
#include "tests/bench/pattern.h"

#define ALIGN_UP(x, to) (((x) + (to)-1) / (to) * (to))
/* Header and status each on a cache line of their own. */
#define LINE 64

enum pass {
	PASS_FILL,
	PASS_TIMED,
	PASS_CHECK,
};

struct slot {
	struct virtio_blk_outhdr *header;
	uint8_t *status;
	uint8_t *data;
	struct piece *pieces;
	uint64_t begin;
	uint64_t block; /* of the job's */
	bool write;
	bool prepared;
	bool measured;
};

static unsigned int chain_len(const struct options *opt)
{
	return opt->bs / opt->seg + 2;
}

static const struct ring_ops *ring_ops(const struct options *opt)
{
	return opt->packed ? &ring_packed_ops : &ring_split_ops;
}

static uint64_t rings_len(const struct options *opt)
{
	const struct ring_ops *ops = ring_ops(opt);

	return ALIGN_UP(opt->queue_size * 16, LINE) +
	       ALIGN_UP(ops->driver_len(opt->queue_size), LINE) +
	       ALIGN_UP(ops->device_len(opt->queue_size), LINE) +
	       ALIGN_UP(opt->depth * chain_len(opt) * 16, LINE) +
	       opt->depth * 2 * LINE;
}

uint64_t job_memory(const struct options *opt)
{
	return ALIGN_UP(rings_len(opt), 4096) +
	       opt->depth * ALIGN_UP((uint64_t)opt->bs, 4096);
}

static uint8_t *carve(uint8_t **at, uint64_t len)
{
	uint8_t *part = *at;

	*at += ALIGN_UP(len, LINE);
	return part;
}

static void *allocate(size_t count, size_t size)
{
	void *ptr = calloc(count, size);

	if (!ptr)
		err(1, "memory");
	return ptr;
}

static void init_ring(struct job *job, uint8_t **at)
{
	const struct options *opt = job->run->opt;
	struct ring *ring = &job->ring;

	ring->ops = ring_ops(opt);
	ring->size = opt->queue_size;
	ring->chain = chain_len(opt);
	ring->event_idx = !opt->no_event_idx;
	ring->indirect = !opt->no_indirect;
	ring->next_wrap = true;
	ring->used_wrap = true;
	ring->desc = carve(at, ring->size * 16);
	ring->driver = carve(at, ring->ops->driver_len(ring->size));
	ring->device = carve(at, ring->ops->device_len(ring->size));
	ring->tables = carve(at, opt->depth * ring->chain * 16);
	ring->tables_addr = front_addr(&job->run->front, ring->tables);
	ring->pieces = allocate(opt->depth, sizeof(*ring->pieces));
	if (opt->depth * ring_cost(ring) > ring->size)
		errx(2, "--queue-size is too small for --depth requests");
}

static void init_slot(struct job *job, unsigned int i, uint8_t **at,
		      uint8_t *data)
{
	const struct options *opt = job->run->opt;
	const struct front *front = &job->run->front;
	unsigned int n = job->ring.chain, k;
	struct slot *slot = &job->slots[i];

	slot->header = (void *)carve(at, LINE);
	slot->status = carve(at, LINE);
	slot->data = data;
	slot->pieces = allocate(n, sizeof(*slot->pieces));
	slot->pieces[0].addr = front_addr(front, slot->header);
	slot->pieces[0].len = sizeof(*slot->header);
	for (k = 1; k + 1 < n; k++) {
		slot->pieces[k].addr =
			front_addr(front, data + (k - 1) * opt->seg);
		slot->pieces[k].len = opt->seg;
	}
	slot->pieces[n - 1].addr = front_addr(front, slot->status);
	slot->pieces[n - 1].len = 1;
	slot->pieces[n - 1].write = true;
	job->ring.pieces[i] = slot->pieces;
	pattern_fill(data, opt->bs, i * opt->bs, opt->seed, 0);
}

static void init_blocks(struct job *job)
{
	const struct options *opt = job->run->opt;
	uint64_t blocks = opt->range / opt->bs / opt->queues;

	if (blocks <= opt->depth)
		errx(2, "--range is too small for --depth requests");
	job->blocks = blocks;
	job->first = blocks * job->index;
	job->random = opt->seed * 0x9e3779b97f4a7c15ULL + job->index + 1;
	if (!opt->verify && opt->rw != FILL && opt->rw != CHECK)
		return;
	job->generation = allocate(blocks, 1);
	memset(job->generation, 1, blocks);
	job->busy = allocate(blocks, sizeof(*job->busy));
}

/* Choose the block of the next request, and whether it is written. */
static bool choose(struct job *job, enum pass pass, struct slot *slot,
		   bool *ret_write)
{
	const struct options *opt = job->run->opt;
	enum workload rw = opt->rw;
	uint64_t block;

	if (pass == PASS_TIMED) {
		if (__atomic_load_n(&job->run->phase, __ATOMIC_RELAXED) ==
		    PHASE_STOP)
			return false;
		if (rw == READ || rw == WRITE)
			block = job->next++ % job->blocks;
		else
			block = random_below(&job->random, job->blocks);
		*ret_write = rw == WRITE || rw == RANDWRITE ||
			     (rw == RANDRW && random_below(&job->random, 100) >=
						      opt->read_percent);
	} else {
		block = job->next++;
		if (block >= job->blocks)
			return false;
		*ret_write = pass == PASS_FILL;
	}
	/* What two requests at once would leave is not known. */
	while (job->busy && job->busy[block])
		block = (block + 1) % job->blocks;
	slot->block = block;
	return true;
}

static void prepare(struct job *job, unsigned int i, bool write)
{
	struct slot *slot = &job->slots[i];
	unsigned int k;

	if (slot->prepared && slot->write == write)
		return;
	slot->prepared = true;
	slot->write = write;
	slot->header->type = write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN;
	for (k = 1; k + 1 < job->ring.chain; k++)
		slot->pieces[k].write = !write;
	job->ring.ops->prepare(&job->ring, i);
}

/* The data of a write, or what a read must not leave as it is. */
static void prepare_data(struct job *job, struct slot *slot, enum pass pass)
{
	const struct options *opt = job->run->opt;
	uint64_t offset = (job->first + slot->block) * opt->bs;

	job->busy[slot->block] = true;
	if (!slot->write) {
		pattern_fill(slot->data, opt->bs, offset, opt->seed + 1, 0);
		return;
	}
	if (pass == PASS_TIMED)
		job->generation[slot->block]++;
	pattern_fill(slot->data, opt->bs, offset, opt->seed,
		     job->generation[slot->block]);
}

static void kick(struct job *job)
{
	uint64_t one = 1;

	if (!job->put_any)
		return;
	job->put_any = false;
	if (!job->ring.ops->want_kick(&job->ring))
		return;
	if (write(job->kick, &one, sizeof(one)) != sizeof(one))
		err(1, "kick");
	__atomic_store_n(&job->kicks, job->kicks + 1, __ATOMIC_RELAXED);
}

/* Begin the next request in slot @i, if there is one. */
static void begin(struct job *job, unsigned int i, enum pass pass)
{
	const struct options *opt = job->run->opt;
	struct slot *slot = &job->slots[i];
	bool write;

	if (!choose(job, pass, slot, &write))
		return;
	prepare(job, i, write);
	slot->header->sector = (job->first + slot->block) * (opt->bs / 512);
	*slot->status = 0xff;
	if (job->busy)
		prepare_data(job, slot, pass);
	slot->measured = __atomic_load_n(&job->run->phase, __ATOMIC_RELAXED) ==
			 PHASE_MEASURE;
	slot->begin = now_ns();
	job->ring.ops->put(&job->ring, i);
	job->inflight++;
	job->put_any = true;
	if (opt->kick_each)
		kick(job);
}

static void verify(struct job *job, struct slot *slot)
{
	const struct options *opt = job->run->opt;
	uint64_t offset = (job->first + slot->block) * opt->bs;
	int64_t bad;

	job->busy[slot->block] = false;
	if (slot->write)
		return;
	bad = pattern_check(slot->data, opt->bs, offset, opt->seed,
			    job->generation[slot->block]);
	if (bad >= 0)
		errx(1, "wrong data at byte %llu",
		     (unsigned long long)(offset + bad));
}

static void end(struct job *job, unsigned int i)
{
	struct slot *slot = &job->slots[i];

	if (i >= job->run->opt->depth || !job->inflight)
		errx(1, "the server returned a request that is none");
	if (*slot->status != VIRTIO_BLK_S_OK)
		errx(1, "%s of block %llu: status %u",
		     slot->write ? "write" : "read",
		     (unsigned long long)(job->first + slot->block),
		     *slot->status);
	if (slot->measured)
		hist_add(&job->hist, now_ns() - slot->begin);
	if (job->busy)
		verify(job, slot);
	job->inflight--;
	__atomic_store_n(&job->ops, job->ops + 1, __ATOMIC_RELAXED);
}

/*
 * Sleep until the server calls, unless something completed meanwhile.  Servers
 * make the eventfd non-blocking, so reading it is not enough.
 */
static void wait_for_call(struct job *job)
{
	struct pollfd pfd = { .fd = job->call, .events = POLLIN };
	uint64_t count;

	if (job->run->opt->poll) {
		__builtin_ia32_pause();
		return;
	}
	if (job->ring.ops->calls_on(&job->ring)) {
		if (poll(&pfd, 1, -1) != 1 ||
		    read(job->call, &count, sizeof(count)) != sizeof(count))
			err(1, "call");
		__atomic_store_n(&job->calls, job->calls + count,
				 __ATOMIC_RELAXED);
	}
	job->ring.ops->calls_off(&job->ring);
}

static void run_pass(struct job *job, enum pass pass)
{
	unsigned int i;
	int slot;

	job->next = 0;
	for (i = 0; i < job->run->opt->depth; i++)
		begin(job, i, pass);
	kick(job);
	while (job->inflight) {
		slot = job->ring.ops->get(&job->ring);
		if (slot < 0) {
			wait_for_call(job);
			continue;
		}
		do {
			end(job, slot);
			begin(job, slot, pass);
			slot = job->ring.ops->get(&job->ring);
		} while (slot >= 0);
		kick(job);
	}
}

/* Calls that nobody waited for count too. */
static void count_late_calls(struct job *job)
{
	uint64_t count = 0, one = 1;

	/* Not empty, or the read would wait. */
	if (write(job->call, &one, sizeof(one)) == sizeof(one) &&
	    read(job->call, &count, sizeof(count)) == sizeof(count))
		__atomic_store_n(&job->calls, job->calls + count - 1,
				 __ATOMIC_RELAXED);
}

static void *job_thread(void *arg)
{
	struct job *job = arg;
	const struct options *opt = job->run->opt;

	pin_to_cpu(opt->cpu);
	job->ring.ops->calls_off(&job->ring);
	if (opt->verify || opt->rw == FILL)
		run_pass(job, PASS_FILL);
	if (opt->rw != FILL && opt->rw != CHECK) {
		pthread_barrier_wait(&job->run->start);
		run_pass(job, PASS_TIMED);
		if (opt->poll)
			count_late_calls(job);
	}
	if (opt->verify || opt->rw == CHECK)
		run_pass(job, PASS_CHECK);
	__atomic_store_n(&job->done, true, __ATOMIC_RELEASE);
	return NULL;
}

void job_start(struct job *job, struct run *run, unsigned int index,
	       uint8_t *memory)
{
	const struct options *opt = run->opt;
	uint64_t stride = ALIGN_UP((uint64_t)opt->bs, 4096);
	uint8_t *at = memory;
	unsigned int i;

	job->run = run;
	job->index = index;
	job->slots = allocate(opt->depth, sizeof(*job->slots));
	job->kick = eventfd(0, EFD_CLOEXEC);
	job->call = eventfd(0, EFD_CLOEXEC);
	if (job->kick < 0 || job->call < 0)
		err(1, "eventfd");
	init_ring(job, &at);
	init_blocks(job);
	for (i = 0; i < opt->depth; i++)
		init_slot(job, i, &at,
			  memory + ALIGN_UP(rings_len(opt), 4096) + i * stride);
	front_start(&run->front, index, &job->ring, job->kick, job->call);
	if (pthread_create(&job->thread, NULL, job_thread, job))
		errx(1, "cannot start a thread");
}

void job_free(struct job *job)
{
	unsigned int i;

	for (i = 0; i < job->run->opt->depth; i++)
		free(job->slots[i].pieces);
	free(job->slots);
	free(job->ring.pieces);
	free(job->generation);
	free(job->busy);
	close(job->kick);
	close(job->call);
}
