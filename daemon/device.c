/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The VDUSE device of a volume: made before the first worker, destroyed after
 * the last.
 */
#include <errno.h>
#include <string.h>

#include "daemon/bounce.h"
#include "daemon/monitor_state.h"
#include "daemon/store.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/why.h"
#include "vduse/control.h"
#include "virtio/blk_dev.h"

#define DESTROY_PATIENCE_MS 5000
#define DESTROY_PAUSE_MS    50

/* Only before the device is attached for the first time. */
static int provide_bounce(const struct volume *volume, struct why *why)
{
	struct bounce_plan plan;
	int err = bounce_plan(volume, &plan, why);

	if (!err)
		err = vduse_raise_bounce(volume->name, plan.bytes, why);
	return err;
}

int device_make(struct monitor *m, struct why *why)
{
	const struct volume *volume = m->volume;
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
	m->created = !err;
	return err ? err : provide_bounce(volume, why);
}

/* The worker is gone; what it held open may follow in a moment. */
void device_destroy(struct monitor *m)
{
	int64_t deadline = clock_ms() + DESTROY_PATIENCE_MS;
	int err;

	if (!m->created)
		return;
	do {
		err = vduse_destroy(m->volume->control_fd, m->volume->name);
		if (err == -EBUSY)
			clock_pause(DESTROY_PAUSE_MS);
	} while (err == -EBUSY && clock_ms() < deadline);
	if (err)
		log_error("VDUSE_DESTROY_DEV: %s", strerror(-err));
}
