/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The image and header of a command: see container.h.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/file.h"
#include "backend/lock.h"
#include "crypt/luks_image.h"
#include "lib/why.h"
#include "tools/container.h"
#include "tools/terminal.h"

const struct option container_options[] = {
	{ "header", OPTION_STRING, offsetof(struct container_paths, header),
	  "FILE", "the header is in FILE, and only the data in IMAGE", NULL,
	  VALUE_FILE },
	{ NULL },
};

const char *container_header_path(const struct container_paths *paths)
{
	return paths->header ? paths->header : paths->image;
}

int container_lock(int fd, bool shared, const char *path, struct why *why)
{
	int err = image_lock_soon(fd, shared);

	if (err == -EBUSY)
		return why_set(why, err,
			       "%s: is open already, or in use by another "
			       "vcrypt (vcrypt list)",
			       path);
	if (err)
		return why_set(why, err, "%s: cannot be locked: %s", path,
			       strerror(-err));
	return 0;
}

static int open_header(const struct container_paths *paths, int image_fd,
		       bool readonly, int *ret_fd, struct why *why)
{
	int fd, err;

	err = file_open(paths->header, readonly, &fd, why);
	if (err)
		return err;
	if (luks_image_same(fd, image_fd)) {
		close(fd);
		return why_set(why, -EDOM,
			       "--header: %s is the image itself (leave out "
			       "--header)",
			       paths->header);
	}
	*ret_fd = fd;
	return 0;
}

int container_open_header(const struct container_paths *paths, int image_fd,
			  int *ret_fd, struct why *why)
{
	int fd, err;

	err = open_header(paths, image_fd, true, &fd, why);
	if (err)
		return err;
	err = container_lock(fd, true, paths->header, why);
	if (err)
		close(fd);
	else
		*ret_fd = fd;
	return err;
}

static int lock_both(const struct container_paths *paths,
		     const struct container *c, struct why *why)
{
	int err = container_lock(c->image_fd, false, paths->image, why);

	if (!err && paths->header)
		err = container_lock(c->header_fd, false, paths->header, why);
	return err;
}

int container_open(const struct container_paths *paths, enum container_use use,
		   struct container *ret, struct why *why)
{
	bool look = use == CONTAINER_LOOK;
	struct container c;
	int err;

	err = file_open(paths->image, look, &c.image_fd, why);
	if (err)
		return err;
	c.header_fd = c.image_fd;
	if (paths->header)
		err = open_header(paths, c.image_fd, look, &c.header_fd, why);
	if (!err && !look)
		err = lock_both(paths, &c, why);
	if (err)
		container_close(&c);
	else
		*ret = c;
	return err;
}

void container_close(struct container *c)
{
	if (c->header_fd != c->image_fd)
		close(c->header_fd);
	close(c->image_fd);
}

int container_confirm(const struct container_paths *paths, bool batch,
		      const char *question, struct why *why)
{
	char text[1024];
	bool yes;
	int err;

	if (batch)
		return 0;
	if (!isatty(STDIN_FILENO))
		return why_set(why, -ENOTTY,
			       "%s: there is no terminal to ask at "
			       "(--batch-mode asks nothing)",
			       container_header_path(paths));
	snprintf(text, sizeof(text), "%s\nType YES to go on: ", question);
	err = terminal_confirm(text, "YES", &yes, why);
	if (!err && !yes)
		err = why_set(why, -ECANCELED, "%s: nothing was changed",
			      container_header_path(paths));
	return err;
}
