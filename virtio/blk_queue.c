/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A queue of the virtio-blk device: kicks, fairness, batches, start and stop.
 */
#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <linux/virtio_blk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/why.h"
#include "virtio/blk_int.h"
#include "virtio/transport.h"

/* Where a turn ends before LOOP_BATCH requests: a call costs little of it. */
#define BATCH_BYTES (1U << 20)

/* Pieces of memory beyond seg_max: split headers, borders of mappings. */
#define EXTRA_IOV 66

static void report_broken(struct vblk_queue *queue, const char *reason)
{
	struct vblk_stats *stats = queue->stats;

	if (queue->reported)
		return;
	queue->reported = true;
	snprintf(stats->reason, sizeof(stats->reason), "%s", reason);
	vblk_stat_set(&stats->broken, 1);
	log_error("queue %u stands still until the device is reset: %s",
		  queue->index, reason);
}

static void check_broken(struct vblk_queue *queue)
{
	const char *reason = virtq_broken(queue->vq);

	if (reason)
		report_broken(queue, reason);
}

/*
 * Take requests until the ring is empty, or there are enough for a turn.  Returns
 * how many that is, or LOOP_BATCH if they are large.  The driver need not kick:
 * either the loop looks for more by itself, or it arms the queue.
 */
static unsigned work(struct vblk_queue *queue)
{
	unsigned left = LOOP_BATCH + virtq_nr_replay(queue->vq), nr = 0;
	struct virtq *vq = queue->vq;
	struct virtq_chain chain;
	uint64_t bytes = 0;

	virtq_disable_kick(vq);
	for (; nr < left && virtq_pop(vq, &chain) == VIRTQ_REQUEST; nr++) {
		if (chain.replayed)
			vblk_stat_add(&queue->stats->replayed, 1);
		bytes += chain.in_len + chain.out_len;
		vblk_serve(queue, &chain);
		/* Replays are taken whole: see virtq_state. */
		if (bytes >= BATCH_BYTES && !virtq_nr_replay(vq))
			left = 0;
	}
	check_broken(queue);
	vblk_stat_set(&queue->stats->in_flight, virtq_in_flight(vq));
	return bytes < BATCH_BYTES ? nr : LOOP_BATCH;
}

/*
 * Before the loop sleeps, not as soon as the last kick has been read: what came
 * with that one is answered first.
 */
static void arm_kick(struct vblk_queue *queue)
{
	struct io_uring_sqe *sqe = loop_sqe(queue->loop, &queue->kick);

	io_uring_prep_read(sqe, queue->kick_fd, &queue->kick_value,
			   sizeof(queue->kick_value), 0);
	queue->kick_armed = true;
}

static void kick_done(struct loop_op *op, int res)
{
	struct vblk_queue *queue =
		(void *)((char *)op - offsetof(struct vblk_queue, kick));
	char reason[VBLK_REASON_MAX];

	queue->kick_armed = false;
	if (queue->state != VBLK_RUNNING) {
		loop_defer(queue->loop, &queue->task);
		return;
	}
	if (res < 0 && res != -EINTR) {
		snprintf(reason, sizeof(reason), "kick descriptor: %s",
			 strerror(-res));
		report_broken(queue, reason);
		return;
	}
	vblk_stat_add(&queue->stats->kicks, 1);
	work(queue);
}

static void cancel_done(struct loop_op *op, int res)
{
	struct vblk_queue *queue =
		(void *)((char *)op - offsetof(struct vblk_queue, cancel));

	queue->cancel_armed = false;
	loop_defer(queue->loop, &queue->task);
}

/* After it, @queue may be gone. */
static void check_stopped(struct vblk_queue *queue)
{
	if (queue->state != VBLK_STOPPING || queue->kick_armed ||
	    queue->cancel_armed || virtq_in_flight(queue->vq))
		return;
	virtq_stop(queue->vq);
	queue->state = VBLK_IDLE;
	queue->stopped(queue->stopped_arg);
}

/* The end of a turn: all answers of the turn in one batch. */
static void end_turn(struct loop_task *task)
{
	struct vblk_queue *queue =
		(void *)((char *)task - offsetof(struct vblk_queue, task));
	unsigned n = virtq_publish(queue->vq);

	if (n)
		vblk_stat_add(&queue->stats->interrupts, n);
	vblk_stat_set(&queue->stats->in_flight, virtq_in_flight(queue->vq));
	check_broken(queue);
	check_stopped(queue);
}

/* --- polling ---------------------------------------------------------- */

static struct vblk_queue *queue_of(struct loop_source *source)
{
	return (void *)((char *)source - offsetof(struct vblk_queue, source));
}

static enum loop_source_state source_state(struct loop_source *source)
{
	const struct vblk_queue *queue = queue_of(source);

	if (virtq_in_flight(queue->vq))
		return queue->vblk->dev->info.by_device ? SOURCE_DEVICE
							: SOURCE_KERNEL;
	if (queue->state != VBLK_RUNNING || virtq_broken(queue->vq))
		return SOURCE_OFF;
	return SOURCE_IDLE;
}

static void source_disarm(struct loop_source *source)
{
	struct vblk_queue *queue = queue_of(source);

	if (queue->state == VBLK_RUNNING)
		virtq_disable_kick(queue->vq);
}

static unsigned source_look(struct loop_source *source)
{
	struct vblk_queue *queue = queue_of(source);

	if (queue->state != VBLK_RUNNING || !virtq_pending(queue->vq))
		return 0;
	vblk_stat_add(&queue->stats->polls, 1);
	return work(queue);
}

static bool source_arm(struct loop_source *source)
{
	struct vblk_queue *queue = queue_of(source);

	if (queue->state == VBLK_RUNNING && !queue->kick_armed &&
	    !queue->reported)
		arm_kick(queue);
	if (queue->state == VBLK_RUNNING && virtq_enable_kick(queue->vq)) {
		work(queue);
		return false;
	}
	check_broken(queue);
	return true;
}

static const struct loop_source queue_source = {
	.state = source_state,
	.disarm = source_disarm,
	.look = source_look,
	.arm = source_arm,
};

/* --- life ------------------------------------------------------------- */

static int make_slots(struct vblk_queue *queue)
{
	unsigned size = queue->vblk->params.queue_size, i;

	queue->slot = calloc(size, sizeof(*queue->slot));
	queue->ranges =
		calloc((size_t)size * VBLK_RANGES_MAX, sizeof(*queue->ranges));
	if (!queue->slot || !queue->ranges)
		return -ENOMEM;
	for (i = 0; i < size; i++)
		queue->slot[i].ranges =
			queue->ranges + (size_t)i * VBLK_RANGES_MAX;
	return 0;
}

int vblk_queue_new(struct vblk *vblk, unsigned index, struct loop *loop,
		   struct vblk_stats *stats, struct vblk_queue **ret)
{
	struct vblk_queue *queue = calloc(1, sizeof(*queue));
	unsigned size = vblk->params.queue_size;
	int err;

	if (!queue)
		return -ENOMEM;
	queue->vblk = vblk;
	queue->index = index;
	queue->loop = loop;
	queue->stats = stats;
	queue->kick.done = kick_done;
	queue->cancel.done = cancel_done;
	queue->task.run = end_turn;
	queue->source = queue_source;
	err = make_slots(queue);
	if (!err)
		err = virtq_new(size, vblk->seg_max + EXTRA_IOV, &queue->vq);
	if (!err)
		err = blk_open_queue(vblk->dev, loop, size, &queue->blk);
	if (err) {
		vblk_queue_free(queue);
		return err;
	}
	loop_add_source(loop, &queue->source);
	loop_set_poll(loop, (uint64_t)vblk->params.poll_us * 1000);
	*ret = queue;
	return 0;
}

void vblk_queue_free(struct vblk_queue *queue)
{
	if (!queue)
		return;
	assert(queue->state == VBLK_IDLE && !queue->task.queued);
	loop_remove_source(queue->loop, &queue->source);
	blk_close_queue(queue->blk);
	virtq_free(queue->vq);
	free(queue->ranges);
	free(queue->slot);
	free(queue);
}

/*
 * Virtio 1.3, section 5.2.6.2.  The mode at the time of taking counts: a
 * driver that changes it while a write is on its way gets one or the other.
 */
bool vblk_write_through(const struct vblk_queue *queue)
{
	if (queue->no_flush)
		return true;
	return queue->config_wce &&
	       !__atomic_load_n(&queue->vblk->writeback, __ATOMIC_ACQUIRE);
}

int vblk_queue_start(struct vblk_queue *queue, const struct virtq_setup *setup,
		     struct why *why)
{
	int err;

	if (queue->state != VBLK_IDLE)
		return why_set(why, -EBUSY, "the queue runs already");
	err = virtq_start(queue->vq, setup, why);
	if (err)
		return err;
	queue->state = VBLK_RUNNING;
	queue->features = setup->features;
	queue->no_flush = !(setup->features & (1ULL << VIRTIO_BLK_F_FLUSH));
	queue->config_wce = setup->features & (1ULL << VIRTIO_BLK_F_CONFIG_WCE);
	queue->kick_fd = setup->kick_fd;
	queue->reported = false;
	vblk_stat_set(&queue->stats->broken, 0);
	arm_kick(queue);
	/*
	 * Kicks may have gone to nobody before: look at the ring at once, and
	 * send the interrupt that a predecessor may have left out.
	 */
	work(queue);
	loop_defer(queue->loop, &queue->task);
	return 0;
}

void vblk_queue_stop(struct vblk_queue *queue, void (*stopped)(void *arg),
		     void *arg)
{
	assert(queue->state != VBLK_STOPPING);
	queue->state = VBLK_STOPPING;
	queue->stopped = stopped;
	queue->stopped_arg = arg;
	if (queue->kick_armed) {
		struct io_uring_sqe *sqe =
			loop_sqe(queue->loop, &queue->cancel);

		io_uring_prep_cancel(sqe, &queue->kick, 0);
		queue->cancel_armed = true;
	}
	loop_defer(queue->loop, &queue->task);
}

bool vblk_queue_runs(const struct vblk_queue *queue)
{
	return queue->state != VBLK_IDLE;
}

struct virtq_state vblk_queue_state(const struct vblk_queue *queue)
{
	return virtq_state(queue->vq);
}
