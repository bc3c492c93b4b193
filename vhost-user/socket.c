/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The socket that a front end connects to: see socket.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/why.h"
#include "vhost-user/socket.h"

static int new_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

/* Whether @addr is a socket that no process listens on any more. */
static bool is_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, err;

	if (lstat(addr->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = new_socket();
	if (fd < 0)
		return false;
	err = connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
	err = err ? errno : 0;
	close(fd);
	return err == ECONNREFUSED;
}

static int bind_path(int fd, const struct sockaddr_un *addr, struct why *why)
{
	const struct sockaddr *sa = (const struct sockaddr *)addr;
	struct stat st;

	if (!bind(fd, sa, sizeof(*addr)))
		return 0;
	if (errno == EADDRINUSE && is_stale(addr) && !unlink(addr->sun_path) &&
	    !bind(fd, sa, sizeof(*addr)))
		return 0;
	if (errno == EADDRINUSE && !lstat(addr->sun_path, &st) &&
	    !S_ISSOCK(st.st_mode))
		return why_set(why, -EEXIST, "%s: exists and is no socket",
			       addr->sun_path);
	if (errno == EADDRINUSE || errno == ECONNREFUSED)
		return why_set(why, -EBUSY, "%s: another server listens there",
			       addr->sun_path);
	return why_set(why, -errno, "%s: %s", addr->sun_path, strerror(errno));
}

/* Nobody connects before it listens, so nobody gets in with other rights. */
static int set_rights(const struct vhost_socket_params *params, int fd,
		      struct why *why)
{
	if (params->group != (gid_t)-1 &&
	    lchown(params->path, (uid_t)-1, params->group))
		return why_set(why, -errno, "%s: cannot have that group: %s",
			       params->path, strerror(errno));
	if (chmod(params->path, params->mode) || listen(fd, 1))
		return why_set(why, -errno, "%s: %s", params->path,
			       strerror(errno));
	return 0;
}

int vhost_socket_listen(const struct vhost_socket_params *params, int *ret_fd,
			struct why *why)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, err;

	if (!params->path[0] || strlen(params->path) >= sizeof(addr.sun_path))
		return why_set(why, -ENAMETOOLONG,
			       "%s: a socket's path has 1 to %zu bytes",
			       params->path, sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, params->path);
	fd = new_socket();
	if (fd < 0)
		return why_set(why, fd, "%s: %s", params->path, strerror(-fd));
	/* The file is made with the rights of the socket, less the umask. */
	fchmod(fd, 0600);
	err = bind_path(fd, &addr, why);
	if (err) {
		close(fd);
		return err;
	}
	err = set_rights(params, fd, why);
	if (err) {
		unlink(params->path);
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

static int option(int fd, int name)
{
	socklen_t len = sizeof(int);
	int value;

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) ? -errno : value;
}

int vhost_socket_adopt(int fd, struct why *why)
{
	if (option(fd, SO_DOMAIN) != AF_UNIX ||
	    option(fd, SO_TYPE) != SOCK_STREAM ||
	    option(fd, SO_ACCEPTCONN) != 1)
		return why_set(why, -EINVAL,
			       "descriptor %d is no UNIX stream socket that "
			       "listens",
			       fd);
	/* Not to be taken over by every child. */
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) || fcntl(fd, F_SETFL, O_NONBLOCK))
		return why_set(why, -errno, "descriptor %d: %s", fd,
			       strerror(errno));
	return 0;
}

void vhost_socket_remove(int fd, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (!path[0] || strlen(path) >= sizeof(addr.sun_path)) {
		close(fd);
		return;
	}
	/* The kernel may hold it for a process that has died. */
	shutdown(fd, SHUT_RDWR);
	close(fd);
	strcpy(addr.sun_path, path);
	/* Another server may have taken the place. */
	if (is_stale(&addr))
		unlink(path);
}
