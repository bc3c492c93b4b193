/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What sysfs tells of an attached device, and what is set there: see vdpa.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/why.h"
#include "vduse/cpumask.h"
#include "vduse/vdpa.h"

#define DRIVERS "/sys/bus/vdpa/drivers/"
#define DEVICES "/sys/bus/vdpa/devices/"

#define UEVENT_MS 2000 /* it is there at once, or may never be */

/* As the kernel and its users write it. */
static const struct {
	const char *name, *text;
} drivers[] = {
	[VDPA_NO_DRIVER] = { "", "" },
	[VDPA_VIRTIO] = { "virtio_vdpa", "virtio-vdpa" },
	[VDPA_VHOST] = { "vhost_vdpa", "vhost-vdpa" },
};

const char *vdpa_driver_text(enum vdpa_driver driver)
{
	return drivers[driver].text;
}

bool vdpa_has_driver(enum vdpa_driver driver)
{
	char path[64];

	snprintf(path, sizeof(path), DRIVERS "%s", drivers[driver].name);
	return !access(path, F_OK);
}

bool vdpa_is_attached(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), DEVICES "%s", name);
	return !access(path, F_OK);
}

/* The node is usable once the driver has read the capacity. */
static bool has_size(const char *block)
{
	unsigned long long sectors = 0;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/block/%s/size", block);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fscanf(f, "%llu", &sectors) != 1)
		sectors = 0;
	fclose(f);
	return sectors > 0;
}

static enum vdpa_driver find_driver(const char *name)
{
	char path[128], target[256], *base;
	enum vdpa_driver driver;
	ssize_t len;

	snprintf(path, sizeof(path), DEVICES "%s/driver", name);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return VDPA_NO_DRIVER;
	target[len] = '\0';
	base = strrchr(target, '/');
	for (driver = VDPA_VHOST; driver > VDPA_NO_DRIVER; driver--)
		if (base && !strcmp(base + 1, drivers[driver].name))
			break;
	return driver;
}

/* @dir: a device with a node, in sysfs. */
static bool read_number(const char *dir, dev_t *ret)
{
	unsigned major_nr, minor_nr;
	char path[288];
	FILE *f;
	int n;

	snprintf(path, sizeof(path), "%s/dev", dir);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = fscanf(f, "%u:%u", &major_nr, &minor_nr);
	fclose(f);
	if (n != 2)
		return false;
	*ret = makedev(major_nr, minor_nr);
	return true;
}

void vdpa_find(const char *name, struct vdpa_binding *ret)
{
	const char *what, *node;
	char pattern[160];
	glob_t found;

	*ret = (struct vdpa_binding){ .driver = find_driver(name) };
	if (ret->driver == VDPA_NO_DRIVER)
		return;
	what = ret->driver == VDPA_VIRTIO ? "virtio*/block/*" : "vhost-vdpa-*";
	/* Names have no characters that glob(3) treats specially. */
	snprintf(pattern, sizeof(pattern), DEVICES "%s/%s", name, what);
	if (glob(pattern, 0, NULL, &found))
		return;
	node = strrchr(found.gl_pathv[0], '/') + 1;
	if (strlen(node) < sizeof(ret->node) &&
	    (ret->driver == VDPA_VHOST || has_size(node)) &&
	    read_number(found.gl_pathv[0], &ret->number))
		strcpy(ret->node, node);
	globfree(&found);
}

static bool names_driver(const char *uevent)
{
	bool found = false;
	char line[128];
	FILE *f;

	f = fopen(uevent, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = !strncmp(line, "DRIVER=", 7);
	fclose(f);
	return found;
}

/* It may be abandoned, so it keeps nothing of ours open. */
_Noreturn static void reader_main(const char *uevent, int fd)
{
	char answer;

	setsid();
	if (dup2(fd, 0))
		_exit(1);
	close_range(1, ~0U, 0);
	answer = names_driver(uevent);
	_exit(write(0, &answer, 1) != 1);
}

/*
 * Some kernels (6.10, and others that took the change) lock the device to
 * show this file, which whoever unbinds it has done: the read then waits with
 * him, and cannot be interrupted.  No answer is as good as a yes.
 */
static bool ask_reader(const char *uevent)
{
	struct pollfd pfd = { .events = POLLIN };
	char answer = true;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return true;
	pid = fork();
	if (!pid)
		reader_main(uevent, fds[1]);
	close(fds[1]);
	pfd.fd = fds[0];
	if (pid > 0 && poll(&pfd, 1, UEVENT_MS) == 1 &&
	    read(fds[0], &answer, 1) == 1)
		waitpid(pid, NULL, 0);
	/* It may end when the kernel lets it, long after us. */
	else if (pid > 0)
		kill(pid, SIGKILL);
	close(fds[0]);
	return answer;
}

bool vdpa_is_unbinding(const char *name)
{
	char path[128];

	/* The link to the driver goes first, this when all is done. */
	snprintf(path, sizeof(path), DEVICES "%s/uevent", name);
	return ask_reader(path);
}

/* The kernel does the work inside the write. */
static int tell_driver(const char *name, enum vdpa_driver driver,
		       const char *verb, struct why *why)
{
	size_t len = strlen(name);
	char path[80];
	int fd, err = 0;

	snprintf(path, sizeof(path), DRIVERS "%s/%s", drivers[driver].name,
		 verb);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return why_set(why, -errno, "%s: %s (modprobe %s)", path,
			       strerror(errno), drivers[driver].name);
	if (write(fd, name, len) != (ssize_t)len)
		err = why_set(why, -errno, "%s: %s of %s: %s", name, verb,
			      drivers[driver].name, strerror(errno));
	close(fd);
	return err;
}

int vdpa_unbind(const char *name, enum vdpa_driver driver, struct why *why)
{
	return tell_driver(name, driver, "unbind", why);
}

int vdpa_bind(const char *name, enum vdpa_driver driver, struct why *why)
{
	return tell_driver(name, driver, "bind", why);
}

static int online_mask(char mask[static CPUMASK_TEXT_MAX])
{
	char list[4096] = "";
	FILE *f;

	f = fopen("/sys/devices/system/cpu/online", "re");
	if (!f)
		return -errno;
	if (!fgets(list, sizeof(list), f))
		list[0] = '\0';
	fclose(f);
	return cpumask_from_list(list, mask);
}

void vdpa_spread_interrupts(const char *name, unsigned nr_queues)
{
	char mask[CPUMASK_TEXT_MAX], path[160];
	unsigned i;
	int fd;

	if (online_mask(mask))
		return;
	for (i = 0; i < nr_queues; i++) {
		snprintf(path, sizeof(path),
			 "/sys/class/vduse/%s/vq%u/irq_cb_affinity", name, i);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			return;
		if (write(fd, mask, strlen(mask)) < 0) {
			close(fd);
			return;
		}
		close(fd);
	}
}
