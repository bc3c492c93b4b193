/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * vcrypt serve: unlock a container and serve it to a front end of vhost-user,
 * such as QEMU.  Nothing of the kernel and no privilege is needed.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/monitor.h"
#include "daemon/start.h"
#include "daemon/volume.h"
#include "lib/secmem.h"
#include "lib/why.h"
#include "tools/command.h"
#include "tools/options.h"
#include "tools/prepare.h"
#include "vhost-user/socket.h"

struct serve_args {
	struct serve_options serve;
	const char *socket, *socket_mode, *socket_group, *fd;
};

static int parse(struct serve_args *args, int argc, char **argv,
		 struct why *why)
{
	struct serve_options *serve = &args->serve;
	struct option_spec options[] = {
		{ "socket", OPTION_STRING, &args->socket },
		{ "socket-mode", OPTION_STRING, &args->socket_mode },
		{ "socket-group", OPTION_STRING, &args->socket_group },
		{ "fd", OPTION_STRING, &args->fd },
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
	if (!args->socket == !args->fd)
		return why_set(why, -EINVAL,
			       "--socket or --fd is needed, and not both");
	if (args->fd && (args->socket_mode || args->socket_group))
		return why_set(why, -EINVAL,
			       "--fd: the socket has its mode and group");
	serve->image = argv[1];
	return 0;
}

static int parse_mode(const char *s, mode_t *ret, struct why *why)
{
	size_t len = s ? strlen(s) : 0;

	if (!s)
		return 0;
	if (!len || len > 4 || strspn(s, "01234567") != len ||
	    strtoul(s, NULL, 8) > 0777)
		return why_set(why, -EDOM,
			       "--socket-mode: an octal number up to 0777, not "
			       "\"%s\"",
			       s);
	*ret = (mode_t)strtoul(s, NULL, 8);
	return 0;
}

static int parse_group(const char *s, gid_t *ret, struct why *why)
{
	const struct group *group;
	uint32_t number;

	if (!s)
		return 0;
	group = getgrnam(s);
	if (group) {
		*ret = group->gr_gid;
		return 0;
	}
	if (option_number(s, &number) || number == (gid_t)-1)
		return why_set(why, -EDOM, "--socket-group: %s: no such group",
			       s);
	*ret = number;
	return 0;
}

static int adopt(const char *s, struct volume *volume, struct why *why)
{
	uint32_t fd;
	int err;

	if (option_number(s, &fd) || fd < 3 || fd > INT_MAX)
		return why_set(why, -EDOM,
			       "--fd: the number of a descriptor, from 3 on, "
			       "not \"%s\"",
			       s);
	err = vhost_socket_adopt((int)fd, why);
	if (err) {
		why_prefix(why, "--fd");
		return -EDOM;
	}
	volume->listen_fd = (int)fd;
	return 0;
}

/* A path that stays what it is, wherever a process has its directory. */
static int full_path(const char *path, struct volume *volume, struct why *why)
{
	char cwd[SOCKET_PATH_MAX] = "";
	bool relative = path[0] != '/', fits = true;
	int len;

	if (relative)
		fits = getcwd(cwd, sizeof(cwd));
	len = snprintf(volume->socket, sizeof(volume->socket), "%s%s%s", cwd,
		       relative ? "/" : "", path);
	if (!fits || !path[0] || len >= (int)sizeof(volume->socket))
		return why_set(why, -EDOM,
			       "--socket: a path of 1 to %d bytes, from the "
			       "root on, is possible",
			       SOCKET_PATH_MAX - 1);
	return 0;
}

static int make_socket(const struct serve_args *args, struct volume *volume,
		       struct why *why)
{
	struct vhost_socket_params params = {
		.path = volume->socket,
		.mode = 0600,
		.group = (gid_t)-1,
	};
	int err;

	if (args->fd)
		return adopt(args->fd, volume, why);
	err = parse_mode(args->socket_mode, &params.mode, why);
	if (!err)
		err = parse_group(args->socket_group, &params.group, why);
	if (!err)
		err = full_path(args->socket, volume, why);
	if (!err)
		err = vhost_socket_listen(&params, &volume->listen_fd, why);
	if (err)
		volume->socket[0] = '\0';
	return err;
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
	err = make_socket(args, volume, why);
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
	struct serve_args args = { .serve = SERVE_OPTIONS_DEFAULT };
	struct volume *volume = calloc(1, sizeof(*volume));
	struct why why = { "" };
	int err;

	if (!volume)
		return EXIT_MEMORY;
	if (parse(&args, argc, argv, &why)) {
		free(volume);
		return command_misuse("serve", &why);
	}
	volume->readonly = args.serve.readonly;
	volume->foreground = true;
	volume->vhost_user = true;
	volume->packed = true;
	volume->image_fd = volume->control_fd = volume->listen_fd = -1;
	err = serve(&args, volume, &why);
	secmem_free(volume->key, VOLUME_KEY_MAX);
	free(volume);
	return err ? command_fail(err, &why) : EXIT_OK;
}
