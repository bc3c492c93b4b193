/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Getting a volume ready to be served: see prepare.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/file.h"
#include "crypt/luks_memory.h"
#include "crypt/unlock.h"
#include "daemon/sandbox.h"
#include "daemon/volume.h"
#include "lib/secmem.h"
#include "lib/why.h"
#include "tools/key.h"
#include "tools/passphrase.h"
#include "tools/prepare.h"
#include "virtio/blk_dev.h"

#define TRIES 3

#define FIELD(name) offsetof(struct serve_request, name)

const struct option serve_options[] = {
	{ "readonly", OPTION_FLAG, FIELD(readonly), NULL,
	  "do not allow writing" },
	{ .group = container_options, .offset = FIELD(paths) },
	{ "key-slot", OPTION_STRING, FIELD(key_slot), "N",
	  "try only this key slot, whatever its priority" },
	{ .group = passphrase_options, .offset = FIELD(source) },
	{ .group = token_options, .offset = FIELD(token) },
	{ .group = plain_options, .offset = FIELD(plain) },
	{ "queues", OPTION_NUMBER, FIELD(queues), "N",
	  "1 to 32; default: the number of CPUs, at most 8" },
	{ "queue-size", OPTION_NUMBER, FIELD(queue_size), "N",
	  "entries of a queue, at most: a power of two, 4 to 1024 (256)" },
	{ "poll-us", OPTION_COUNT, FIELD(poll_us), "N",
	  "look for requests for up to N microseconds before going to sleep: 0 "
	  "to 1000 (100)" },
	{ "cache", OPTION_WORD, FIELD(cache), "MODE",
	  "direct (default where it works) or buffered", "direct buffered" },
	{ "allow-discards", OPTION_FLAG, FIELD(allow_discards), NULL,
	  "free the image's blocks that the file system on it gives back; "
	  "shows which ones are used" },
	{ "user", OPTION_STRING, FIELD(user), "NAME",
	  "whom the data path runs as, for root", NULL, VALUE_USER },
	{ "death-limit", OPTION_NUMBER, FIELD(death_limit), "N",
	  "give up when N workers died within a minute: 1 to 100 (5)" },
	{ NULL },
};

struct volume *volume_new(void)
{
	struct volume *volume = calloc(1, sizeof(*volume));

	if (volume)
		volume->image_fd = volume->header_fd = volume->control_fd =
			volume->listen_fd = -1;
	return volume;
}

void volume_free(struct volume *volume)
{
	if (volume)
		secmem_free(volume->key, VOLUME_KEY_MAX);
	free(volume);
}

static int check_queues(const struct serve_request *args, struct volume *volume,
			struct why *why)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (cpus < 1)
		cpus = 1;
	if (cpus > VOLUME_DEFAULT_QUEUES)
		cpus = VOLUME_DEFAULT_QUEUES;
	volume->nr_queues = args->queues == UINT32_MAX ? (unsigned)cpus
						       : args->queues;
	volume->queue_size = args->queue_size;
	if (!volume->nr_queues || volume->nr_queues > VOLUME_MAX_QUEUES)
		return why_set(why, -EDOM,
			       "--queues: 1 to %d queues are possible",
			       VOLUME_MAX_QUEUES);
	if (volume->queue_size < 4 ||
	    volume->queue_size > VBLK_MAX_QUEUE_SIZE ||
	    (volume->queue_size & (volume->queue_size - 1)))
		return why_set(why, -EDOM,
			       "--queue-size: a power of two from 4 to %d is "
			       "needed",
			       VBLK_MAX_QUEUE_SIZE);
	return 0;
}

static int check_poll(const struct serve_request *args, struct volume *volume,
		      struct why *why)
{
	if (args->poll_us > VOLUME_MAX_POLL_US)
		return why_set(why, -EDOM,
			       "--poll-us: 0 to %d microseconds are possible",
			       VOLUME_MAX_POLL_US);
	volume->poll_us = args->poll_us;
	return 0;
}

static int check_death_limit(const struct serve_request *args,
			     struct volume *volume, struct why *why)
{
	if (args->death_limit > VOLUME_MAX_DEATH_LIMIT)
		return why_set(why, -EDOM,
			       "--death-limit: 1 to %d deaths are possible",
			       VOLUME_MAX_DEATH_LIMIT);
	volume->death_limit = args->death_limit;
	return 0;
}

static enum file_cache cache_mode(const char *word)
{
	if (!word)
		return FILE_CACHE_AUTO;
	return strcmp(word, "direct") ? FILE_CACHE_BUFFERED : FILE_CACHE_DIRECT;
}

static struct volume_request volume_request(const struct volume *volume)
{
	struct volume_request request = VOLUME_REQUEST(volume->image_fd);

	if (volume->header_fd >= 0)
		request.header_fd = volume->header_fd;
	return request;
}

static int open_header(const struct serve_request *args, struct volume *volume,
		       struct why *why)
{
	if (!realpath(args->paths.header, volume->header))
		return why_set(why, -errno, "%s: %s", args->paths.header,
			       strerror(errno));
	return container_open_header(&args->paths, volume->image_fd,
				     &volume->header_fd, why);
}

/* What is on a stick can be taken away while the volume is open. */
static void close_header(struct volume *volume)
{
	if (volume->header_fd >= 0)
		close(volume->header_fd);
	volume->header_fd = -1;
}

static int open_file(const struct serve_request *args, int *ret_fd,
		     struct why *why)
{
	int err = file_open(args->paths.image, args->readonly, ret_fd, why);

	if (!args->readonly &&
	    (err == -EACCES || err == -EPERM || err == -EROFS))
		why_set(why, err, "%s: %s (--readonly, if it may be read)",
			args->paths.image, strerror(-err));
	return err;
}

static int open_image(const struct serve_request *args, struct volume *volume,
		      struct why *why)
{
	struct volume_request request;
	int err;

	if (!realpath(args->paths.image, volume->image))
		return why_set(why, -errno, "%s: %s", args->paths.image,
			       strerror(errno));
	err = open_file(args, &volume->image_fd, why);
	if (err)
		return err;
	err = container_lock(volume->image_fd, args->readonly,
			     args->paths.image, why);
	if (!err && args->paths.header)
		err = open_header(args, volume, why);
	if (err)
		return err;
	request = volume_request(volume);
	err = plain_wanted(&args->plain)
		      ? plain_prepare(&args->plain, volume, why)
		      : volume_probe(&request, &volume->info, why);
	if (err)
		why_prefix(why, "%s", container_header_path(&args->paths));
	return err;
}

/* After file_set_cache: O_DIRECT is part of what the image is. */
static int check_backing(const struct serve_request *args,
			 struct volume *volume, struct why *why)
{
	const struct file_blk_options options = { .readonly = args->readonly };
	int err;

	err = file_blk_probe(volume->image_fd, &options, &volume->backing, why);
	if (err) {
		why_prefix(why, "%s", args->paths.image);
		return err;
	}
	volume->allow_discards = args->allow_discards ||
				 volume->info.allow_discards;
	if (args->allow_discards && !volume->backing.readonly &&
	    !volume->backing.discard)
		return why_set(why, -EOPNOTSUPP,
			       "%s: its file system cannot free a part of a "
			       "file (leave out --allow-discards)",
			       args->paths.image);
	return 0;
}

static int check_plain(const struct serve_request *args, struct why *why)
{
	if (plain_wanted(&args->plain) &&
	    (args->paths.header || args->key_slot ||
	     token_wanted(&args->token)))
		return why_set(why, -EDOM,
			       "--type plain: there is no header (no --header,"
			       " no --key-slot, no tokens)");
	return plain_check(&args->plain, &args->source, why);
}

int prepare_image(const struct serve_request *args, struct volume *volume,
		  struct why *why)
{
	int err;

	volume->readonly = args->readonly;
	err = check_queues(args, volume, why);
	if (!err)
		err = check_poll(args, volume, why);
	if (!err)
		err = check_death_limit(args, volume, why);
	if (!err)
		err = check_plain(args, why);
	if (!err)
		err = open_image(args, volume, why);
	if (!err)
		err = sandbox_choose_user(args->user, volume->image_fd,
					  &volume->uid, &volume->gid, why);
	if (!err)
		err = file_set_cache(volume->image_fd, args->paths.image,
				     cache_mode(args->cache),
				     volume->info.sector_size, why);
	if (!err)
		err = check_backing(args, volume, why);
	if (err)
		return err;
	volume->direct = fcntl(volume->image_fd, F_GETFL) & O_DIRECT;
	return 0;
}

static int unlock_by_passphrase(const struct serve_request *args,
				struct volume *volume, struct why *why)
{
	char prompt[PATH_MAX + 32];
	struct passphrase_source source = args->source;
	int tries = passphrase_is_typed(&source) ? TRIES : 1;
	struct volume_request request = volume_request(volume);
	struct secret secret = { 0 };
	int err;

	snprintf(prompt, sizeof(prompt), "Passphrase for %s",
		 args->paths.image);
	source.prompt = prompt;
	if (plain_wanted(&args->plain)) {
		err = plain_key(&args->plain, &source, volume, why);
		if (err)
			why_prefix(why, "%s", args->paths.image);
		return err;
	}
	err = key_slot_number("key-slot", args->key_slot, &request.key_slot,
			      why);
	if (err)
		return err;
	do {
		err = passphrase_get(&source, false, &secret, why);
		if (err)
			return err;
		request.passphrase = secret.data;
		request.passphrase_len = secret.len;
		err = volume_unlock(&request, volume->key, &volume->info, why);
		secret_free(&secret);
		if (err == -EPERM && --tries)
			fprintf(stderr, "vcrypt: %s: %s\n", args->paths.image,
				why->text);
	} while (err == -EPERM && tries);
	if (err)
		why_prefix(why, "%s", container_header_path(&args->paths));
	return err;
}

static int unlock(const struct serve_request *args, struct volume *volume,
		  struct why *why)
{
	struct volume_request request = volume_request(volume);
	int err;

	if (!token_wanted(&args->token))
		return unlock_by_passphrase(args, volume, why);
	err = token_unlock(&args->token, args->paths.image, &request,
			   volume->key, &volume->info, why);
	if (!err)
		return 0;
	why_prefix(why, "%s", container_header_path(&args->paths));
	if (args->token.only)
		return err;
	fprintf(stderr, "vcrypt: %s\n", why->text);
	return unlock_by_passphrase(args, volume, why);
}

int serve_request_check(const struct serve_request *request, struct why *why)
{
	int slot, err = passphrase_check(&request->source, "", why);

	if (!err)
		err = token_check(&request->token, &request->source, why);
	if (!err)
		err = key_slot_number("key-slot", request->key_slot, &slot,
				      why);
	if (!err && request->key_slot && token_wanted(&request->token))
		err = why_set(why, -EDOM,
			      "--key-slot: a token says which key slots it "
			      "opens");
	return err;
}

int prepare_key(const struct serve_request *args, struct volume *volume,
		struct why *why)
{
	int err = secmem_alloc(VOLUME_KEY_MAX, (void **)&volume->key);

	if (err)
		return why_set(why, err,
			       "no locked memory for the key (raise ulimit "
			       "-l)");
	/* Nobody shall type for nothing. */
	err = luks_memory_check(why);
	if (!err)
		err = unlock(args, volume, why);
	close_header(volume);
	return err;
}
