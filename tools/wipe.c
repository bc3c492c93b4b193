/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Filling the data area of a new container: see wipe.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "crypt/arena.h"
#include "crypt/data_area.h"
#include "crypt/unlock.h"
#include "lib/secmem.h"
#include "lib/why.h"
#include "tools/passphrase.h"
#include "tools/progress.h"
#include "tools/wipe.h"

static int on_progress(void *arg, uint64_t at)
{
	progress_update(arg, at);
	return 0;
}

static int wipe(int fd, const struct volume_info *info, const uint8_t *key,
		const struct progress_args *args, struct why *why)
{
	struct progress progress;
	int err = arena_install(why);

	if (err)
		return err;
	progress_start(&progress, args, "wipe", 0, info->data_size);
	err = data_area_wipe(fd, "data area", info, key, on_progress, &progress,
			     why);
	progress_end(&progress);
	return err;
}

int wipe_container(const char *header, int fd, const struct secret *secret,
		   const struct progress_args *args, struct why *why)
{
	struct volume_request request = VOLUME_REQUEST(fd);
	struct volume_info info;
	uint8_t *key;
	int err;

	err = secmem_alloc(VOLUME_KEY_MAX, (void **)&key);
	if (err)
		return why_set(why, err,
			       "no locked memory for the key (ulimit -l)");
	if (header) {
		request.header_fd = open(header, O_RDONLY | O_CLOEXEC);
		if (request.header_fd < 0) {
			err = why_set(why, -errno, "%s: %s", header,
				      strerror(errno));
			goto out_key;
		}
	}
	request.passphrase = secret->data;
	request.passphrase_len = secret->len;
	err = volume_unlock(&request, key, &info, why);
	if (!err)
		err = wipe(fd, &info, key, args, why);
	if (header)
		close(request.header_fd);
out_key:
	secmem_free(key, VOLUME_KEY_MAX);
	return err;
}
