/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The kernel's side of a VDUSE device: see vduse_kernel.h.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/loop.h"
#include "lib/why.h"
#include "tests/unit/vduse_kernel.h"
#include "vduse/dev.h"

/* An ioctl has no argument of ours; a test has one kernel. */
static struct kernel *the_kernel;

__attribute__((format(printf, 2, 3))) static void note(struct kernel *k,
						       const char *fmt, ...)
{
	size_t len = strlen(k->log);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(k->log + len, sizeof(k->log) - len, fmt, ap);
	va_end(ap);
}

static int give_region(struct kernel *k, struct vduse_iotlb_entry *entry)
{
	k->regions++;
	ck_assert_uint_eq(entry->start, entry->last);
	if (k->region_fd < 0)
		return -EINVAL;
	entry->start = 0;
	entry->last = k->region_len - 1;
	entry->offset = 0;
	entry->perm = VDUSE_ACCESS_RW;
	return fcntl(k->region_fd, F_DUPFD_CLOEXEC, 3);
}

static int set_kick(struct kernel *k, const struct vduse_vq_eventfd *arg)
{
	ck_assert_uint_lt(arg->index, KERNEL_QUEUES);
	k->kick_fd[arg->index] = arg->fd;
	return 0;
}

static int set_config(struct kernel *k, const struct vduse_config_data *arg)
{
	ck_assert_uint_le(arg->length, sizeof(k->config));
	k->config_offset = arg->offset;
	k->config_len = arg->length;
	memcpy(k->config, arg->buffer, arg->length);
	return 0;
}

static int get_info(struct kernel *k, struct vduse_vq_info *arg)
{
	ck_assert_uint_lt(arg->index, KERNEL_QUEUES);
	*arg = k->vq[arg->index];
	return 0;
}

static int kernel_ioctl(int fd, unsigned long request, void *arg)
{
	struct kernel *k = the_kernel;

	ck_assert_int_eq(fd, k->dev_fd);
	if (request == k->fail_request && k->fail_at && !--k->fail_at)
		return k->fail_err;
	switch (request) {
	case VDUSE_DEV_GET_FEATURES:
		*(uint64_t *)arg = k->features;
		return 0;
	case VDUSE_VQ_GET_INFO:
		return get_info(k, arg);
	case VDUSE_VQ_SETUP_KICKFD:
		return set_kick(k, arg);
	case VDUSE_IOTLB_GET_FD:
		return give_region(k, arg);
	case VDUSE_DEV_SET_CONFIG:
		return set_config(k, arg);
	case VDUSE_DEV_INJECT_CONFIG_IRQ:
		k->config_irqs++;
		return 0;
	case VDUSE_VQ_INJECT_IRQ:
		k->irqs++;
		return 0;
	}
	/* What came after Linux 5.15 is what this kernel lacks. */
	k->lacking++;
	return -ENOTTY;
}

static int owner_check(void *owner, uint64_t features, struct why *why)
{
	struct kernel *k = owner;

	note(k, "check:%llx ", (unsigned long long)features);
	if (k->refuse)
		return why_set(why, k->refuse, "a test refuses");
	return 0;
}

static void owner_start_queue(void *owner, unsigned index,
			      const struct virtq_setup *setup)
{
	struct kernel *k = owner;

	k->setup[index] = *setup;
	note(k, "start%u@%u ", index, setup->state.avail_index);
}

static void owner_start_done(void *owner)
{
	struct kernel *k = owner;

	note(k, "done ");
	if (!k->later)
		vduse_dev_continue(k->dev);
}

static void owner_stop_queues(void *owner)
{
	struct kernel *k = owner;

	note(k, "stop ");
	if (!k->later)
		vduse_dev_continue(k->dev);
}

static struct virtq_state owner_queue_state(void *owner, unsigned index)
{
	struct kernel *k = owner;

	return k->state[index];
}

static void owner_reset(void *owner)
{
	note(owner, "reset ");
}

static void owner_status(void *owner, uint8_t status, uint64_t features)
{
	note(owner, "status:%x ", status);
}

static void owner_broken(void *owner, const char *reason)
{
	struct kernel *k = owner;

	note(k, "broken ");
	snprintf(k->broken, sizeof(k->broken), "%s", reason);
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

static void init_queues(struct kernel *k)
{
	unsigned i;

	for (i = 0; i < KERNEL_QUEUES; i++) {
		k->kick_fd[i] = -1;
		k->vq[i] = (struct vduse_vq_info){
			.index = i,
			.num = 8,
			.desc_addr = 0x1000 * (i + 1),
			.driver_addr = 0x1000 * (i + 1) + 0x400,
			.device_addr = 0x1000 * (i + 1) + 0x800,
			.ready = 1,
		};
	}
}

void kernel_init(struct kernel *k)
{
	struct vduse_dev_params params = {
		.ioctl = kernel_ioctl,
		.nr_queues = KERNEL_QUEUES,
		.ops = &owner_ops,
		.owner = k,
	};
	int fds[2];

	memset(k, 0, sizeof(*k));
	k->region_fd = -1;
	k->features = 0x300000000ULL;
	init_queues(k);
	ck_assert_int_eq(socketpair(AF_UNIX,
				    SOCK_SEQPACKET | SOCK_CLOEXEC |
					    SOCK_NONBLOCK,
				    0, fds),
			 0);
	k->fd = fds[0];
	k->dev_fd = params.fd = fds[1];
	the_kernel = k;
	ck_assert_int_eq(loop_new(8, &k->loop), 0);
	ck_assert_int_eq(loop_seal(k->loop), 0);
	ck_assert_int_eq(vduse_dev_new(&params, k->loop, &k->dev), 0);
}

void kernel_free(struct kernel *k)
{
	loop_free(k->loop);
	vduse_dev_free(k->dev);
	close(k->dev_fd);
	if (k->fd >= 0)
		close(k->fd);
	if (k->region_fd >= 0)
		close(k->region_fd);
}

void kernel_turns(struct kernel *k)
{
	int i;

	for (i = 0; i < 8; i++)
		ck_assert_int_eq(loop_turn(k->loop, false), 0);
}

void kernel_send(struct kernel *k, struct vduse_dev_request *req)
{
	req->request_id = ++k->request_id;
	ck_assert_int_eq(write(k->fd, req, sizeof(*req)), sizeof(*req));
	kernel_turns(k);
}

bool kernel_answer(struct kernel *k, struct vduse_dev_response *ret)
{
	ssize_t n = read(k->fd, ret, sizeof(*ret));

	if (n < 0 && errno == EAGAIN)
		return false;
	ck_assert_int_eq(n, sizeof(*ret));
	ck_assert_uint_eq(ret->request_id, k->request_id);
	return true;
}

static int result(struct kernel *k, struct vduse_dev_response *resp)
{
	return kernel_answer(k, resp) ? (int)resp->result : -1;
}

int kernel_set_status(struct kernel *k, uint8_t status)
{
	struct vduse_dev_request req = { .type = VDUSE_SET_STATUS };
	struct vduse_dev_response resp;

	req.s.status = status;
	kernel_send(k, &req);
	return result(k, &resp);
}

int kernel_update_iotlb(struct kernel *k, uint64_t start, uint64_t last)
{
	struct vduse_dev_request req = { .type = VDUSE_UPDATE_IOTLB };
	struct vduse_dev_response resp;

	req.iova.start = start;
	req.iova.last = last;
	kernel_send(k, &req);
	return result(k, &resp);
}

int kernel_get_state(struct kernel *k, uint32_t index,
		     struct vduse_vq_state *ret)
{
	struct vduse_dev_request req = { .type = VDUSE_GET_VQ_STATE };
	struct vduse_dev_response resp;
	int res;

	req.vq_state.index = index;
	kernel_send(k, &req);
	res = result(k, &resp);
	if (!res) {
		ck_assert_uint_eq(resp.vq_state.index, index);
		*ret = resp.vq_state;
	}
	return res;
}

void kernel_attach(struct kernel *k)
{
	static const uint8_t statuses[] = { 0x0, 0x1, 0x3, 0xb, 0xf };
	unsigned i;

	vduse_dev_start(k->dev, 0);
	for (i = 0; i < sizeof(statuses); i++)
		ck_assert_int_eq(kernel_set_status(k, statuses[i]), 0);
	kernel_log(k);
}

const char *kernel_log(struct kernel *k)
{
	static char text[sizeof(k->log)];
	size_t len = strlen(k->log);

	memcpy(text, k->log, len + 1);
	if (len)
		text[len - 1] = '\0';
	k->log[0] = '\0';
	return text;
}
