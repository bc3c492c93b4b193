/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Fuzz the messages of a VDUSE device, the ioctls behind them, and the
 * processes that serve it.  The input is a list of steps, each a byte and what
 * the step takes.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct {
	const uint8_t *p, *end;
} in;

static uint64_t take(unsigned bytes)
{
	uint64_t n = 0;

	if ((size_t)(in.end - in.p) < bytes) {
		in.p = in.end;
		return 0;
	}
	memcpy(&n, in.p, bytes);
	in.p += bytes;
	return n;
}

static void step_status(void)
{
	struct vduse_dev_request req = { .type = VDUSE_SET_STATUS };

	req.s.status = (uint8_t)take(1);
	device_send(&req);
}

static void step_iotlb(void)
{
	struct vduse_dev_request req = { .type = VDUSE_UPDATE_IOTLB };

	req.iova.start = take(8);
	req.iova.last = take(8);
	device_send(&req);
}

static void step_state(void)
{
	struct vduse_dev_request req = { .type = VDUSE_GET_VQ_STATE };

	req.vq_state.index = (uint32_t)take(1);
	device_send(&req);
}

static void step_unknown(void)
{
	struct vduse_dev_request req = { .type = 3 + (uint32_t)take(1) };

	memset(req.padding, (int)take(1), sizeof(req.padding));
	device_send(&req);
}

/* What no kernel sends: a message that is not whole. */
static void step_short(void)
{
	char bytes[sizeof(struct vduse_dev_request)] = { 0 };
	size_t len = take(1) % sizeof(bytes);

	if (device.gone)
		return;
	if (write(device.fd, bytes, len) == (ssize_t)len)
		device.cut_short = true;
}

/* Not asked for, it does nothing. */
static void step_continue(void)
{
	device_continue();
}

static void step_owner(void)
{
	uint8_t how = (uint8_t)take(1);

	device.later = how & 1;
	device.refuse = how & 2;
	device.state[how >> 2 & 1].avail_index = (uint16_t)take(2);
}

static void step_queue(void)
{
	struct vduse_vq_info *vq = &device.vq[take(1) % DEVICE_QUEUES];

	vq->num = (uint32_t)take(4);
	vq->ready = (uint8_t)take(1);
	vq->desc_addr = take(8);
	vq->packed.last_avail_counter = (uint16_t)take(2);
	vq->packed.last_avail_idx = (uint16_t)take(2);
}

static void step_features(void)
{
	device.features = take(8);
}

static void step_region(void)
{
	device.entry.start = take(8);
	device.entry.last = take(8);
	device.entry.offset = take(8);
	device.entry.perm = (uint8_t)take(1);
}

static void step_fail(void)
{
	static const int errs[] = { EINVAL, EPERM, ENOTTY, ENOMEM };

	device.fail_in = (unsigned)take(1);
	device.fail_err = -errs[take(1) % 4];
}

/* The queue's thread looks an address up, as long as the queue runs. */
static void step_translate(void)
{
	unsigned i = (unsigned)take(1) % DEVICE_QUEUES;
	uint64_t iova = take(8), asked = take(4) + 1, len = asked;
	uint8_t write = (uint8_t)take(1) & 1;
	char *p;

	if (!device.running[i])
		return;
	p = device.ops->translate(device.host[i], iova, &len, write);
	if (!p)
		return;
	check(len && len <= asked);
	/* It is there: ENOMEM if not. */
	p = (char *)((uintptr_t)p & ~(uintptr_t)4095);
	check(!msync(p, 1, MS_ASYNC));
	if (device.nr_mapped < DEVICE_MAPPED)
		device.mapped[device.nr_mapped++] = (struct mapped){ i, iova };
}

static void step_interrupt(void)
{
	unsigned i = (unsigned)take(1) % DEVICE_QUEUES;

	device.refusals = 0;
	if (device.host[i])
		device.ops->interrupt(device.host[i]);
}

static void step_config(void)
{
	vduse_dev_set_config(device.dev, (uint32_t)take(4), "12345678",
			     take(1) % 9);
	vduse_dev_set_kick(device.dev, (unsigned)take(1), -1);
}

static void step_die(void)
{
	uint8_t how = (uint8_t)take(1);

	device_die();
	device_begin(how & 0x80 ? device.status : how);
}

static void step_gone(void)
{
	if (!device.gone)
		close(device.fd);
	device.gone = true;
	device.nr_pending = 0;
}

static void (*const steps[])(void) = {
	step_status,	step_iotlb,    step_state, step_unknown,
	step_short,	step_continue, step_owner, step_queue,
	step_features,	step_region,   step_fail,  step_translate,
	step_interrupt, step_config,   step_die,   step_gone,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned i;

	in.p = data;
	in.end = data + len;
	device_boot();
	device_begin((uint8_t)take(1));
	while (in.p < in.end) {
		steps[take(1) % (sizeof(steps) / sizeof(steps[0]))]();
		device_turns();
	}
	/* The owner is done at last: so is every message. */
	device.later = false;
	for (i = 0; i < 2 * DEVICE_PENDING + 2; i++) {
		if (device.owes)
			device_continue();
		device_turns();
	}
	check(device.broken || !device.nr_pending || device.cut_short);
	check(!device.owes);
	device_die();
	return 0;
}
