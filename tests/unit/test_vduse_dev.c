/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* A VDUSE device: the kernel's messages, in order and out of it. */
#include <check.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/loop.h"
#include "tests/unit/vduse_kernel.h"
#include "vduse/dev.h"

#define ALL	   "start0@0 start1@0 start2@0 done"
#define ALL_AGAIN  "start0@7 start1@0 start2@9 done"
#define EVERYWHERE UINT64_MAX

static struct kernel k;

static void setup(void)
{
	kernel_init(&k);
}

static void teardown(void)
{
	kernel_free(&k);
}

START_TEST(test_attach)
{
	vduse_dev_start(k.dev, 0);
	ck_assert_str_eq(kernel_log(&k), "");
	ck_assert_int_eq(kernel_set_status(&k, 0x0), 0);
	ck_assert_str_eq(kernel_log(&k), "stop reset status:0");
	ck_assert_int_eq(kernel_set_status(&k, 0x1), 0);
	ck_assert_int_eq(kernel_set_status(&k, 0x3), 0);
	ck_assert_str_eq(kernel_log(&k), "status:1 status:3");
	ck_assert_int_eq(kernel_set_status(&k, 0xb), 0);
	ck_assert_str_eq(kernel_log(&k), "check:300000000 status:b");
	ck_assert_int_eq(kernel_set_status(&k, 0xf), 0);
	ck_assert_str_eq(kernel_log(&k), ALL " status:f");
}
END_TEST

START_TEST(test_the_setup_is_the_kernels)
{
	k.vq[1].ready = 0;
	k.vq[2].num = 0;
	k.vq[0].split.avail_index = 3;
	vduse_dev_start(k.dev, 0);
	ck_assert_int_eq(kernel_set_status(&k, 0xb), 0);
	kernel_log(&k);
	ck_assert_int_eq(kernel_set_status(&k, 0xf), 0);
	/* A queue that the driver does not use is not waited for. */
	ck_assert_str_eq(kernel_log(&k), "start0@3 done status:f");
	ck_assert_uint_eq(k.setup[0].num, 8);
	ck_assert_uint_eq(k.setup[0].features, k.features);
	ck_assert_uint_eq(k.setup[0].desc_addr, 0x1000);
	ck_assert_uint_eq(k.setup[0].driver_addr, 0x1400);
	ck_assert_uint_eq(k.setup[0].device_addr, 0x1800);
}
END_TEST

START_TEST(test_driver_ok_waits_for_the_queues)
{
	vduse_dev_start(k.dev, 0);
	ck_assert_int_eq(kernel_set_status(&k, 0xb), 0);
	kernel_log(&k);
	k.later = true;
	ck_assert_int_eq(kernel_set_status(&k, 0xf), -1);
	ck_assert_str_eq(kernel_log(&k), ALL);
	vduse_dev_continue(k.dev);
	kernel_turns(&k);
	ck_assert_str_eq(kernel_log(&k), "status:f");
}
END_TEST

START_TEST(test_driver_ok_starts_once)
{
	kernel_attach(&k);
	ck_assert_int_eq(kernel_set_status(&k, 0xf), 0);
	ck_assert_str_eq(kernel_log(&k), "status:f");
	/* FAILED on top: the driver will reset the device. */
	ck_assert_int_eq(kernel_set_status(&k, 0x8f), 0);
	ck_assert_str_eq(kernel_log(&k), "status:8f");
}
END_TEST

/* DRIVER_OK is not to come twice without a reset in between. */
START_TEST(test_status_goes_up_only)
{
	kernel_attach(&k);
	ck_assert_int_eq(kernel_set_status(&k, 0x1), 1);
	ck_assert_int_eq(kernel_set_status(&k, 0xb), 1);
	ck_assert_int_eq(kernel_set_status(&k, 0xf), 0);
	ck_assert_str_eq(kernel_log(&k), "status:f");
	ck_assert_int_eq(kernel_set_status(&k, 0), 0);
	ck_assert_int_eq(kernel_set_status(&k, 0x1), 0);
	ck_assert_str_eq(kernel_log(&k), "stop reset status:0 status:1");
}
END_TEST

START_TEST(test_features_refused)
{
	vduse_dev_start(k.dev, 0);
	ck_assert_int_eq(kernel_set_status(&k, 0x3), 0);
	kernel_log(&k);
	k.refuse = -EINVAL;
	ck_assert_int_eq(kernel_set_status(&k, 0xb), 1);
	ck_assert_str_eq(kernel_log(&k), "check:300000000");
	/* The driver says FAILED, and may try again after a reset. */
	ck_assert_int_eq(kernel_set_status(&k, 0x83), 0);
	ck_assert_int_eq(kernel_set_status(&k, 0), 0);
	kernel_log(&k);
	k.refuse = 0;
	ck_assert_int_eq(kernel_set_status(&k, 0xb), 0);
	ck_assert_str_eq(kernel_log(&k), "check:300000000 status:b");
}
END_TEST

START_TEST(test_reset_drains_first)
{
	struct vduse_dev_response resp;

	kernel_attach(&k);
	k.later = true;
	ck_assert_int_eq(kernel_set_status(&k, 0), -1);
	ck_assert_str_eq(kernel_log(&k), "stop");
	kernel_turns(&k);
	ck_assert(!kernel_answer(&k, &resp));
	vduse_dev_continue(k.dev);
	ck_assert(kernel_answer(&k, &resp));
	ck_assert_uint_eq(resp.result, 0);
	ck_assert_str_eq(kernel_log(&k), "reset status:0");
	/* Detaching sends this after the reset, and waits for the answer. */
	ck_assert_int_eq(kernel_set_status(&k, 0x1), 0);
}
END_TEST

START_TEST(test_one_message_at_a_time)
{
	struct vduse_dev_request req = { .type = VDUSE_UPDATE_IOTLB };
	struct vduse_dev_response resp;

	kernel_attach(&k);
	k.later = true;
	ck_assert_int_eq(kernel_set_status(&k, 0), -1);
	req.iova.last = EVERYWHERE;
	kernel_send(&k, &req);
	ck_assert_str_eq(kernel_log(&k), "stop");
	k.request_id--;
	vduse_dev_continue(k.dev);
	ck_assert(kernel_answer(&k, &resp));
	k.request_id++;
	k.later = false;
	kernel_turns(&k);
	ck_assert(kernel_answer(&k, &resp));
	ck_assert_uint_eq(resp.result, 0);
	ck_assert_str_eq(kernel_log(&k), "reset status:0 stop done");
}
END_TEST

static char *translate(unsigned i, uint64_t iova)
{
	uint64_t len = 1;

	return k.setup[i].ops->translate(k.setup[i].host, iova, &len, true);
}

START_TEST(test_update_iotlb)
{
	struct vduse_dev_response resp;

	k.region_fd = memfd_create("t", MFD_CLOEXEC);
	k.region_len = 8192;
	ck_assert_int_eq(ftruncate(k.region_fd, 8192), 0);
	kernel_attach(&k);
	ck_assert_ptr_nonnull(translate(0, 0));
	ck_assert_ptr_nonnull(translate(1, 4096));
	ck_assert_ptr_nonnull(translate(1, 5000));
	ck_assert_uint_eq(k.regions, 2);

	k.later = true;
	ck_assert_int_eq(kernel_update_iotlb(&k, 0, EVERYWHERE), -1);
	ck_assert_str_eq(kernel_log(&k), "stop");
	/* The queues go on where they stopped, after the answer. */
	k.state[0].avail_index = 7;
	k.state[2].avail_index = 9;
	vduse_dev_continue(k.dev);
	ck_assert(kernel_answer(&k, &resp));
	ck_assert_uint_eq(resp.result, 0);
	ck_assert_str_eq(kernel_log(&k), ALL_AGAIN);
	ck_assert_ptr_nonnull(translate(1, 4096));
	ck_assert_uint_eq(k.regions, 3);

	/* No message is taken while they start. */
	ck_assert_int_eq(kernel_set_status(&k, 0), -1);
	ck_assert_str_eq(kernel_log(&k), "");
	k.later = false;
	vduse_dev_continue(k.dev);
	kernel_turns(&k);
	ck_assert_str_eq(kernel_log(&k), "stop reset status:0");
}
END_TEST

START_TEST(test_update_iotlb_elsewhere)
{
	k.region_fd = memfd_create("t", MFD_CLOEXEC);
	k.region_len = 4096;
	ck_assert_int_eq(ftruncate(k.region_fd, 4096), 0);
	kernel_attach(&k);
	ck_assert_ptr_nonnull(translate(0, 0));
	ck_assert_int_eq(kernel_update_iotlb(&k, 4096, EVERYWHERE), 0);
	ck_assert_ptr_nonnull(translate(0, 0));
	ck_assert_uint_eq(k.regions, 1);
	/* A reset forgets all. */
	ck_assert_int_eq(kernel_set_status(&k, 0), 0);
	ck_assert_int_eq(kernel_set_status(&k, 0xb), 0);
	ck_assert_int_eq(kernel_set_status(&k, 0xf), 0);
	ck_assert_ptr_nonnull(translate(0, 0));
	ck_assert_uint_eq(k.regions, 2);
	/* A region that the kernel does not know is no address. */
	close(k.region_fd);
	k.region_fd = -1;
	ck_assert_ptr_null(translate(1, 0));
}
END_TEST

START_TEST(test_get_state)
{
	struct vduse_vq_state state = { 0 };

	kernel_attach(&k);
	k.state[0].avail_index = 7;
	k.state[2].avail_index = 9;
	ck_assert_int_eq(kernel_get_state(&k, 2, &state), 0);
	ck_assert_uint_eq(state.split.avail_index, 9);
	ck_assert_str_eq(kernel_log(&k), "stop " ALL_AGAIN);
	ck_assert_int_eq(kernel_get_state(&k, KERNEL_QUEUES, &state), 1);
	ck_assert_int_eq(kernel_get_state(&k, UINT32_MAX, &state), 1);
	ck_assert_str_eq(kernel_log(&k), "");
}
END_TEST

START_TEST(test_get_state_of_an_idle_queue)
{
	struct vduse_vq_state state = { .split.avail_index = 1 };

	kernel_attach(&k);
	/* What the owner remembers of the time before the reset is void. */
	k.state[0].avail_index = 7;
	ck_assert_int_eq(kernel_set_status(&k, 0), 0);
	ck_assert_int_eq(kernel_get_state(&k, 0, &state), 0);
	ck_assert_uint_eq(state.split.avail_index, 0);
}
END_TEST

/*
 * Kernels send these to who asks for them only: SET_VQ_GROUP_ASID for API
 * version 1, SET_VQ_READY and SUSPEND for features of Linux 7.3.
 */
START_TEST(test_unknown_message)
{
	static const uint32_t types[] = { 3, 4, 5, 99, UINT32_MAX };
	struct vduse_dev_request req = { .type = types[_i] };
	struct vduse_dev_response resp;

	kernel_attach(&k);
	kernel_send(&k, &req);
	ck_assert(kernel_answer(&k, &resp));
	ck_assert_uint_eq(resp.result, VDUSE_REQ_RESULT_FAILED);
	ck_assert_str_eq(kernel_log(&k), "");
	ck_assert_int_eq(kernel_set_status(&k, 0), 0);
}
END_TEST

/* A packed ring goes on at two places, each with its wrap counter. */
START_TEST(test_packed_state)
{
	struct vduse_vq_state state = { 0 };

	k.features |= 1ULL << VIRTIO_F_RING_PACKED;
	k.vq[0].packed.last_avail_counter = 1;
	k.vq[0].packed.last_used_counter = 1;
	k.vq[1].packed.last_avail_idx = 5;
	k.vq[1].packed.last_used_idx = 4;
	vduse_dev_start(k.dev, 0xf);
	ck_assert(k.setup[0].state.last_avail_counter);
	ck_assert(k.setup[0].state.last_used_counter);
	ck_assert_uint_eq(k.setup[0].state.last_avail_idx, 0);
	ck_assert_uint_eq(k.setup[0].state.avail_index, 0);
	ck_assert(!k.setup[1].state.last_avail_counter);
	ck_assert(!k.setup[1].state.last_used_counter);
	ck_assert_uint_eq(k.setup[1].state.last_avail_idx, 5);
	ck_assert_uint_eq(k.setup[1].state.last_used_idx, 4);
	k.state[2] = (struct virtq_state){ .last_avail_idx = 300,
					   .last_used_idx = 299,
					   .last_used_counter = true };
	ck_assert_int_eq(kernel_get_state(&k, 2, &state), 0);
	ck_assert_uint_eq(state.packed.last_avail_idx, 300);
	ck_assert_uint_eq(state.packed.last_avail_counter, 0);
	ck_assert_uint_eq(state.packed.last_used_idx, 299);
	ck_assert_uint_eq(state.packed.last_used_counter, 1);
	/* The queues were started again from there. */
	ck_assert_uint_eq(k.setup[2].state.last_avail_idx, 300);
	ck_assert_uint_eq(k.setup[2].state.last_used_idx, 299);
	ck_assert(k.setup[2].state.last_used_counter);
}
END_TEST

START_TEST(test_kick)
{
	ck_assert_int_eq(vduse_dev_set_kick(k.dev, 2, 17), 0);
	ck_assert_int_eq(k.kick_fd[2], 17);
	k.fail_request = VDUSE_VQ_SETUP_KICKFD;
	k.fail_at = 1;
	k.fail_err = -EINVAL;
	ck_assert_int_eq(vduse_dev_set_kick(k.dev, 2, 18), -EINVAL);
}
END_TEST

START_TEST(test_config)
{
	ck_assert_int_eq(vduse_dev_set_config(k.dev, 8, "\1\2\3\4", 4), 0);
	ck_assert_uint_eq(k.config_offset, 8);
	ck_assert_uint_eq(k.config_len, 4);
	ck_assert_mem_eq(k.config, "\1\2\3\4", 4);
	ck_assert_uint_eq(k.config_irqs, 1);
	k.fail_request = VDUSE_DEV_INJECT_CONFIG_IRQ;
	k.fail_at = 1;
	k.fail_err = -EINVAL;
	ck_assert_int_eq(vduse_dev_set_config(k.dev, 0, "x", 1), 0);
	k.fail_at = 1;
	k.fail_err = -EPERM;
	ck_assert_int_eq(vduse_dev_set_config(k.dev, 0, "x", 1), -EPERM);
	k.fail_request = VDUSE_DEV_SET_CONFIG;
	k.fail_at = 1;
	ck_assert_int_eq(vduse_dev_set_config(k.dev, 0, "x", 1), -EPERM);
	ck_assert_uint_eq(k.config_irqs, 1);
}
END_TEST

/* The whole life of a device asks for nothing that Linux 5.15 lacks. */
START_TEST(test_oldest_kernel)
{
	struct vduse_vq_state state;

	kernel_attach(&k);
	ck_assert_ptr_null(translate(0, 0));
	k.setup[0].ops->interrupt(k.setup[0].host);
	ck_assert_uint_eq(k.irqs, 1);
	ck_assert_int_eq(vduse_dev_set_kick(k.dev, 0, 17), 0);
	ck_assert_int_eq(vduse_dev_set_config(k.dev, 0, "x", 1), 0);
	ck_assert_int_eq(kernel_update_iotlb(&k, 0, EVERYWHERE), 0);
	ck_assert_int_eq(kernel_get_state(&k, 0, &state), 0);
	ck_assert_int_eq(kernel_set_status(&k, 0), 0);
	ck_assert_uint_eq(k.lacking, 0);
}
END_TEST

static void add_messages(TCase *tc)
{
	tcase_add_test(tc, test_attach);
	tcase_add_test(tc, test_the_setup_is_the_kernels);
	tcase_add_test(tc, test_driver_ok_waits_for_the_queues);
	tcase_add_test(tc, test_driver_ok_starts_once);
	tcase_add_test(tc, test_status_goes_up_only);
	tcase_add_test(tc, test_features_refused);
	tcase_add_test(tc, test_reset_drains_first);
	tcase_add_test(tc, test_one_message_at_a_time);
	tcase_add_test(tc, test_update_iotlb);
	tcase_add_test(tc, test_update_iotlb_elsewhere);
	tcase_add_test(tc, test_get_state);
	tcase_add_test(tc, test_packed_state);
	tcase_add_test(tc, test_get_state_of_an_idle_queue);
	tcase_add_loop_test(tc, test_unknown_message, 0, 5);
	tcase_add_test(tc, test_oldest_kernel);
	tcase_add_test(tc, test_kick);
	tcase_add_test(tc, test_config);
}

int main(void)
{
	Suite *s = suite_create("vduse_dev");
	TCase *tc = tcase_create("vduse_dev");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	add_messages(tc);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
