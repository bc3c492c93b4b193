/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* A VDUSE device for fuzzing: see device.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "lib/why.h"
#include "tests/fuzz/device.h"

#define FILE_LEN     0x10000
#define REFUSALS_MAX 1000

struct device device;

void check(bool good)
{
	if (!good)
		abort();
}

static int give_region(struct vduse_iotlb_entry *entry)
{
	check(entry->start == entry->last);
	if (device.deny)
		return -EINVAL;
	*entry = device.entry;
	return fcntl(device.memory, F_DUPFD_CLOEXEC, 3);
}

/* A driver that was reset will never take it. */
static int inject(void)
{
	check(++device.refusals < REFUSALS_MAX);
	return device.live && device.refusals > 2 ? 0 : -EINVAL;
}

static int fuzz_ioctl(int fd, unsigned long request, void *arg)
{
	check(fd == device.dev_fd);
	if (device.fail_in && !--device.fail_in)
		return device.fail_err;
	switch (request) {
	case VDUSE_DEV_GET_FEATURES:
		*(uint64_t *)arg = device.features;
		return 0;
	case VDUSE_VQ_GET_INFO:
		*(struct vduse_vq_info *)arg =
			device.vq[((struct vduse_vq_info *)arg)->index];
		return 0;
	case VDUSE_IOTLB_GET_FD:
		return give_region(arg);
	case VDUSE_VQ_INJECT_IRQ:
		return inject();
	}
	return 0;
}

static int owner_check(void *owner, uint64_t features, struct why *why)
{
	check(features == device.features);
	return device.refuse ? why_set(why, -EINVAL, "refused") : 0;
}

static void owner_start_queue(void *owner, unsigned index,
			      const struct virtq_setup *setup)
{
	check(index < DEVICE_QUEUES && setup->num && !device.owes &&
	      !device.running[index]);
	device.running[index] = true;
	device.ops = setup->ops;
	device.host[index] = setup->host;
}

static void owe(void)
{
	check(!device.owes);
	device.owes = true;
	if (!device.later) {
		device.owes = false;
		vduse_dev_continue(device.dev);
	}
}

static void owner_start_done(void *owner)
{
	device.live = true;
	owe();
}

static bool any_runs(void)
{
	unsigned i;

	for (i = 0; i < DEVICE_QUEUES; i++)
		if (device.running[i])
			return true;
	return false;
}

static void owner_stop_queues(void *owner)
{
	memset(device.running, 0, sizeof(device.running));
	owe();
}

static struct virtq_state owner_queue_state(void *owner, unsigned index)
{
	check(index < DEVICE_QUEUES && device.host[index] && !any_runs());
	return device.state[index];
}

static void owner_reset(void *owner)
{
	check(!any_runs());
	device.live = false;
}

static void owner_status(void *owner, uint8_t status, uint64_t features)
{
	device.status = status;
}

static void owner_broken(void *owner, const char *reason)
{
	check(reason[0]);
	device.broken = true;
}

static const struct vduse_owner_ops owner_ops = {
	.check_features = owner_check,
	.start_queue = owner_start_queue,
	.start_done = owner_start_done,
	.stop_queues = owner_stop_queues,
	.queue_state = owner_queue_state,
	.reset = owner_reset,
	.status = owner_status,
	.broken = owner_broken,
};

/* Nothing that was mapped in [start, last] is found without being asked for. */
static void check_unmapped(uint64_t start, uint64_t last)
{
	unsigned i = 0;

	device.deny = true;
	while (i < device.nr_mapped) {
		const struct mapped *m = &device.mapped[i];
		uint64_t len = 1;

		if (m->iova < start || m->iova > last) {
			i++;
			continue;
		}
		check(!device.ops->translate(device.host[m->queue], m->iova,
					     &len, false));
		check(!device.ops->translate(device.host[m->queue], m->iova,
					     &len, true));
		device.mapped[i] = device.mapped[--device.nr_mapped];
	}
	device.deny = false;
}

static void take_answers(void)
{
	struct vduse_dev_response resp;
	struct vduse_dev_request req;
	ssize_t n;

	while ((n = read(device.fd, &resp, sizeof(resp))) > 0) {
		check(n == sizeof(resp) && device.nr_pending);
		req = device.pending[0];
		memmove(device.pending, device.pending + 1,
			--device.nr_pending * sizeof(device.pending[0]));
		check(resp.request_id == req.request_id && resp.result <= 1);
		if (req.type == VDUSE_SET_STATUS && !req.s.status) {
			check(!resp.result);
			check_unmapped(0, UINT64_MAX);
		} else if (req.type == VDUSE_UPDATE_IOTLB) {
			check(!resp.result);
			check_unmapped(req.iova.start, req.iova.last);
		} else if (req.type > VDUSE_UPDATE_IOTLB) {
			check(resp.result);
		}
	}
}

void device_turns(void)
{
	int i;

	for (i = 0; i < 3; i++)
		check(!loop_turn(device.loop, false));
	if (!device.gone)
		take_answers();
}

static void post(const struct vduse_dev_request *req)
{
	check(write(device.fd, req, sizeof(*req)) == sizeof(*req));
}

void device_send(struct vduse_dev_request *req)
{
	if (device.gone || device.cut_short ||
	    device.nr_pending == DEVICE_PENDING)
		return;
	req->request_id = ++device.last_id;
	device.pending[device.nr_pending++] = *req;
	post(req);
}

/* A process begins; the kernel has kept what was not answered. */
void device_begin(uint8_t status)
{
	struct vduse_dev_params params = {
		.ioctl = fuzz_ioctl,
		.nr_queues = DEVICE_QUEUES,
		.ops = &owner_ops,
	};
	int fds[2];
	unsigned i;

	check(!socketpair(AF_UNIX,
			  SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			  fds));
	device.fd = fds[0];
	device.dev_fd = params.fd = fds[1];
	check(!loop_new(8, &device.loop) && !loop_seal(device.loop) &&
	      !vduse_dev_new(&params, device.loop, &device.dev));
	for (i = 0; i < device.nr_pending; i++)
		post(&device.pending[i]);
	device.status = status;
	vduse_dev_start(device.dev, status);
}

void device_die(void)
{
	loop_free(device.loop);
	vduse_dev_free(device.dev);
	close(device.dev_fd);
	if (!device.gone)
		close(device.fd);
	device.owes = device.broken = device.live = device.cut_short =
		device.gone = false;
	memset(device.running, 0, sizeof(device.running));
	memset(device.host, 0, sizeof(device.host));
	device.nr_mapped = 0;
}

void device_continue(void)
{
	device.owes = false;
	vduse_dev_continue(device.dev);
}

void device_boot(void)
{
	int memory = device.memory;

	if (!memory) {
		log_setup("fuzz", LOG_ERROR);
		memory = memfd_create("fuzz", MFD_CLOEXEC);
		check(memory > 0 && !ftruncate(memory, FILE_LEN));
	}
	memset(&device, 0, sizeof(device));
	device.memory = memory;
}
