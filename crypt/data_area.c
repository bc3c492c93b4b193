/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The data area of a container: see data_area.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "backend/blk.h"
#include "backend/file.h"
#include "backend/mem.h"
#include "backend/pump.h"
#include "crypt/cryptdev.h"
#include "crypt/data_area.h"
#include "crypt/unlock.h"
#include "lib/why.h"

int data_file_open(int fd, const char *name, bool readonly, uint32_t unit,
		   struct blk_dev **ret, struct why *why)
{
	const struct file_blk_options options = { .readonly = readonly };
	int copy, err;

	err = file_set_cache(fd, name, FILE_CACHE_AUTO, unit, why);
	if (err)
		return err;
	/* A device owns its descriptor. */
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return why_set(why, -errno, "%s: %s", name, strerror(errno));
	err = file_blk_new(copy, &options, ret, why);
	if (err) {
		close(copy);
		why_prefix(why, "%s", name);
	}
	return err;
}

int data_area_open(int fd, const char *name, const struct volume_info *info,
		   const uint8_t *key, uint64_t size, struct blk_dev **ret,
		   struct why *why)
{
	const struct cryptdev_params params = {
		.key = key,
		.key_bytes = info->key_bytes,
		.sector_size = info->sector_size,
		.iv = !strcmp(info->cipher, "aes-xts-plain") ? XTS_IV_PLAIN
							     : XTS_IV_PLAIN64,
		.data_offset = info->data_offset,
		.data_size = size,
	};
	struct blk_dev *file;
	int err;

	err = data_file_open(fd, name, false, info->sector_size, &file, why);
	if (err)
		return err;
	err = cryptdev_new(file, &params, ret, why);
	if (err) {
		blk_close(file);
		why_prefix(why, "%s", name);
	}
	return err;
}

int data_area_wipe(int fd, const char *name, const struct volume_info *info,
		   const uint8_t *key, int (*progress)(void *arg, uint64_t at),
		   void *arg, struct why *why)
{
	struct pump pump = {
		.job = PUMP_COPY,
		.from_name = "memory",
		.to_name = name,
		.interval = UINT64_MAX, /* durable at the end is enough */
		.progress = progress,
		.arg = arg,
	};
	uint64_t at = 0;
	int err;

	err = data_area_open(fd, name, info, key, info->data_size, &pump.to,
			     why);
	if (err)
		return err;
	/* One sector of zeroes, and the pump adds more of them. */
	err = mem_blk_new(1, &(struct mem_blk_options){ 0 }, &pump.from);
	if (!err) {
		err = pump_run(&pump, &at, why);
		blk_close(pump.from);
	} else {
		why_set(why, err, "no memory");
	}
	blk_close(pump.to);
	return err;
}
