/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The socket that a front end of vhost-user connects to: see socket.h.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/volume.h"
#include "lib/why.h"
#include "tools/socket.h"
#include "vhost-user/socket.h"

const struct option socket_options[] = {
	{ "socket-mode", OPTION_STRING, offsetof(struct socket_args, mode),
	  "MODE", "its rights, octal (0600)" },
	{ "socket-group", OPTION_STRING, offsetof(struct socket_args, group),
	  "GROUP", "its group", NULL, VALUE_USER_GROUP },
	{ NULL },
};

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
static int full_path(const char *path, const char *option,
		     struct volume *volume, struct why *why)
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
			       "--%s: a path of 1 to %d bytes, from the root "
			       "on, is possible",
			       option, SOCKET_PATH_MAX - 1);
	return 0;
}

int socket_prepare(const struct socket_args *args, struct volume *volume,
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
	err = parse_mode(args->mode, &params.mode, why);
	if (!err)
		err = parse_group(args->group, &params.group, why);
	if (!err)
		err = full_path(args->path, args->option, volume, why);
	if (!err)
		err = vhost_socket_listen(&params, &volume->listen_fd, why);
	if (err)
		volume->socket[0] = '\0';
	return err;
}
