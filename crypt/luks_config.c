/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Changing a LUKS2 header's flags: see luks_config.h.
 */
#include <errno.h>
#include <libcryptsetup.h>
#include <stdint.h>

#include "crypt/luks_config.h"
#include "crypt/luks_reader_int.h"
#include "lib/why.h"

static int change_flags(struct crypt_device *cd, bool allow)
{
	const uint32_t flag = CRYPT_ACTIVATE_ALLOW_DISCARDS;
	uint32_t flags;
	int r;

	r = crypt_persistent_flags_get(cd, CRYPT_FLAGS_ACTIVATION, &flags);
	if (r || !(flags & flag) == !allow)
		return r;
	return crypt_persistent_flags_set(cd, CRYPT_FLAGS_ACTIVATION,
					  allow ? flags | flag : flags & ~flag);
}

int luks_config_discards(struct luks_reader *reader, bool allow,
			 struct why *why)
{
	int r;

	if (reader->headers.version != 2)
		return why_set(why, -EINVAL,
			       "a LUKS1 header has no flags (use open"
			       " --allow-discards)");
	r = change_flags(reader->cd, allow);
	return r < 0 ? why_set(why, r, "the header cannot be changed: %s",
			       luks_log_error(&reader->log, r))
		     : 0;
}
