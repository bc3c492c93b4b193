/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt format: make a container of a new file, an existing one or a block
 * device.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/lock.h"
#include "crypt/encrypt.h"
#include "crypt/luks_format.h"
#include "crypt/luks_image.h"
#include "lib/why.h"
#include "tools/allocate.h"
#include "tools/command.h"
#include "tools/format_content.h"
#include "tools/format_header.h"
#include "tools/luks_options.h"
#include "tools/passphrase.h"
#include "tools/progress.h"
#include "tools/wipe.h"

struct format_request {
	const char *path;
	const char *detached; /* the file of the header, or NULL */
	uint64_t size;	      /* bytes; 0: not given */
	uint32_t offset;      /* sectors of 512 bytes */
	bool preallocate, wipe;
	bool batch;
	struct progress_args progress;
	struct passphrase_source source;
	struct luks_args header;
};

/* What a signal has to remove; only set while the new file is unfinished. */
static const char *volatile unfinished, *volatile unfinished_header;

static void remove_unfinished(int sig)
{
	if (unfinished)
		unlink(unfinished);
	if (unfinished_header)
		unlink(unfinished_header);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void guard_unfinished(void)
{
	static const int sigs[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	struct sigaction action = { .sa_handler = remove_unfinished }, old;
	size_t i;

	sigemptyset(&action.sa_mask);
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		if (!sigaction(sigs[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(sigs[i], &action, NULL);
}

static uint64_t data_offset(const struct format_request *req)
{
	return req->header.luks.place.data_offset;
}

/*
 * Blocks for the header at least, so that a full disk shows before anything
 * is written; where the file system cannot, the write will tell.
 */
static int allocate(int fd, const struct format_request *req, uint64_t size,
		    struct why *why)
{
	off_t len = (off_t)data_offset(req);

	if (req->preallocate)
		return allocate_blocks(fd, 0, size, &req->progress, why);
	if (!len || !fallocate(fd, 0, 0, len) || errno == EOPNOTSUPP)
		return 0;
	return why_set(why, -errno, "no room for %jd bytes: %s", (intmax_t)len,
		       strerror(errno));
}

static int check_size(const struct format_request *req, uint64_t size,
		      struct why *why)
{
	if (!req->size || req->size == size)
		return 0;
	return why_set(why, -EEXIST,
		       "exists with %" PRIu64 " bytes, not %" PRIu64
		       " (leave out --size, or remove it)",
		       size, req->size);
}

/* A block device that is mounted or held by another driver. */
static int check_unused(const struct format_request *req, int fd,
			struct why *why)
{
	struct stat st;
	int excl;

	if (fstat(fd, &st) || !S_ISBLK(st.st_mode))
		return 0;
	excl = open(req->path, O_RDWR | O_EXCL | O_CLOEXEC);
	if (excl < 0)
		return why_set(why, -errno, "%s (is it mounted?)",
			       strerror(errno));
	close(excl);
	return 0;
}

static int lock(int fd, struct why *why)
{
	int r = image_lock(fd, false);

	if (r == -EBUSY)
		return why_set(why, r,
			       "in use by another vcrypt (vcrypt"
			       " list)");
	if (r)
		return why_set(why, r, "cannot be locked: %s", strerror(-r));
	return 0;
}

static int write_header(int fd, const struct format_request *req,
			const struct secret *secret, struct why *why)
{
	if (req->detached)
		return format_header_write(req->detached, fd, &req->header.luks,
					   secret, why);
	return encrypt_write_header(fd, fd, &req->header.luks, secret->data,
				    secret->len, why);
}

/* What was there before is lost by then, and the container is whole. */
static int wipe(int fd, const struct format_request *req,
		const struct secret *secret, struct why *why)
{
	int r = wipe_container(req->detached, fd, secret, &req->progress, why);

	if (r && !unfinished && !req->detached)
		why_prefix(why, "the container is made, but not wiped to its"
				" end");
	return r;
}

/* The last step for every kind of image. */
static int write_container(int fd, const struct format_request *req,
			   const struct secret *secret, struct why *why)
{
	int r = req->detached ? format_header_check(req->detached, why) : 0;

	if (r)
		return r;
	unfinished_header = req->detached;
	guard_unfinished();
	r = write_header(fd, req, secret, why);
	if (!r && req->wipe)
		r = wipe(fd, req, secret, why);
	if (r && unfinished_header)
		unlink(unfinished_header);
	unfinished_header = NULL;
	return r;
}

static int get_passphrase(const struct format_request *req, struct secret *ret,
			  struct why *why)
{
	struct secret secret;
	int r = passphrase_get(&req->source, true, &secret, why);

	if (r)
		return r;
	if (!secret.len) {
		secret_free(&secret);
		return why_set(why, -EDOM,
			       "an empty passphrase protects"
			       " nothing");
	}
	*ret = secret;
	return 0;
}

static int format_existing(int fd, struct format_request *req, struct why *why)
{
	struct secret secret;
	uint64_t size;
	int r;

	r = luks_image_size(fd, &size, why);
	if (!r)
		r = check_size(req, size, why);
	if (!r)
		r = luks_format_check(&req->header.luks, size, why);
	if (!r)
		r = check_unused(req, fd, why);
	if (!r)
		r = lock(fd, why);
	if (!r)
		r = format_confirm(fd, req->path, req->batch, why);
	if (r) {
		why_prefix(why, "%s", req->path);
		return r;
	}
	r = get_passphrase(req, &secret, why);
	if (r)
		return r;
	if (req->preallocate)
		r = allocate(fd, req, size, why);
	if (!r)
		r = format_wipe_tail(fd, data_offset(req), size, why);
	if (!r && req->detached)
		r = format_header_wipe_data(fd, why);
	if (!r)
		r = write_container(fd, req, &secret, why);
	secret_free(&secret);
	if (r)
		why_prefix(why, "%s", req->path);
	return r;
}

static int fill_new(int fd, const struct format_request *req,
		    const struct secret *secret, struct why *why)
{
	int r = lock(fd, why);

	if (!r && ftruncate(fd, (off_t)req->size))
		r = why_set(why, -errno, "cannot have %" PRIu64 " bytes: %s",
			    req->size, strerror(errno));
	if (!r)
		r = allocate(fd, req, req->size, why);
	if (!r)
		r = write_container(fd, req, secret, why);
	return r;
}

static int format_new(struct format_request *req, struct why *why)
{
	struct secret secret;
	int fd, r;

	if (!req->size)
		return why_set(why, -ENOENT,
			       "%s: no such file (--size SIZE"
			       " makes one)",
			       req->path);
	r = luks_format_check(&req->header.luks, req->size, why);
	if (r) {
		why_prefix(why, "%s", req->path);
		return r;
	}
	r = get_passphrase(req, &secret, why);
	if (r)
		return r;
	fd = open(req->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		r = why_set(why, -errno, "%s: %s", req->path, strerror(errno));
		goto out_secret;
	}
	unfinished = req->path;
	guard_unfinished();
	r = fill_new(fd, req, &secret, why);
	if (r) {
		unlink(req->path);
		why_prefix(why, "%s", req->path);
	}
	unfinished = NULL;
	close(fd);
out_secret:
	secret_free(&secret);
	return r;
}

static int format(struct format_request *req, struct why *why)
{
	int fd, r;

	req->header.luks.place.detached = req->detached;
	req->header.luks.place.data_offset = (uint64_t)req->offset * 512;
	r = req->detached ? format_header_check(req->detached, why) : 0;
	if (r)
		return r;
	/* Not blocking: a FIFO is told apart later. */
	fd = open(req->path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return format_new(req, why);
	if (fd < 0)
		return why_set(why, -errno, "%s: %s", req->path,
			       strerror(errno));
	r = format_existing(fd, req, why);
	close(fd);
	return r;
}

static int run(int argc, char **argv)
{
	struct format_request req = { 0 };
	struct why why = { "" };
	char prompt[128];
	int err;

	err = command_parse(&format_command, argc, argv, &req, &why);
	if (!err)
		err = luks_args_finish(&req.header, &why);
	if (!err)
		err = passphrase_check(&req.source, "", &why);
	if (err)
		return command_misuse(&format_command, &why);
	snprintf(prompt, sizeof(prompt), "Passphrase for %.80s", req.path);
	req.source.prompt = prompt;
	err = format(&req, &why);
	return err ? command_fail(err, &why) : EXIT_OK;
}

#define FIELD(name) offsetof(struct format_request, name)

static const struct option options[] = {
	{ "size", OPTION_SIZE, FIELD(size), "SIZE",
	  "of the new file, header included; bytes, or with K, M, G, "
	  "T" },
	{ "preallocate", OPTION_FLAG, FIELD(preallocate), NULL,
	  "allocate the blocks now" },
	{ "wipe", OPTION_FLAG, FIELD(wipe), NULL,
	  "fill the data area with encrypted zeroes, so that used blocks cannot "
	  "be told from others" },
	{ .group = progress_options, .offset = FIELD(progress) },
	{ .group = passphrase_options, .offset = FIELD(source) },
	{ "batch-mode", OPTION_FLAG, FIELD(batch), NULL,
	  "do not ask before overwriting" },
	{ .group = luks_options, .offset = FIELD(header) },
	{ "header", OPTION_STRING, FIELD(detached), "FILE",
	  "put the header into FILE, which is new, and only data into IMAGE",
	  NULL, VALUE_FILE },
	{ "luks2-metadata-size", OPTION_SIZE,
	  FIELD(header.luks.place.metadata_size), "SIZE",
	  "of each of the two headers: 16K (default) to 4M, a power of two",
	  "16K 32K 64K 128K 256K 512K 1M 2M 4M" },
	{ "luks2-keyslots-size", OPTION_SIZE,
	  FIELD(header.luks.place.keyslots_size), "SIZE",
	  "room for key slots: a multiple of 4096, 252K for each 512-bit key" },
	{ "offset", OPTION_NUMBER, FIELD(offset), "SECTORS",
	  "where the data start, in sectors of 512 bytes; a multiple of 8" },
	{ NULL },
};

const struct command format_command = {
	.name = "format",
	.run = run,
	.summary = "make a LUKS2 container",
	.usage = "IMAGE [--size SIZE] [OPTION...]",
	.about = "IMAGE is a new file (--size is needed), an existing file or "
		 "a block\ndevice.\n",
	.arguments = { { "IMAGE", FIELD(path), VALUE_FILE } },
	.options = options,
};
