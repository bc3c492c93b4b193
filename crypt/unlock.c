/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * From an image and a passphrase to a volume key: see unlock.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypt/luks_image.h"
#include "crypt/luks_pair.h"
#include "crypt/unlock.h"
#include "crypt/unlock_child.h"
#include "lib/secmem.h"

#define PROBE_SECONDS  60
#define UNLOCK_SECONDS 600 /* all key slots, on a slow machine */

static int bad_answer(struct why *why)
{
	return why_set(why, -EIO,
		       "the header reader gave a senseless answer:"
		       " the header may be hostile");
}

static bool ends(const char *s, size_t size)
{
	return memchr(s, '\0', size);
}

/* The child may have been taken over: hold its answer against the image. */
static bool place_sane(const struct volume_info *info,
		       const struct header_job *job)
{
	if (info->header_size > job->header_size ||
	    info->slots_offset > info->header_size ||
	    info->detached != (job->layout == LUKS_DETACHED))
		return false;
	if (job->layout == LUKS_NO_DATA)
		return !info->data_size;
	if (job->layout == LUKS_ATTACHED &&
	    info->data_offset < info->header_size)
		return false;
	return info->data_size && info->data_offset <= job->data_size &&
	       info->data_size <= job->data_size - info->data_offset;
}

static bool info_sane(const struct volume_info *info,
		      const struct header_job *job)
{
	uint32_t sector = info->sector_size;

	return ends(info->cipher, sizeof(info->cipher)) &&
	       ends(info->type, sizeof(info->type)) &&
	       ends(info->uuid, sizeof(info->uuid)) &&
	       ends(info->label, sizeof(info->label)) &&
	       ends(info->note, sizeof(info->note)) &&
	       (!strcmp(info->cipher, "aes-xts-plain64") ||
		!strcmp(info->cipher, "aes-xts-plain")) &&
	       (info->key_bytes == 32 || info->key_bytes == 64 ||
		(!info->key_bytes && job->layout == LUKS_NO_DATA)) &&
	       (sector == 512 || sector == 1024 || sector == 2048 ||
		sector == 4096) &&
	       info->header_size && info->data_offset % sector == 0 &&
	       info->data_size % sector == 0 && place_sane(info, job);
}

int header_job_ask(struct header_job *job, const struct header_extras *extras,
		   struct volume_info *ret_info, struct why *why)
{
	struct header_answer *answer;
	void *p;
	int r;

	r = header_job_measure(job, why);
	if (r)
		return r;
	if (secmem_alloc(sizeof(*answer), &p))
		return why_set(why, -ENOMEM,
			       "no locked memory for the key"
			       " (ulimit -l)");
	answer = p;
	r = header_job_run(job, answer, NULL, why);
	if (extras->headers)
		*extras->headers = answer->headers;
	if (!r && !info_sane(&answer->info, job))
		r = bad_answer(why);
	if (!r && job->layout == LUKS_DETACHED)
		r = luks_pair_check(job->request.data_fd, &answer->info, why);
	if (!r) {
		*ret_info = answer->info;
		if (extras->key)
			memcpy(extras->key, answer->key, VOLUME_KEY_MAX);
		if (extras->plan)
			*extras->plan = answer->plan;
	}
	secmem_free(p, sizeof(*answer));
	return r;
}

int volume_probe(const struct volume_request *request,
		 struct volume_info *ret_info, struct why *why)
{
	struct header_job job = {
		.op = HEADER_PROBE,
		.request = *request,
		.timeout = PROBE_SECONDS,
	};

	return header_job_ask(&job, &(struct header_extras){ 0 }, ret_info,
			      why);
}

static int take_copy(enum header_op op, const struct volume_request *request,
		     struct volume_info *ret_info, int *ret_copy,
		     struct why *why)
{
	int fd = -1, r;
	struct header_job job = {
		.op = op,
		.request = *request,
		.timeout = PROBE_SECONDS,
		.ret_copy_fd = &fd,
	};

	r = header_job_ask(&job, &(struct header_extras){ 0 }, ret_info, why);
	if (r && fd >= 0)
		close(fd);
	if (!r)
		*ret_copy = fd;
	return r;
}

int volume_probe_copy(const struct volume_request *request,
		      struct volume_info *ret_info, int *ret_copy,
		      struct why *why)
{
	return take_copy(HEADER_PROBE, request, ret_info, ret_copy, why);
}

int volume_repair_copy(const struct volume_request *request,
		       struct volume_info *ret_info, int *ret_copy,
		       struct why *why)
{
	return take_copy(HEADER_REPAIR, request, ret_info, ret_copy, why);
}

int volume_check(const struct volume_request *request,
		 struct luks_headers *ret_headers, struct volume_info *ret_info,
		 struct why *why)
{
	struct header_job job = {
		.op = HEADER_PROBE,
		.request = *request,
		.timeout = PROBE_SECONDS,
	};
	const struct header_extras extras = { .headers = ret_headers };

	memset(ret_headers, 0, sizeof(*ret_headers));
	return header_job_ask(&job, &extras, ret_info, why);
}

int volume_unlock(const struct volume_request *request,
		  uint8_t key[static VOLUME_KEY_MAX],
		  struct volume_info *ret_info, struct why *why)
{
	struct header_job job = {
		.op = HEADER_UNLOCK,
		.request = *request,
		.timeout = UNLOCK_SECONDS,
	};
	int r;

	r = kdf_memory_available("", &job.memory);
	if (r)
		return why_set(why, r, "/proc/meminfo cannot be read: %s",
			       strerror(-r));
	return header_job_ask(&job, &(struct header_extras){ .key = key },
			      ret_info, why);
}

int volume_dump(const struct volume_request *request,
		enum volume_dump_format format, char **ret_text,
		struct why *why)
{
	struct header_job job = {
		.op = HEADER_DUMP,
		.format = format,
		.request = *request,
		.timeout = PROBE_SECONDS,
	};
	struct header_answer *answer;
	char *text = NULL;
	void *p;
	int r;

	r = header_job_measure(&job, why);
	if (r)
		return r;
	if (secmem_alloc(sizeof(*answer), &p))
		return why_set(why, -ENOMEM, "no locked memory (ulimit -l)");
	answer = p;
	r = header_job_run(&job, answer, &text, why);
	if (!r && !text)
		r = bad_answer(why);
	if (!r)
		*ret_text = text;
	secmem_free(p, sizeof(*answer));
	return r;
}
