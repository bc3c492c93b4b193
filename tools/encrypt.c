/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt encrypt: make an encrypted container of a plain disk image.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypt/arena.h"
#include "crypt/encrypt.h"
#include "crypt/luks_format.h"
#include "crypt/luks_memory.h"
#include "crypt/unlock.h"
#include "lib/secmem.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/encrypt_detached.h"
#include "tools/encrypt_files.h"
#include "tools/luks_options.h"
#include "tools/passphrase.h"
#include "tools/progress.h"

#define MIB (1u << 20)

struct encrypt_request {
	const char *image, *output, *detached;
	bool replace, restart;
	struct passphrase_source source;
	struct luks_args header;
	struct progress_args progress;
};

/* What is shown while it works. */
struct display {
	const struct progress_args *args;
	struct progress progress;
	enum encrypt_phase phase; /* ENCRYPT_HEADER: nothing yet */
};

/* The signal that asks to stop, 0: none. */
static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	stopped = sig;
}

static void catch_signals(void)
{
	static const int sigs[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = stop }, old;
	size_t i;

	sigemptyset(&action.sa_mask);
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		if (!sigaction(sigs[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(sigs[i], &action, NULL);
}

/* --- before anybody types ---------------------------------------------- */

/* The data of a container are whole sectors: zeroes follow the image's. */
static uint64_t padded(uint64_t size, uint32_t sector)
{
	if (!sector)
		sector = 512;
	return (size + sector - 1) / sector * sector;
}

static int plan(struct encrypt_request *req, struct encrypt_files *files,
		struct why *why)
{
	struct luks_format *luks = &req->header.luks;
	uint64_t size = (uint64_t)files->st.st_size;
	uint64_t data = padded(size, luks->sector_size);
	int err;

	if (files->found)
		return 0;
	luks->place.detached = req->detached;
	luks->place.data_offset = req->detached ? 0 : LUKS_DATA_OFFSET;
	files->journal.container = luks->place.data_offset + data;
	err = luks_format_check(luks, files->journal.container, why);
	if (err)
		why_prefix(why, "%s", req->image);
	else if (data > size)
		fprintf(stderr,
			"vcrypt: %s: is no multiple of a sector: %" PRIu64
			" zero bytes will follow\n",
			req->image, data - size);
	return err;
}

static int check_room(const struct encrypt_files *files, struct why *why)
{
	uint64_t needed, room;
	uint64_t has = (uint64_t)files->st.st_blocks * 512;
	int err = encrypt_files_check_room(files, files->journal.container,
					   &needed, &room, why);

	if (err)
		return err;
	/* Holes are data afterwards, which should not be a surprise. */
	if (needed > has + LUKS_DATA_OFFSET + MIB || isatty(STDERR_FILENO))
		fprintf(stderr,
			"vcrypt: %s: takes %" PRIu64 " MiB more (the image has "
			"%" PRIu64 " MiB, %" PRIu64 " MiB are free)\n",
			files->part, needed / MIB, has / MIB, room / MIB);
	return 0;
}

/* --- the container ----------------------------------------------------- */

static int get_passphrase(const struct encrypt_request *req, bool new,
			  struct secret *ret, struct why *why)
{
	struct passphrase_source source = req->source;
	struct secret secret;
	char prompt[128];
	int err;

	snprintf(prompt, sizeof(prompt), "Passphrase for %.80s", req->image);
	source.prompt = prompt;
	err = passphrase_get(&source, new, &secret, why);
	if (err)
		return err;
	if (new && !secret.len) {
		secret_free(&secret);
		return why_set(why, -EDOM,
			       "an empty passphrase protects nothing");
	}
	*ret = secret;
	return 0;
}

static int write_header(const struct encrypt_request *req,
			struct encrypt_files *files,
			const struct secret *secret, struct why *why)
{
	const struct luks_format *luks = &req->header.luks;
	int err;

	if (files->header.path)
		return encrypt_detached_make(files, luks, secret, why);
	err = encrypt_write_header(files->part_fd, files->part_fd, luks,
				   secret->data, secret->len, why);
	if (err)
		why_prefix(why, "%s", files->part);
	return err;
}

static int make_header(const struct encrypt_request *req,
		       struct encrypt_files *files, const struct secret *secret,
		       struct why *why)
{
	int err;

	err = encrypt_files_begin(files, files->journal.container, why);
	if (!err)
		err = write_header(req, files, secret, why);
	if (err)
		return err;
	files->journal.phase = ENCRYPT_COPY;
	err = encrypt_journal_write(files->part_fd, &files->journal);
	if (err)
		why_set(why, err, "%s: %s", files->part, strerror(-err));
	return err;
}

static int unlock(const struct encrypt_files *files,
		  const struct secret *secret, struct encrypt_job *job,
		  uint8_t *key, struct why *why)
{
	struct volume_request request = VOLUME_REQUEST(files->part_fd);
	int err;

	if (files->header.path)
		request.header_fd = files->header.fd;
	request.passphrase = secret->data;
	request.passphrase_len = secret->len;
	err = volume_unlock(&request, key, &job->info, why);
	if (!err)
		err = encrypt_job_check(job, why);
	if (err)
		why_prefix(why, "%s", files->part);
	else if (job->info.note[0])
		fprintf(stderr, "vcrypt: %s: %s\n", files->part,
			job->info.note);
	return err;
}

/* A header, new or that of the run before, and the key in it. */
static int open_container(const struct encrypt_request *req,
			  struct encrypt_files *files, struct encrypt_job *job,
			  uint8_t *key, struct why *why)
{
	struct secret secret;
	int err = get_passphrase(req, !files->found, &secret, why);

	if (err)
		return err;
	if (!files->found)
		err = make_header(req, files, &secret, why);
	if (err && files->part_fd >= 0)
		unlink(files->part);
	if (err && files->header.fd >= 0)
		unlink(files->header.part);
	job->container_fd = files->part_fd;
	job->journal = files->journal;
	if (!err)
		err = unlock(files, &secret, job, key, why);
	secret_free(&secret);
	return err;
}

/* --- the work ---------------------------------------------------------- */

static int on_progress(void *arg, enum encrypt_phase phase, uint64_t at,
		       uint64_t of)
{
	struct display *d = arg;

	if (d->phase != phase) {
		if (d->phase != ENCRYPT_HEADER)
			progress_end(&d->progress);
		d->phase = phase;
		progress_start(&d->progress, d->args,
			       phase == ENCRYPT_COPY ? "encrypt" : "verify", at,
			       of);
	}
	progress_update(&d->progress, at);
	return stopped ? -EINTR : 0;
}

/* What is done stays done; the reason says so. */
static int explain_stop(const struct encrypt_request *req,
			const struct encrypt_job *job, int err, struct why *why)
{
	uint64_t data = job->journal.container - job->info.data_offset;
	struct why old = *why;
	const char *phase = job->journal.phase == ENCRYPT_COPY ? "encrypting"
							       : "verifying";

	if (err == -EINTR && stopped)
		return why_set(why, err,
			       "%s: stopped %s at %" PRIu64
			       " %% (the same command goes on)",
			       req->image, phase, job->journal.at * 100 / data);
	if (err == -ESTALE)
		return why_set(why, err, "%s (--restart begins again)",
			       old.text);
	return why_set(why, err, "%s (the same command goes on)", old.text);
}

static int work(const struct encrypt_request *req, struct encrypt_files *files,
		struct encrypt_job *job, struct why *why)
{
	struct display display = { .args = &req->progress };
	int err = arena_install(why);

	if (err)
		return err;
	catch_signals();
	job->progress = on_progress;
	job->arg = &display;
	err = encrypt_run(job, why);
	if (display.phase != ENCRYPT_HEADER)
		progress_end(&display.progress);
	files->journal = job->journal;
	if (err)
		return explain_stop(req, job, err, why);
	/* Data without a header are lost, a header without data is harmless. */
	err = encrypt_detached_finish(files, why);
	if (!err)
		err = encrypt_files_finish(files, why);
	if (!err && req->replace)
		fprintf(stderr,
			"vcrypt: %s: is encrypted now; the plain data are not "
			"wiped (see vcrypt-encrypt(8))\n",
			files->target);
	return err;
}

static int encrypt(struct encrypt_request *req, struct encrypt_files *files,
		   uint8_t *key, struct why *why)
{
	struct encrypt_job job = {
		.image_name = req->image,
		.container_name = files->part,
		.key = key,
	};
	int err;

	err = encrypt_detached_open(&files->header, req->detached, why);
	if (!err)
		err = encrypt_files_open(files, req->image, req->output,
					 req->replace, req->restart, why);
	if (!err)
		err = encrypt_detached_check(files, why);
	if (!err)
		err = plan(req, files, why);
	if (!err)
		err = check_room(files, why);
	/* The cipher will need it; nobody shall type for nothing. */
	if (!err)
		err = luks_memory_check(why);
	if (err)
		return err;
	job.image_fd = files->image_fd;
	err = open_container(req, files, &job, key, why);
	return err ? err : work(req, files, &job, why);
}

static int run(int argc, char **argv)
{
	struct encrypt_request req = { 0 };
	struct encrypt_files files;
	struct why why = { "" };
	uint8_t *key;
	int err, code;

	err = command_parse(&encrypt_command, argc, argv, &req, &why);
	if (!err)
		err = luks_args_finish(&req.header, &why);
	if (!err)
		err = passphrase_check(&req.source, "", &why);
	if (!err && req.replace && req.output)
		err = why_set(&why, -EINVAL,
			      "--replace and --output do not go together");
	if (err)
		return command_misuse(&encrypt_command, &why);
	if (secmem_alloc(VOLUME_KEY_MAX, (void **)&key)) {
		why_set(&why, 0, "no locked memory for the key (ulimit -l)");
		return command_fail(-ENOMEM, &why);
	}
	encrypt_files_init(&files);
	err = encrypt(&req, &files, key, &why);
	encrypt_files_close(&files);
	secmem_free(key, VOLUME_KEY_MAX);
	code = err ? command_fail(err, &why) : EXIT_OK;
	if (err == -EINTR && stopped) {
		signal(stopped, SIG_DFL);
		raise(stopped);
	}
	return code;
}

#define FIELD(name) offsetof(struct encrypt_request, name)

static const struct option options[] = {
	{ "output", OPTION_STRING, FIELD(output), "FILE",
	  "the container to make (IMAGE.luks)", NULL, VALUE_FILE },
	{ "replace", OPTION_FLAG, FIELD(replace), NULL,
	  "put the container in the image's place when it is proved to be "
	  "right" },
	{ "restart", OPTION_FLAG, FIELD(restart), NULL,
	  "do not go on where an earlier run was ended: begin again" },
	{ "header", OPTION_STRING, FIELD(detached), "FILE",
	  "put the header into FILE, which is new, and only data into the "
	  "container",
	  NULL, VALUE_FILE },
	{ .group = passphrase_options, .offset = FIELD(source) },
	{ .group = luks_options, .offset = FIELD(header) },
	{ .group = progress_options, .offset = FIELD(progress) },
	{ NULL },
};

const struct command encrypt_command = {
	.name = "encrypt",
	.run = run,
	.summary = "make a container of a plain disk image",
	.usage = "IMAGE [--output FILE | --replace] [OPTION...]",
	.about =
		"Needs as much room as the image has bytes, holes included, and 16 MiB.\n"
		"The image stays as it is unless --replace is given. A run that was\n"
		"ended is gone on with by the same command.\n",
	.arguments = { { "IMAGE", FIELD(image), VALUE_FILE } },
	.options = options,
};
