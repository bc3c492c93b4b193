/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What libcryptsetup says: see luks_log.h.
 */
#include <libcryptsetup.h>
#include <string.h>

#include "crypt/luks_log.h"

static void take(int level, const char *msg, void *arg)
{
	struct luks_log *log = arg;

	if (level == CRYPT_LOG_ERROR && !log->error[0]) {
		snprintf(log->error, sizeof(log->error), "%s", msg);
		log->error[strcspn(log->error, "\n")] = '\0';
	} else if (level == CRYPT_LOG_NORMAL && log->text) {
		fputs(msg, log->text);
	}
}

void luks_log_attach(struct luks_log *log, struct crypt_device *cd)
{
	crypt_set_log_callback(cd, take, log);
}

const char *luks_log_error(const struct luks_log *log, int err)
{
	return log->error[0] ? log->error : strerror(err < 0 ? -err : err);
}
