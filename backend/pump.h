/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Copying the whole of one block device to another, or comparing the two,
 * from the start to the end with several requests in flight.
 *
 * It knows how far all is done, and when that is durable; where this is noted
 * so that another process can go on is the caller's part.
 */
#ifndef BACKEND_PUMP_H
#define BACKEND_PUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blk_dev;
struct why;

#define PUMP_CHUNK	(512u << 10) /* bytes; of a request */
#define PUMP_CHECKPOINT (64u << 20)  /* bytes; the usual interval */

enum pump_job {
	PUMP_COPY,
	PUMP_COMPARE,
};

/* All positions are in bytes.  The functions are optional. */
struct pump {
	enum pump_job job;
	struct blk_dev *from, *to;
	const char *from_name, *to_name; /* for the reason of a failure */

	/*
	 * What follows the last sector of @from, for a file whose size is no
	 * multiple of it; zeroes follow, up to the end of @to.
	 */
	const void *tail;
	size_t tail_len;

	/* Are these bytes of @from known to be zeroes, without reading? */
	bool (*is_zero)(void *arg, uint64_t at, uint64_t len);
	uint64_t interval; /* of checkpoints; 0: PUMP_CHECKPOINT */
	/*
	 * All before @at is copied and durable, or is equal.  Called when so
	 * much more is done, and at the end, whatever ended it.  0, or -errno,
	 * which ends the job.
	 */
	int (*checkpoint)(void *arg, uint64_t at, struct why *why);
	/*
	 * All before @at is done.  Called often.  0, or -errno, which ends
	 * the job when what was begun is done.
	 */
	int (*progress)(void *arg, uint64_t at);
	void *arg;
};

/*
 * Do it, from *@at to the end of @to, in a loop of its own.  *@at is a multiple
 * of PUMP_CHUNK.  When this returns, also with an error, all before *@at is
 * done, and nothing is in flight (unless io_uring itself has failed).
 *
 * Errors: -EBADMSG (they differ, at or soon after *@at), -ENOMEM, those of
 * io_uring, of the devices and of the functions.
 */
int pump_run(const struct pump *pump, uint64_t *at, struct why *why);

#endif
