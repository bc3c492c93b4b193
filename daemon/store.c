/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a worker serves: see store.h.
 */
#include <string.h>
#include <unistd.h>

#include "backend/dead.h"
#include "backend/file.h"
#include "backend/lock.h"
#include "crypt/cryptdev.h"
#include "daemon/bounce.h"
#include "daemon/store.h"
#include "daemon/volume.h"
#include "lib/why.h"
#include "virtio/blk_dev.h"

/*
 * A front end chooses the size of its rings, and 128 is usual.  A request has
 * no more descriptors than that (virtio 1.3, section 2.7.5.3.1).
 */
#define VHOST_SEG_MAX 126

static struct cryptdev_params cipher_params(const struct volume *volume)
{
	const struct volume_info *info = &volume->info;

	return (struct cryptdev_params){
		.key = volume->key,
		.key_bytes = info->key_bytes,
		.sector_size = info->sector_size,
		.iv = !strcmp(info->cipher, "aes-xts-plain") ? XTS_IV_PLAIN
							     : XTS_IV_PLAIN64,
		.iv_offset = info->iv_offset,
		.data_offset = info->data_offset,
		.data_size = info->data_size,
		.allow_discards = volume->allow_discards,
	};
}

int store_open_dead(const struct volume *volume, struct blk_dev **ret,
		    struct why *why)
{
	const struct cryptdev_params params = cipher_params(volume);
	struct blk_info info;
	int err;

	cryptdev_info(&volume->backing, &params, &info);
	info.cache = "none";
	err = dead_blk_new(&info, ret);
	return err ? why_set(why, err, "%s", strerror(-err)) : 0;
}

/*
 * The requests of a worker that was killed may still be on their way to the
 * image.  They hold its open file, and with it the lock, so having the lock
 * means that they have ended and nothing will overtake ours.
 */
static int wait_for_others(const struct volume *volume, int fd, struct why *why)
{
	int err = image_fence(fd, volume->readonly);

	return err ? why_set(why, err, "%s: %s", volume->image, strerror(-err))
		   : 0;
}

int store_open(const struct volume *volume, int image_fd, struct blk_dev **ret,
	       struct why *why)
{
	const struct file_blk_options options = {
		.readonly = volume->readonly,
	};
	const struct cryptdev_params params = cipher_params(volume);
	struct blk_dev *file;
	int err;

	if (image_fd < 0)
		return store_open_dead(volume, ret, why);
	err = wait_for_others(volume, image_fd, why);
	if (!err)
		err = file_blk_new(image_fd, &options, &file, why);
	if (err)
		return err;
	err = cryptdev_new(file, &params, ret, why);
	if (err)
		blk_close(file);
	return err;
}

void store_close(struct blk_dev *store)
{
	blk_close(store);
}

int volume_vblk(const struct volume *volume, struct blk_dev *store,
		struct vblk **ret, struct why *why)
{
	struct vblk_params params = {
		.nr_queues = volume->nr_queues,
		.queue_size = volume->queue_size,
		.packed = volume->packed,
		.readonly = volume->readonly,
	};
	size_t len = strlen(volume->name);
	struct bounce_plan plan = { .seg_max = VHOST_SEG_MAX };
	int err = 0;

	/* On a single CPU the driver does nothing while somebody looks. */
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		params.poll_us = volume->poll_us;
	params.physical = volume->vhost_user;
	params.config_writes = volume->vhost_user;
	if (!volume->vhost_user)
		err = bounce_plan(volume, &plan, why);
	if (err)
		return err;
	params.seg_max = plan.seg_max;
	params.size_max = plan.size_max;
	memcpy(params.serial, volume->name,
	       len < VBLK_SERIAL_LEN ? len : VBLK_SERIAL_LEN);
	return vblk_new(store, &params, ret, why);
}
