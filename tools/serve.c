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
#include "tools/options.h"
#include "tools/prepare.h"
#include "tools/socket.h"
#include "vhost-user/socket.h"

struct serve_args {
	struct serve_options serve;
	struct socket_options socket;
};

static int parse(struct serve_args *args, int argc, char **argv,
		 struct why *why)
{
	struct serve_options *serve = &args->serve;
	struct option_spec options[] = {
		{ "socket", OPTION_STRING, &args->socket.path },
		{ "socket-mode", OPTION_STRING, &args->socket.mode },
		{ "socket-group", OPTION_STRING, &args->socket.group },
		{ "fd", OPTION_STRING, &args->socket.fd },
		{ "readonly", OPTION_FLAG, &serve->readonly },
		{ "key-file", OPTION_STRING, &serve->key_file },
		{ "queues", OPTION_NUMBER, &serve->queues },
		{ "queue-size", OPTION_NUMBER, &serve->queue_size },
		{ "cache", OPTION_STRING, &serve->cache },
		{ "allow-discards", OPTION_FLAG, &serve->allow_discards },
		{ "user", OPTION_STRING, &serve->user },
		{ "death-limit", OPTION_NUMBER, &serve->death_limit },
		{ NULL },
	};

	if (options_parse(options, &argc, argv, why))
		return -EINVAL;
	if (argc != 2)
		return why_set(why, -EINVAL, "one IMAGE is needed");
	if (!args->socket.path == !args->socket.fd)
		return why_set(why, -EINVAL,
			       "--socket or --fd is needed, and not both");
	if (args->socket.fd && (args->socket.mode || args->socket.group))
		return why_set(why, -EINVAL,
			       "--fd: the socket has its mode and group");
	serve->image = argv[1];
	return 0;
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
		fprintf(stderr, "vcrypt: %s: %s\n", args->serve.image,
			volume->info.note);
	volume_start(volume, NULL, &rep);
	return rep.err ? why_set(why, rep.err, "%s", rep.text) : 0;
}

int cmd_serve(int argc, char **argv)
{
	struct serve_args args = {
		.serve = SERVE_OPTIONS_DEFAULT,
		.socket = { .option = "socket" },
	};
	struct volume *volume = volume_new();
	struct why why = { "" };
	int err;

	if (!volume)
		return EXIT_MEMORY;
	if (parse(&args, argc, argv, &why)) {
		volume_free(volume);
		return command_misuse("serve", &why);
	}
	volume->foreground = true;
	volume->vhost_user = true;
	volume->packed = true;
	err = serve(&args, volume, &why);
	volume_free(volume);
	return err ? command_fail(err, &why) : EXIT_OK;
}
