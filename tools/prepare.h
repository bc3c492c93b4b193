/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Getting a volume ready to be served, whatever the transport: the image is
 * opened and locked, the key unlocked.
 */
#ifndef TOOLS_PREPARE_H
#define TOOLS_PREPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/volume.h"
#include "tools/container.h"
#include "tools/options.h"
#include "tools/passphrase.h"
#include "tools/plain.h"
#include "tools/token.h"

struct why;

/* What was asked for on the command line; NULL: not said. */
struct serve_request {
	struct container_paths paths;
	const char *cache, *user, *key_slot;
	struct passphrase_source source;
	struct token_source token;
	struct plain_request plain;
	bool readonly, allow_discards;
	uint32_t queues; /* UINT32_MAX: not said */
	uint32_t queue_size, poll_us, death_limit;
};

#define SERVE_REQUEST_DEFAULT                                     \
	((struct serve_request){ .queues = UINT32_MAX,            \
				 .queue_size = VOLUME_QUEUE_SIZE, \
				 .poll_us = VOLUME_POLL_US,       \
				 .death_limit = VOLUME_DEATH_LIMIT })

/* The options, for a struct serve_request. */
extern const struct option serve_options[];

/* Do the options go together?  Errors: -EDOM. */
int serve_request_check(const struct serve_request *request, struct why *why);

/* A volume of which nothing is known, for volume_free; NULL: no memory. */
struct volume *volume_new(void);

/* Wipes the key.  NULL is allowed. */
void volume_free(struct volume *volume);

/*
 * Check the options, open and lock the image, and see what it is and who
 * serves it: all that can fail before anybody types.  -EDOM: an option is
 * wrong; -EBUSY: the image is in use; or -errno.
 */
int prepare_image(const struct serve_request *args, struct volume *volume,
		  struct why *why);

/*
 * Then the key, by a token or the passphrase.  -EPERM: it is wrong; or -errno.
 */
int prepare_key(const struct serve_request *args, struct volume *volume,
		struct why *why);

#endif
