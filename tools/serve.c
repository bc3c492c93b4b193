/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt serve: unlock a container and serve it to a front end of vhost-user,
 * such as QEMU.  Nothing of the kernel and no privilege is needed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/monitor.h"
#include "daemon/start.h"
#include "daemon/volume.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/prepare.h"
#include "tools/socket.h"
#include "vhost-user/socket.h"

struct serve_args {
	struct serve_request serve;
	struct socket_args socket;
};

static int parse(struct serve_args *args, int argc, char **argv,
		 struct why *why)
{
	if (command_parse(&serve_command, argc, argv, args, why))
		return -EINVAL;
	if (!args->socket.path == !args->socket.fd)
		return why_set(why, -EINVAL,
			       "--socket or --fd is needed, and not both");
	if (args->socket.fd && (args->socket.mode || args->socket.group))
		return why_set(why, -EINVAL,
			       "--fd: the socket has its mode and group");
	return serve_request_check(&args->serve, why);
}

/* The name is the disk's serial number, and stands in the log. */
static void name_volume(struct volume *volume)
{
	const char *base = strrchr(volume->image, '/');

	snprintf(volume->name, sizeof(volume->name), "%.*s",
		 (int)sizeof(volume->name) - 1, base ? base + 1 : "");
}

static int serve(const struct serve_args *args, struct volume *volume,
		 struct why *why)
{
	struct monitor_report rep = { 0 };
	int err;

	err = prepare_image(&args->serve, volume, why);
	if (err)
		return err;
	name_volume(volume);
	err = socket_prepare(&args->socket, volume, why);
	if (err)
		return err;
	err = prepare_key(&args->serve, volume, why);
	if (err) {
		vhost_socket_remove(volume->listen_fd, volume->socket);
		return err;
	}
	if (volume->info.note[0])
		fprintf(stderr, "vcrypt: %s: %s\n", args->serve.paths.image,
			volume->info.note);
	volume_start(volume, NULL, &rep);
	return rep.err ? why_set(why, rep.err, "%s", rep.text) : 0;
}

static int run(int argc, char **argv)
{
	struct serve_args args = {
		.serve = SERVE_REQUEST_DEFAULT,
		.socket = { .option = "socket" },
	};
	struct volume *volume = volume_new();
	struct why why = { "" };
	int err;

	if (!volume)
		return EXIT_MEMORY;
	if (parse(&args, argc, argv, &why)) {
		volume_free(volume);
		return command_misuse(&serve_command, &why);
	}
	volume->foreground = true;
	volume->vhost_user = true;
	volume->packed = true;
	err = serve(&args, volume, &why);
	volume_free(volume);
	return err ? command_fail(err, &why) : EXIT_OK;
}

static const struct option options[] = {
	{ "socket", OPTION_STRING, offsetof(struct serve_args, socket.path),
	  "PATH", "make this socket and listen on it", NULL, VALUE_FILE },
	{ .group = socket_options,
	  .offset = offsetof(struct serve_args, socket) },
	{ "fd", OPTION_STRING, offsetof(struct serve_args, socket.fd), "N",
	  "instead: a socket that listens already" },
	{ .group = serve_options,
	  .offset = offsetof(struct serve_args, serve) },
	{ NULL },
};

const struct command serve_command = {
	.name = "serve",
	.run = run,
	.summary = "serve a container to a virtual machine",
	.usage = "IMAGE --socket PATH [OPTION...]",
	.about = "Speaks vhost-user-blk on a UNIX socket, in the foreground, "
		 "for a front\n"
		 "end such as QEMU. Needs no privileges and nothing of the "
		 "kernel. Ends\n"
		 "at SIGTERM or SIGINT, when what was begun is done.\n",
	.arguments = { { "IMAGE",
			 offsetof(struct serve_args, serve.paths.image),
			 VALUE_FILE } },
	.options = options,
};
