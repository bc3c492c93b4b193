/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The runtime directory: see runtime.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/runtime.h"
#include "lib/why.h"

#define FILE_NAME_MAX 96
#define STATE_MAX     (64 * 1024)

static int choose_path(struct runtime *rt, struct why *why)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	int n;

	if (geteuid() == 0)
		n = snprintf(rt->path, sizeof(rt->path), "/run/vcrypt");
	else if (xdg && xdg[0] == '/')
		n = snprintf(rt->path, sizeof(rt->path), "%s/vcrypt", xdg);
	else
		return why_set(why, -ENOENT,
			       "no place for sockets: XDG_RUNTIME_DIR is not "
			       "set (set it, or be root)");
	/* A socket's address has room for 107 bytes, the name included. */
	if (n >= (int)sizeof(rt->path))
		return why_set(why, -ENAMETOOLONG,
			       "XDG_RUNTIME_DIR is too long for a socket");
	return 0;
}

/* Somebody else's directory could have anything in it. */
static int check_owner(const struct runtime *rt, struct why *why)
{
	struct stat st;

	if (fstat(rt->dir_fd, &st))
		return why_set(why, -errno, "%s: %s", rt->path,
			       strerror(errno));
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return why_set(why, -EPERM,
			       "%s: belongs to another user or others may "
			       "write to it",
			       rt->path);
	return 0;
}

int runtime_open(struct runtime *rt, bool create, struct why *why)
{
	int err;

	rt->dir_fd = -1;
	err = choose_path(rt, why);
	if (err)
		return err;
	if (create && mkdir(rt->path, 0700) && errno != EEXIST)
		return why_set(why, -errno, "%s: %s", rt->path,
			       strerror(errno));
	rt->dir_fd =
		open(rt->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (rt->dir_fd < 0)
		return why_set(why, -errno, "%s: %s", rt->path,
			       strerror(errno));
	err = check_owner(rt, why);
	if (err)
		runtime_close(rt);
	return err;
}

void runtime_close(struct runtime *rt)
{
	if (rt->dir_fd >= 0)
		close(rt->dir_fd);
	rt->dir_fd = -1;
}

static void file_name(char ret[static FILE_NAME_MAX], const char *name,
		      const char *suffix)
{
	snprintf(ret, FILE_NAME_MAX, "%s.%s", name, suffix);
}

/* The file may have been removed between the open and the lock. */
static bool is_still_there(const struct runtime *rt, const char *file, int fd)
{
	struct stat here, there;

	return !fstat(fd, &here) && !fstatat(rt->dir_fd, file, &there, 0) &&
	       here.st_ino == there.st_ino;
}

static int lock_file(const struct runtime *rt, const char *file, int *ret_fd)
{
	int fd;

	for (;;) {
		fd = openat(rt->dir_fd, file,
			    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB)) {
			close(fd);
			return -EBUSY;
		}
		if (is_still_there(rt, file, fd))
			break;
		close(fd);
	}
	*ret_fd = fd;
	return 0;
}

int runtime_lock(const struct runtime *rt, const char *name, int *ret_fd,
		 struct why *why)
{
	char file[FILE_NAME_MAX];
	int err;

	file_name(file, name, "lock");
	err = lock_file(rt, file, ret_fd);
	if (err == -EBUSY)
		return why_set(why, err, "%s: is open already", name);
	if (err)
		return why_set(why, err, "%s/%s: %s", rt->path, file,
			       strerror(-err));
	return 0;
}

int runtime_lock_busy(const struct runtime *rt, const char *name, int *ret_fd)
{
	char file[FILE_NAME_MAX];

	file_name(file, name, "busy");
	return lock_file(rt, file, ret_fd);
}

int runtime_write_state(const struct runtime *rt, const char *name,
			const char *json)
{
	char file[FILE_NAME_MAX], temp[FILE_NAME_MAX];
	size_t len = strlen(json);
	int fd, err = 0;

	file_name(file, name, "json");
	file_name(temp, name, "new");
	fd = openat(rt->dir_fd, temp,
		    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd < 0)
		return -errno;
	if (write(fd, json, len) != (ssize_t)len)
		err = -EIO;
	close(fd);
	if (!err && renameat(rt->dir_fd, temp, rt->dir_fd, file))
		err = -errno;
	if (err)
		unlinkat(rt->dir_fd, temp, 0);
	return err;
}

int runtime_read_state(const struct runtime *rt, const char *name, char **ret)
{
	char file[FILE_NAME_MAX];
	ssize_t n = -1;
	char *text;
	int fd;

	file_name(file, name, "json");
	fd = openat(rt->dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	text = malloc(STATE_MAX);
	if (text)
		n = read(fd, text, STATE_MAX - 1);
	close(fd);
	if (n < 0) {
		free(text);
		return text ? -EIO : -ENOMEM;
	}
	text[n] = '\0';
	*ret = text;
	return 0;
}

int runtime_create_shm(const struct runtime *rt, const char *name, size_t len,
		       int *ret_fd)
{
	char file[FILE_NAME_MAX];
	int fd, err;

	file_name(file, name, "shm");
	unlinkat(rt->dir_fd, file, 0);
	fd = openat(rt->dir_fd, file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	/* With its pages, so that no access can run out of memory later. */
	err = posix_fallocate(fd, 0, (off_t)len);
	if (err) {
		close(fd);
		unlinkat(rt->dir_fd, file, 0);
		return -err;
	}
	*ret_fd = fd;
	return 0;
}

int runtime_open_shm(const struct runtime *rt, const char *name, int *ret_fd)
{
	char file[FILE_NAME_MAX];
	int fd;

	file_name(file, name, "shm");
	fd = openat(rt->dir_fd, file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static int make_socket(const struct runtime *rt, const char *name,
		       struct sockaddr_un *addr, int *ret_fd)
{
	int fd, n;

	addr->sun_family = AF_UNIX;
	n = snprintf(addr->sun_path, sizeof(addr->sun_path), "%s/%s.sock",
		     rt->path, name);
	if (n >= (int)sizeof(addr->sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int runtime_listen(const struct runtime *rt, const char *name, int *ret_fd)
{
	struct sockaddr_un addr;
	int fd, err;

	err = make_socket(rt, name, &addr, &fd);
	if (err)
		return err;
	unlink(addr.sun_path);
	/* The directory's mode keeps others out before listen as well. */
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    chmod(addr.sun_path, 0600) || listen(fd, 8)) {
		err = -errno;
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

int runtime_connect(const struct runtime *rt, const char *name, int *ret_fd)
{
	struct sockaddr_un addr;
	int fd, err;

	err = make_socket(rt, name, &addr, &fd);
	if (err)
		return err;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		err = -errno;
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

void runtime_remove(const struct runtime *rt, const char *name)
{
	static const char *const suffixes[] = { "sock", "shm",	"new",
						"busy", "json", "lock" };
	char file[FILE_NAME_MAX];
	size_t i;

	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		file_name(file, name, suffixes[i]);
		unlinkat(rt->dir_fd, file, 0);
	}
}

static int is_state(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && dot > entry->d_name && !strcmp(dot, ".json");
}

int runtime_each(const struct runtime *rt,
		 int (*fn)(const struct runtime *rt, const char *name,
			   void *arg),
		 void *arg)
{
	struct dirent **entries;
	int i, n, err = 0;

	n = scandir(rt->path, &entries, is_state, alphasort);
	if (n < 0)
		return -errno;
	for (i = 0; i < n; i++) {
		*strrchr(entries[i]->d_name, '.') = '\0';
		if (!err)
			err = fn(rt, entries[i]->d_name, arg);
		free(entries[i]);
	}
	free(entries);
	return err;
}
