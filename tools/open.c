/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt open: unlock a container and serve it as a block device, or to a
 * driver in user space.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/monitor.h"
#include "daemon/runtime.h"
#include "daemon/start.h"
#include "daemon/volume.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/prepare.h"
#include "tools/socket.h"
#include "vduse/control.h"
#include "vduse/vdpa.h"
#include "vhost-user/socket.h"

struct open_args {
	struct serve_request serve;
	struct socket_args socket;
	const char *name, *ring, *driver;
	bool foreground;
};

static int parse(struct open_args *args, int argc, char **argv, struct why *why)
{
	if (command_parse(&open_command, argc, argv, args, why))
		return -EINVAL;
	if (args->socket.path && (args->driver || args->ring))
		return why_set(why, -EINVAL,
			       "--vhost-user: the front end chooses (no "
			       "--driver, no --ring)");
	if (!args->socket.path && (args->socket.mode || args->socket.group))
		return why_set(why, -EINVAL,
			       "--socket-mode and --socket-group are for "
			       "--vhost-user");
	return serve_request_check(&args->serve, why);
}

static bool is(const char *value, const char *word)
{
	return value && !strcmp(value, word);
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

static int prepare(const struct open_args *args, struct volume *volume,
		   struct why *why)
{
	int err;

	volume->packed = args->socket.path || is(args->ring, "packed");
	volume->driver = is(args->driver, vdpa_driver_text(VDPA_VHOST))
				 ? VDPA_VHOST
				 : VDPA_VIRTIO;
	err = prepare_image(&args->serve, volume, why);
	if (!err)
		err = args->socket.path
			      ? socket_prepare(&args->socket, volume, why)
			      : check_kernel(args->name, volume, why);
	return err ? err : prepare_key(&args->serve, volume, why);
}

static void say(const struct open_args *args, const struct volume *volume,
		const struct monitor_report *rep)
{
	if (volume->info.note[0])
		fprintf(stderr, "vcrypt: %s: %s\n", args->serve.paths.image,
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
	if (rep.err) {
		why_set(why, rep.err, "%s", rep.text);
	} else if (err) {
		/* A monitor does this itself, or goes on with them. */
		runtime_remove(rt, args->name);
		if (volume->listen_fd >= 0)
			vhost_socket_remove(volume->listen_fd, volume->socket);
	} else {
		say(args, volume, &rep);
	}
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

static int run(int argc, char **argv)
{
	struct open_args args = {
		.serve = SERVE_REQUEST_DEFAULT,
		.socket = { .option = "vhost-user" },
	};
	struct volume *volume = volume_new();
	struct why why = { "" };
	int err;

	if (!volume)
		return EXIT_MEMORY;
	if (parse(&args, argc, argv, &why)) {
		volume_free(volume);
		return command_misuse(&open_command, &why);
	}
	snprintf(volume->name, sizeof(volume->name), "%s", args.name);
	volume->foreground = args.foreground;
	volume->vhost_user = args.socket.path;
	err = open_volume(&args, volume, &why);
	volume_free(volume);
	return err ? command_fail(err, &why) : EXIT_OK;
}

static const struct option options[] = {
	{ .group = serve_options, .offset = offsetof(struct open_args, serve) },
	{ "ring", OPTION_WORD, offsetof(struct open_args, ring), "FORMAT",
	  "split (default) or packed", "split packed" },
	{ "driver", OPTION_WORD, offsetof(struct open_args, driver), "DRIVER",
	  "virtio-vdpa (default): a block device; vhost-vdpa: for a program, "
	  "/dev/vhost-vdpa-N",
	  "virtio-vdpa vhost-vdpa" },
	{ "vhost-user", OPTION_STRING, offsetof(struct open_args, socket.path),
	  "PATH", "no block device: a socket for a virtual machine", NULL,
	  VALUE_FILE },
	{ .group = socket_options,
	  .offset = offsetof(struct open_args, socket) },
	{ "foreground", OPTION_FLAG, offsetof(struct open_args, foreground),
	  NULL, "stay until the volume is closed" },
	{ NULL },
};

const struct command open_command = {
	.name = "open",
	.run = run,
	.summary = "serve a container as a block device",
	.usage = "IMAGE NAME [OPTION...]",
	.about = "Prints the path of the block device (/dev/vdX).\n",
	.arguments = { { "IMAGE", offsetof(struct open_args, serve.paths.image),
			 VALUE_FILE },
		       { "NAME", offsetof(struct open_args, name),
			 VALUE_NEW_VOLUME } },
	.options = options,
};
