/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The VDUSE device of a volume: see device.h.
 */
#include <errno.h>

#include "daemon/bounce.h"
#include "daemon/device.h"
#include "daemon/store.h"
#include "daemon/volume.h"
#include "lib/clock.h"
#include "lib/why.h"
#include "vduse/control.h"
#include "virtio/blk_dev.h"

#define DESTROY_PAUSE_MS 50

/* Only before the device is attached for the first time. */
static int provide_bounce(const struct volume *volume, struct why *why)
{
	struct bounce_plan plan;
	int err = bounce_plan(volume, &plan, why);

	if (!err)
		err = vduse_raise_bounce(volume->name, plan.bytes, why);
	return err;
}

int device_make(const struct volume *volume, bool *ret_created, struct why *why)
{
	struct vduse_params params = {
		.name = volume->name,
		.nr_queues = volume->nr_queues,
		.queue_size = volume->queue_size,
	};
	struct blk_dev *dead;
	unsigned char config[256];
	struct vblk *vblk;
	int err;

	/* The worker's disk has the same geometry. */
	err = store_open_dead(volume, &dead, why);
	if (err)
		return err;
	err = volume_vblk(volume, dead, &vblk, why);
	if (!err) {
		params.features = vblk_features(vblk);
		params.config_len = vblk_config(vblk, config, sizeof(config));
		params.config = config;
		err = vduse_create(volume->control_fd, &params, why);
		vblk_free(vblk);
	}
	store_close(dead);
	*ret_created = !err;
	return err ? err : provide_bounce(volume, why);
}

int device_destroy(int control_fd, const char *name, unsigned patience_ms)
{
	int64_t deadline = clock_ms() + patience_ms;
	int err;

	for (;;) {
		err = vduse_destroy(control_fd, name);
		if (err != -EBUSY || clock_ms() >= deadline)
			return err;
		clock_pause(DESTROY_PAUSE_MS);
	}
}
