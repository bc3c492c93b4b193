/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt open: unlock a container and serve it as a block device, or to a
 * driver in user space.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/file.h"
#include "backend/lock.h"
#include "crypt/unlock.h"
#include "daemon/monitor.h"
#include "daemon/runtime.h"
#include "daemon/sandbox.h"
#include "daemon/start.h"
#include "daemon/volume.h"
#include "lib/secmem.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/options.h"
#include "tools/passphrase.h"
#include "vduse/control.h"
#include "vduse/vdpa.h"
#include "virtio/blk_dev.h"

#define TRIES 3

struct open_args {
	const char *image, *name;
	const char *key_file, *cache, *user, *ring, *driver;
	bool readonly, foreground, allow_discards;
	uint32_t queues, queue_size, death_limit;
};

static int parse(struct open_args *args, int argc, char **argv, struct why *why)
{
	struct option_spec options[] = {
		{ "readonly", OPTION_FLAG, &args->readonly },
		{ "key-file", OPTION_STRING, &args->key_file },
		{ "queues", OPTION_NUMBER, &args->queues },
		{ "queue-size", OPTION_NUMBER, &args->queue_size },
		{ "ring", OPTION_STRING, &args->ring },
		{ "driver", OPTION_STRING, &args->driver },
		{ "cache", OPTION_STRING, &args->cache },
		{ "allow-discards", OPTION_FLAG, &args->allow_discards },
		{ "user", OPTION_STRING, &args->user },
		{ "death-limit", OPTION_NUMBER, &args->death_limit },
		{ "foreground", OPTION_FLAG, &args->foreground },
		{ NULL },
	};

	if (options_parse(options, &argc, argv, why))
		return -EINVAL;
	if (argc != 3)
		return why_set(why, -EINVAL, "IMAGE and NAME are needed");
	args->image = argv[1];
	args->name = argv[2];
	return vduse_check_name(args->name, why);
}

static int parse_ring(const char *s, bool *ret_packed, struct why *why)
{
	if (!s || !strcmp(s, "split"))
		*ret_packed = false;
	else if (!strcmp(s, "packed"))
		*ret_packed = true;
	else
		return why_set(why, -EDOM,
			       "--ring: \"split\" or \"packed\", not \"%s\"",
			       s);
	return 0;
}

static int parse_driver(const char *s, enum vdpa_driver *ret, struct why *why)
{
	if (!s || !strcmp(s, vdpa_driver_text(VDPA_VIRTIO)))
		*ret = VDPA_VIRTIO;
	else if (!strcmp(s, vdpa_driver_text(VDPA_VHOST)))
		*ret = VDPA_VHOST;
	else
		return why_set(why, -EDOM,
			       "--driver: \"virtio-vdpa\" or \"vhost-vdpa\", "
			       "not \"%s\"",
			       s);
	return 0;
}

static int check_queues(const struct open_args *args, struct volume *volume,
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
	return parse_ring(args->ring, &volume->packed, why);
}

static int check_death_limit(const struct open_args *args,
			     struct volume *volume, struct why *why)
{
	if (args->death_limit > VOLUME_MAX_DEATH_LIMIT)
		return why_set(why, -EDOM,
			       "--death-limit: 1 to %d deaths are possible",
			       VOLUME_MAX_DEATH_LIMIT);
	volume->death_limit = args->death_limit;
	return 0;
}

static int parse_cache(const char *s, enum file_cache *ret, struct why *why)
{
	if (!s)
		return 0;
	if (!strcmp(s, "direct"))
		*ret = FILE_CACHE_DIRECT;
	else if (!strcmp(s, "buffered"))
		*ret = FILE_CACHE_BUFFERED;
	else
		return why_set(
			why, -EDOM,
			"--cache: \"direct\" or \"buffered\", not \"%s\"", s);
	return 0;
}

static int open_image(const struct open_args *args, struct volume *volume,
		      struct why *why)
{
	int err;

	if (!realpath(args->image, volume->image))
		return why_set(why, -errno, "%s: %s", args->image,
			       strerror(errno));
	err = file_open(args->image, args->readonly, &volume->image_fd, why);
	if (err)
		return err;
	err = image_lock(volume->image_fd, args->readonly);
	if (err == -EBUSY)
		return why_set(why, err,
			       "%s: is open already, or in use by another "
			       "vcrypt",
			       args->image);
	if (err)
		return why_set(why, err, "%s: cannot be locked: %s",
			       args->image, strerror(-err));
	err = volume_probe(volume->image_fd, &volume->info, why);
	if (err)
		why_prefix(why, "%s", args->image);
	return err;
}

/* What the kernel needs to have is checked before anybody types. */
static int check_kernel(const char *name, struct volume *volume,
			struct why *why)
{
	int err;

	err = vduse_control_open(&volume->control_fd, why);
	if (err)
		return err;
	if (!vdpa_has_driver(volume->driver))
		return why_set(why, -ENOENT,
			       volume->driver == VDPA_VHOST
				       ? "the kernel has no driver that gives "
					 "vDPA devices to programs (modprobe "
					 "vhost_vdpa)"
				       : "the kernel makes no disks of vDPA "
					 "devices (modprobe virtio_vdpa "
					 "virtio_blk)");
	if (vduse_exists(name))
		return why_set(why, -EEXIST,
			       "%s: a VDUSE device of this name exists (vcrypt "
			       "close %s, if it is left over)",
			       name, name);
	return 0;
}

static int unlock(const struct open_args *args, struct volume *volume,
		  struct why *why)
{
	char prompt[PATH_MAX + 32];
	const struct passphrase_source source = {
		.key_file = args->key_file,
		.prompt = prompt,
	};
	int tries = passphrase_is_typed(&source) ? TRIES : 1;
	struct secret secret = { 0 };
	int err;

	snprintf(prompt, sizeof(prompt), "Passphrase for %s", args->image);
	do {
		err = passphrase_get(&source, false, &secret, why);
		if (err)
			return err;
		err = volume_unlock(volume->image_fd, secret.data, secret.len,
				    volume->key, &volume->info, why);
		secret_free(&secret);
		if (err == -EPERM && --tries)
			fprintf(stderr, "vcrypt: %s: %s\n", args->image,
				why->text);
	} while (err == -EPERM && tries);
	if (err)
		why_prefix(why, "%s", args->image);
	return err;
}

/* After file_set_cache: O_DIRECT is part of what the image is. */
static int check_backing(const struct open_args *args, struct volume *volume,
			 struct why *why)
{
	const struct file_blk_options options = { .readonly = args->readonly };
	int err;

	err = file_blk_probe(volume->image_fd, &options, &volume->backing, why);
	if (err) {
		why_prefix(why, "%s", args->image);
		return err;
	}
	volume->allow_discards = args->allow_discards ||
				 volume->info.allow_discards;
	if (args->allow_discards && !volume->backing.readonly &&
	    !volume->backing.discard)
		return why_set(why, -EOPNOTSUPP,
			       "%s: its file system cannot free a part of a "
			       "file (leave out --allow-discards)",
			       args->image);
	return 0;
}

static int prepare(const struct open_args *args, struct volume *volume,
		   struct why *why)
{
	enum file_cache cache = FILE_CACHE_AUTO;
	int err;

	err = check_queues(args, volume, why);
	if (!err)
		err = check_death_limit(args, volume, why);
	if (!err)
		err = parse_driver(args->driver, &volume->driver, why);
	if (!err)
		err = parse_cache(args->cache, &cache, why);
	if (err)
		return err;
	err = open_image(args, volume, why);
	if (!err)
		err = check_kernel(args->name, volume, why);
	if (!err)
		err = sandbox_choose_user(args->user, volume->image_fd,
					  &volume->uid, &volume->gid, why);
	if (!err)
		err = file_set_cache(volume->image_fd, args->image, cache,
				     volume->info.sector_size, why);
	if (!err)
		err = check_backing(args, volume, why);
	if (err)
		return err;
	volume->direct = fcntl(volume->image_fd, F_GETFL) & O_DIRECT;
	err = secmem_alloc(VOLUME_KEY_MAX, (void **)&volume->key);
	if (err)
		return why_set(why, err,
			       "no locked memory for the key (raise ulimit "
			       "-l)");
	return unlock(args, volume, why);
}

static void say(const struct open_args *args, const struct volume *volume,
		const struct monitor_report *rep)
{
	if (volume->info.note[0])
		fprintf(stderr, "vcrypt: %s: %s\n", args->image,
			volume->info.note);
	if (!args->foreground)
		printf("%s\n", rep->text);
}

/* NAME is ours: no other open or close of it is under way. */
static int open_locked(const struct open_args *args, struct volume *volume,
		       const struct runtime *rt, struct why *why)
{
	struct monitor_report rep = { 0 };
	char *state;
	int err;

	if (!runtime_read_state(rt, args->name, &state)) {
		free(state);
		return why_set(why, -EEXIST,
			       "%s: is left over from a monitor that died "
			       "(vcrypt close %s)",
			       args->name, args->name);
	}
	err = prepare(args, volume, why);
	if (!err) {
		volume_start(volume, rt, &rep);
		err = rep.err;
	}
	if (rep.err)
		why_set(why, rep.err, "%s", rep.text);
	/* A monitor removes the files itself, or goes on with them. */
	else if (err)
		runtime_remove(rt, args->name);
	else
		say(args, volume, &rep);
	return err;
}

static int open_volume(const struct open_args *args, struct volume *volume,
		       struct why *why)
{
	struct runtime rt;
	int lock_fd, err;

	err = runtime_open(&rt, true, why);
	if (err)
		return err;
	err = runtime_lock(&rt, args->name, &lock_fd, why);
	if (!err) {
		err = open_locked(args, volume, &rt, why);
		close(lock_fd);
	}
	runtime_close(&rt);
	return err;
}

int cmd_open(int argc, char **argv)
{
	struct open_args args = {
		.queues = UINT32_MAX,
		.queue_size = VOLUME_QUEUE_SIZE,
		.death_limit = VOLUME_DEATH_LIMIT,
	};
	struct volume *volume = calloc(1, sizeof(*volume));
	struct why why = { "" };
	int err;

	if (!volume)
		return EXIT_MEMORY;
	if (parse(&args, argc, argv, &why)) {
		free(volume);
		return command_misuse("open", &why);
	}
	snprintf(volume->name, sizeof(volume->name), "%s", args.name);
	volume->readonly = args.readonly;
	volume->foreground = args.foreground;
	volume->image_fd = volume->control_fd = -1;
	err = open_volume(&args, volume, &why);
	secmem_free(volume->key, VOLUME_KEY_MAX);
	free(volume);
	return err ? command_fail(err, &why) : EXIT_OK;
}
