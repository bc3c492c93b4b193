/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Changing the key slots of a container: see volume_keys.h.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "crypt/kdf_limits.h"
#include "crypt/luks_image.h"
#include "crypt/unlock_child.h"
#include "crypt/volume_keys.h"
#include "lib/why.h"

#define CHANGE_SECONDS 600 /* key slots tried, on a slow machine */
/* libcryptsetup measures several times, up to what it is to reach. */
#define MEASURE_FACTOR 10

/* Under libcryptsetup's lock, so that it is one step for others. */
static int run(struct header_job *job, struct volume_info *ret_info,
	       struct why *why)
{
	int fd = job->request.header_fd, copy_fd = -1, r;
	struct luks_plan plan;
	const struct header_extras extras = { .plan = &plan };

	r = luks_image_flock(fd, false, why);
	if (r)
		return r;
	job->ret_copy_fd = &copy_fd;
	r = header_job_ask(job, &extras, ret_info, why);
	if (r)
		goto out_close;
	if (luks_plan_sane(&plan, ret_info->header_size))
		r = luks_commit(fd, copy_fd, &plan, why);
	else
		r = why_set(why, -EIO,
			    "the header reader gave a senseless answer:"
			    " the header may be hostile");
out_close:
	if (copy_fd >= 0)
		close(copy_fd);
	luks_image_funlock(fd);
	return r;
}

/* Costs that are left open are chosen for this machine. */
static int check_costs(struct luks_key_change *change,
		       struct kdf_memory *ret_memory, struct why *why)
{
	int r = kdf_memory_available("", ret_memory);

	if (r)
		return why_set(why, r, "/proc/meminfo cannot be read: %s",
			       strerror(-r));
	if (change->op != LUKS_KEY_ADD && change->op != LUKS_KEY_CHANGE)
		return 0;
	return luks_pbkdf_check(&change->kdf, ret_memory, why);
}

int volume_keys_check(const struct volume_info *info,
		      struct luks_key_change *change, struct why *why)
{
	struct luks_key_change checked;
	struct kdf_memory memory;

	if (!info->key_slots)
		return why_set(why, -EINVAL,
			       "no key slot is left (was it"
			       " erased?)");
	/* LUKS1 has no other. */
	if (!strcmp(info->type, "LUKS1") && !change->kdf.type)
		change->kdf.type = "pbkdf2";
	checked = *change;
	return check_costs(&checked, &memory, why);
}

int volume_keys_change(const struct volume_request *request,
		       const struct luks_key_change *change,
		       struct volume_info *ret_info, struct why *why)
{
	struct luks_key_change checked = *change;
	struct header_job job = {
		.op = HEADER_CHANGE,
		.request = *request,
		.change = &checked,
		.timeout = CHANGE_SECONDS,
	};
	struct volume_info info;
	int r;

	r = check_costs(&checked, &job.memory, why);
	if (r)
		return r;
	job.timeout += checked.kdf.time_ms / 1000 * MEASURE_FACTOR;
	r = run(&job, &info, why);
	if (!r)
		*ret_info = info;
	return r;
}
