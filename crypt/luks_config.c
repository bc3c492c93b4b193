/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Changing a LUKS2 header's flags: see luks_config.h.
 */
#include <errno.h>
#include <libcryptsetup.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypt/luks_config.h"
#include "crypt/luks_image.h"
#include "crypt/luks_log.h"
#include "lib/why.h"

static int change_flags(struct crypt_device *cd, bool allow)
{
	uint32_t flags;
	int r;

	r = crypt_load(cd, CRYPT_LUKS2, NULL);
	if (!r)
		r = crypt_persistent_flags_get(cd, CRYPT_FLAGS_ACTIVATION,
					       &flags);
	if (r)
		return r;
	if (allow)
		flags |= CRYPT_ACTIVATE_ALLOW_DISCARDS;
	else
		flags &= ~(uint32_t)CRYPT_ACTIVATE_ALLOW_DISCARDS;
	return crypt_persistent_flags_set(cd, CRYPT_FLAGS_ACTIVATION, flags);
}

int luks_config_discards(int fd, bool allow, struct why *why)
{
	struct crypt_device *cd = NULL;
	struct luks_log log = { "" };
	char path[32];
	int r;

	luks_image_set_locking(fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = crypt_init(&cd, path);
	if (r)
		return why_set(why, r, "libcryptsetup cannot start: %s",
			       strerror(-r));
	luks_log_attach(&log, cd);
	r = change_flags(cd, allow);
	crypt_free(cd);
	if (r < 0)
		return why_set(why, r, "the header cannot be changed: %s",
			       luks_log_error(&log, r));
	if (fsync(fd))
		return why_set(why, -errno, "the header cannot be written: %s",
			       strerror(errno));
	return 0;
}
