/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The jailed child that answers one question to a header: see unlock_child.h.
 *
 * It gets the image for reading, a memfd for its copy of the header and a pipe
 * for the answer, except for the key.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypt/luks_memory.h"
#include "crypt/plain.h"
#include "crypt/unlock_child.h"
#include "crypt/unlock_jail.h"
#include "lib/secmem.h"
#include "lib/transfer.h"

#define CPU_FACTOR 4 /* threads that derive a key at the same time */

/*
 * A descriptor for reading only, so that the image cannot be mapped for
 * writing either.  The given one does when it is such a one.
 */
static int reopen_readonly(int fd)
{
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = open(path, O_RDONLY | O_CLOEXEC);
	if (r < 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return fd;
	return r < 0 ? -errno : r;
}

static int open_token(const struct header_job *job,
		      const struct unlock_jail *jail,
		      struct header_answer *answer)
{
	const struct token_plugin_job plugin_job = {
		.scratch_fd = jail->copy_fd,
		.token = job->token,
		.json = job->token_json,
		.pin = job->request.passphrase,
		.pin_len = job->request.passphrase_len,
	};

	return token_plugin_open(&plugin_job, answer->passphrase,
				 &answer->passphrase_len, &answer->why);
}

static int work(const struct header_job *job, const struct unlock_jail *jail,
		struct header_answer *answer, char **text)
{
	const struct luks_source source = {
		.header_fd = jail->image_fd,
		.copy_fd = jail->copy_fd,
		.layout = job->layout,
		.header_size = job->header_size,
		.data_size = job->data_size,
		.repair = job->op == HEADER_REPAIR,
		.ret_headers = &answer->headers,
	};
	struct luks_reader *reader;
	int r;

	if (job->op == HEADER_TOKEN_OPEN)
		return open_token(job, jail, answer);
	if (job->op == HEADER_PLAIN)
		return plain_hash_jailed(jail->copy_fd, job->plain,
					 job->request.passphrase,
					 job->request.passphrase_len,
					 answer->key, &answer->why);
	r = luks_reader_open(&source, &reader, &answer->why);
	if (r)
		return r;
	if (job->op == HEADER_DUMP)
		r = luks_reader_dump(reader, job->format, text, &answer->why);
	else
		r = luks_reader_judge(reader, &answer->info, &answer->why);
	if (!r && job->op == HEADER_TOKEN_FIND)
		r = luks_reader_token(reader, &job->query, &answer->token, text,
				      &answer->why);
	if (!r && job->op == HEADER_UNLOCK)
		r = luks_reader_unlock(reader, &job->memory, &job->request,
				       answer->key, &answer->info.key_slot,
				       &answer->why);
	if (!r && job->op == HEADER_CHANGE)
		r = luks_keys_change(reader, &job->request, &job->memory,
				     job->change, &answer->info.key_slot,
				     &answer->plan, &answer->why);
	luks_reader_close(reader);
	return r;
}

/* While it may: the jail has no new descriptors, and no root. */
static int lock_memory(const struct header_job *job, struct why *why)
{
	int r;

	if (!job->request.passphrase && job->op != HEADER_UNLOCK &&
	    job->op != HEADER_TOKEN_OPEN)
		return 0;
	r = luks_memory_prepare(why);
	return r ? r : luks_memory_lock(why);
}

static int lock_in(const struct header_job *job, struct unlock_jail *jail,
		   int parent_pid, struct why *why)
{
	int r = lock_memory(job, why);

	if (r)
		return r;
	r = jail->image_fd < 0 ? jail->image_fd : jail_enter(jail, parent_pid);
	return r ? why_set(why, r, "the sandbox cannot be set up: %s",
			   strerror(-r))
		 : 0;
}

/*
 * The key, or what a token gave, goes into secret memory that the parent has as
 * well, and not through the pipe, where the kernel would copy it.
 */
static void hand_over_key(struct header_answer *answer,
			  struct header_answer *to)
{
	if (!answer->err) {
		memcpy(to->key, answer->key, sizeof(to->key));
		memcpy(to->passphrase, answer->passphrase,
		       sizeof(to->passphrase));
	}
	explicit_bzero(answer->key, sizeof(answer->key));
	explicit_bzero(answer->passphrase, sizeof(answer->passphrase));
}

void header_job_work(const struct header_job *job, int copy_fd, int pipe_fd,
		     int parent_pid, struct header_answer *parents)
{
	struct unlock_jail jail = {
		.image_fd = job->op == HEADER_TOKEN_OPEN
				    ? copy_fd
				    : reopen_readonly(job->request.header_fd),
		.copy_fd = copy_fd,
		.devices = job->op == HEADER_TOKEN_OPEN
				   ? token_plugin_devices(job->token->type)
				   : NULL,
		.pipe_fd = pipe_fd,
		.write_copy = job->op == HEADER_CHANGE ||
			      job->op == HEADER_REPAIR,
		.memory_max = job->memory.bytes < KDF_MEMORY_MAX
				      ? job->memory.bytes
				      : KDF_MEMORY_MAX,
		.cpu_seconds = job->timeout * CPU_FACTOR,
	};
	struct header_answer *answer;
	char *text = NULL;
	void *p;

	if (secmem_alloc(sizeof(*answer), &p))
		_exit(2);
	answer = p;
	answer->err = lock_in(job, &jail, parent_pid, &answer->why);
	if (!answer->err && job->hook)
		job->hook();
	if (!answer->err)
		answer->err = work(job, &jail, answer, &text);
	if (text)
		answer->text_len = (uint32_t)strlen(text);
	if (answer->text_len > HEADER_TEXT_MAX)
		answer->text_len = HEADER_TEXT_MAX;
	hand_over_key(answer, parents);
	if (transfer_append(jail.pipe_fd, answer, HEADER_ANSWER_SENT) ||
	    transfer_append(jail.pipe_fd, text, answer->text_len))
		_exit(3);
	secmem_free(p, sizeof(*answer));
	_exit(0);
}
